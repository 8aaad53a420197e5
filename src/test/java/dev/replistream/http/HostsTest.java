package dev.replistream.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.Problems;
import dev.replistream.TestService;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// By which names a service may be called that lists its own.
class HostsTest {
  private static final TestService SERVICE =
      TestService.start("HTTP_HOSTS", "sync.example.com, 127.0.0.1, ::1");

  @AfterAll
  static void stop() {
    SERVICE.close();
  }

  private static HttpReply get(String path, String host) {
    return request("GET", path, host, "");
  }

  private static HttpReply request(String method, String path, String host, String more) {
    try (HttpConnection connection = new HttpConnection(SERVICE.application().port())) {
      return connection
          .send(
              method
                  + " "
                  + path
                  + " HTTP/1.1\r\nHost: "
                  + host
                  + "\r\n"
                  + more
                  + "Connection: close\r\n\r\n")
          .reply();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sync.example.com",
        "sync.example.com:8000",
        "SYNC.Example.COM:80",
        "sync.example.com.",
        "127.0.0.1:1234",
        "[::1]",
        "[0:0::1]:8000"
      })
  void itsOwnNamesAreServed(String host) {
    assertThat(get("/replistream.js", host).status()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "evil.example",
        "sync.example.com.evil.example",
        "example.com",
        "localhost",
        "127.0.0.2",
        "127.1",
        "[::2]:8000",
      })
  void othersAreMisdirected(String host) {
    HttpReply reply = get("/replistream.js", host);

    assertThat(Problems.detail(reply, 421)).contains("http.hosts").doesNotContain(host);
  }

  @Test
  void soAreThoseOfAnyRouteAndMethod() {
    assertThat(get("/nowhere", "evil.example").status()).isEqualTo(421);
    assertThat(get("/api/v1/replicache/stream", "evil.example").status()).isEqualTo(421);
    HttpReply preflight =
        request(
            "OPTIONS",
            "/api/v1/replicache/push",
            "evil.example",
            "Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n");
    assertThat(preflight.status()).isEqualTo(421);
    assertThat(preflight.header("Access-Control-Allow-Origin")).isEqualTo("*");
  }

  @Test
  void theOperatorsListenerIsCalledByAnyName() {
    assertThat(SERVICE.client().admin("/health/live").status()).isEqualTo(200);
    try (HttpConnection connection = new HttpConnection(SERVICE.application().adminPort())) {
      connection.send("GET /health/ready HTTP/1.1\r\nHost: 10.1.2.3:8001\r\n\r\n");
      assertThat(connection.reply().status()).isEqualTo(200);
    }
  }
}
