package dev.replistream.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.TestService;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Development mode behind a proxy or a tunnel would give anybody a token of any user.
class DevelopmentBehindProxyTest {
  @TempDir private static Path dataDir;
  private static DevelopmentService service;

  @BeforeAll
  static void start() {
    service = new DevelopmentService(dataDir);
  }

  @AfterAll
  static void close() {
    service.close();
  }

  private static HttpRequest token(String host) {
    return HttpRequest.of("POST", "/development/token")
        .with("Host", host)
        .with("Origin", "http://" + host)
        .with("Sec-Fetch-Site", "same-origin")
        .with("Content-Type", "application/json")
        .with("{\"user\":\"victim\"}");
  }

  private static void assertRefused(HttpReply reply) {
    assertThat(reply.status()).isEqualTo(403);
    assertThat(reply.header("Content-Type")).isEqualTo("application/problem+json");
    assertThat(reply.json().getString("detail"))
        .contains("development mode", "replistream.auth.secret", "replistream.auth.jwks");
    assertThat(reply.body()).doesNotContain("eyJ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Forwarded | for=203.0.113.7",
        "forwarded | by=_x",
        "X-Forwarded-For | 203.0.113.7",
        "X-FORWARDED-FOR | 127.0.0.1",
        "X-Forwarded-Host | demo.example",
        "X-Forwarded-Proto | https",
        "X-Forwarded-Port | 443",
        "X-Forwarded-Server | a",
        "X-Forwarded | 1",
        "Via | 1.1 tunnel",
        "X-Real-IP | 203.0.113.7",
        "CF-Connecting-IP | 203.0.113.7",
        "Cf-Ray | 7d0c",
        "True-Client-IP | 203.0.113.7",
        "X-Client-IP | 203.0.113.7",
        "X-Original-Host | demo.example",
        "X-Forwarded-For | ''",
      })
  void whateverCameThroughAProxyIsRefused(String header, String value) {
    assertRefused(service.send(token("localhost:8000").with(header, value)));
    for (String path : new String[] {"/", "/demo", "/console/console.js", "/replistream.js"}) {
      assertRefused(service.send(HttpRequest.of("GET", path).with(header, value)));
    }
    assertRefused(service.send(HttpRequest.api("GET", "/stats").with(header, value)));
    assertRefused(service.send(HttpRequest.api("GET", "/stream").with(header, value)));
    assertRefused(service.send(HttpRequest.api("GET", "/ws").with(header, value)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "demo.example",
        "demo.example:8000",
        "abc.ngrok.app",
        "192.168.0.1:8000",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "0.0.0.0:8000",
        "evil.example#.localhost",
      })
  void aForeignHostIsRefused(String host) {
    HttpReply reply = service.send(token(host));

    assertThat(reply.status()).isIn(400, 403);
    assertThat(reply.body()).doesNotContain("eyJ");
    HttpReply page = service.send(HttpRequest.of("GET", "/").with("Host", host));
    assertThat(page.status()).isIn(400, 403);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "app.localhost"})
  void thisMachineIsServed(String host) {
    assertThat(service.send(token(host)).status()).isEqualTo(200);
    assertThat(service.send(HttpRequest.of("GET", "/").with("Host", host)).status()).isEqualTo(200);
  }

  @Test
  void aServiceWithAKeyStandsBehindAnyProxy() {
    try (TestService keyed = TestService.start("CONSOLE", "true")) {
      HttpReply reply =
          keyed
              .client()
              .send(
                  HttpRequest.of("GET", "/")
                      .with("Host", "demo.example")
                      .with("X-Forwarded-For", "203.0.113.7")
                      .with("Via", "1.1 proxy"));

      assertThat(reply.status()).isEqualTo(200);
    }
  }
}
