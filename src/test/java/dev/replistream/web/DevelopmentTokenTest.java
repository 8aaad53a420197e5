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
import org.junit.jupiter.params.provider.ValueSource;

/// The tokens of development mode are for this machine's own pages alone.
class DevelopmentTokenTest {
  private static final String PATH = "/development/token";
  private static final String EVIL = "https://evil.example";

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

  private static HttpRequest post(String host, String origin) {
    return HttpRequest.of("POST", PATH)
        .with("Host", host)
        .with("Origin", origin)
        .with("Content-Type", "application/json");
  }

  private static HttpRequest own() {
    return post("localhost:8000", "http://localhost:8000");
  }

  private static void assertNoToken(HttpReply reply, int status) {
    assertThat(reply.status()).as(reply.toString()).isEqualTo(status);
    assertThat(reply.body()).doesNotContain("eyJ");
    assertThat(reply.headers("Access-Control-Allow-Origin")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"localhost", "127.0.0.1", "[::1]", "localhost:8000", "127.1.2.3:1"})
  void aPageOfThisServerGetsATokenOfAnyUser(String host) {
    HttpReply reply =
        service.send(
            post(host, "http://" + host)
                .with("Sec-Fetch-Site", "same-origin")
                .with("{\"user\":\"Zoë\"}"));

    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.header("Cache-Control")).isEqualTo("no-store");
    assertThat(reply.headers("Access-Control-Allow-Origin")).isEmpty();
    assertThat(reply.json().getString("userId")).isEqualTo("Zoë");
    assertThat(reply.json().getInt("expiresIn")).isEqualTo(8 * 60 * 60);
    String token = reply.json().getString("token");
    HttpReply poke = service.send(HttpRequest.api("POST", "/poke-user").by(token));
    assertThat(poke.json().getString("userId")).isEqualTo("Zoë");
    HttpReply other =
        service.send(HttpRequest.api("POST", "/poke-user").by(token).with("{\"userId\":\"bob\"}"));
    assertThat(other.status()).isEqualTo(403);
  }

  /// A foreign name that resolves to 127.0.0.1 is another site's way in.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:8000",
        "localhost:80:80",
        "127x0x0x1",
        "localhost@evil.example",
        "192.168.0.1",
        "0.0.0.0",
      })
  void aPageUnderAForeignNameGetsNone(String host) {
    HttpReply reply =
        service.send(
            post(host, "http://" + host)
                .with("Sec-Fetch-Site", "same-origin")
                .with("{\"user\":\"bob\"}"));

    assertThat(reply.body()).doesNotContain("eyJ");
    assertThat(reply.status()).isIn(400, 403);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", ".."})
  void whatCantBeAUserGetsNone(String user) {
    assertNoToken(service.send(own().with("{\"user\":\"" + user + "\"}")), 400);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        EVIL,
        "null",
        "http://localhost",
        "http://localhost:8001",
        "http://127.0.0.1:8000"
      })
  void aPageOfAnotherOriginGetsNone(String origin) {
    assertNoToken(service.send(post("localhost:8000", origin).with("{\"user\":\"bob\"}")), 403);
  }

  @ParameterizedTest
  @ValueSource(strings = {"cross-site", "same-site", "none"})
  void whatTheBrowserSaysComesFromElsewhereGetsNone(String site) {
    assertNoToken(service.send(own().with("Sec-Fetch-Site", site).with("{\"user\":\"bob\"}")), 403);
  }

  @Test
  void whoeverDoesNotSayWhereItComesFromGetsNone() {
    HttpRequest request = HttpRequest.of("POST", PATH).with("Content-Type", "application/json");

    assertNoToken(service.send(request.with("{\"user\":\"bob\"}")), 403);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        PATH,
        PATH + "/",
        "/development//token",
        "//development/token",
        "/development/./token",
        "/x/../development/token",
        "/%64evelopment/token",
        "/development%2Ftoken",
        PATH + ";x",
        PATH + "?x",
      })
  void anotherOriginMayNeitherAskNorReadWhateverThePathLooksLike(String target) {
    HttpRequest post =
        HttpRequest.of("POST", target).with("Origin", EVIL).with("{\"user\":\"bob\"}");
    HttpReply preflight =
        service.send(
            HttpRequest.of("OPTIONS", target)
                .with("Origin", EVIL)
                .with("Access-Control-Request-Method", "POST"));

    HttpReply reply = service.send(post);

    assertThat(reply.body()).doesNotContain("eyJ");
    if (reply.status() == 403) {
      assertThat(reply.headers("Access-Control-Allow-Origin")).isEmpty();
      assertThat(preflight.headers("Access-Control-Allow-Origin")).isEmpty();
    } else {
      assertThat(reply.status()).isIn(400, 404);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "x",
        "[]",
        "{}",
        "\"bob\"",
        "{\"user\":1}",
        "{\"user\":null}",
        "{\"user\":\"\"}",
        "{\"user\":\"a\\nb\"}",
        "{\"userId\":\"bob\"}",
      })
  void aBodyThatNamesNoUserIsRefused(String body) {
    assertNoToken(service.send(own().with(body)), 400);
  }

  @Test
  void aBodyIsSmallAndJson() {
    String large = "{\"user\":\"bob\"" + " ".repeat(5_000) + "}";
    HttpRequest form =
        HttpRequest.of("POST", PATH)
            .with("Origin", "http://localhost")
            .with("Content-Type", "text/plain");

    assertNoToken(service.send(own().with(large)), 413);
    assertNoToken(service.send(form.with("{\"user\":\"bob\"}")), 415);
  }

  @Test
  void itIsPostedAlone() {
    assertThat(service.get(PATH).header("Allow")).isEqualTo("POST");
  }

  @Test
  void theKeyIsKeptSoThatTokensOutliveARestart() {
    String token = service.send(own().with("{\"user\":\"bob\"}")).json().getString("token");

    service.close();
    start();

    assertThat(service.send(HttpRequest.api("GET", "/stats").by(token)).status()).isEqualTo(200);
  }

  @Test
  void aServiceWithAKeySignsNothingEvenWithTheConsole() {
    try (TestService keyed = TestService.start("CONSOLE", "true")) {
      HttpReply reply = keyed.client().send(own().with("{\"user\":\"bob\"}"));

      assertThat(reply.status()).isEqualTo(404);
    }
  }
}
