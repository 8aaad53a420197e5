package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The page of development mode, which holds a token: for this machine's own browser alone.
class WelcomePageTest {
  private static final Pattern TOKEN = Pattern.compile("eyJ[\\w-]+\\.[\\w-]+\\.[\\w-]+");

  @TempDir private static Path dataDir;
  private static Application application;

  @BeforeAll
  static void startInDevelopmentMode() {
    Settings settings =
        Settings.load(
            Optional.empty(),
            Map.of(
                "REPLISTREAM_PORT", "0",
                "REPLISTREAM_ADMIN_PORT", "0",
                "REPLISTREAM_STREAM_DRAIN", "PT0S",
                "REPLISTREAM_LOG_LEVEL", "INFO",
                "REPLISTREAM_DATA_DIR", dataDir.toString()));
    application = new Application(settings, Clock.systemUTC()).start();
  }

  @AfterAll
  static void close() {
    application.close();
  }

  private static HttpReply send(HttpRequest request) {
    try (HttpConnection connection = new HttpConnection(application.port())) {
      return connection.send(request.with("Connection", "close").toBytes()).reply();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"localhost", "127.0.0.1", "[::1]", "localhost:8000", "127.0.0.1:1"})
  void thisMachinesBrowserIsShownCommandsThatWorkAsTheyStand(String host) {
    HttpReply page = send(HttpRequest.of("GET", "/").with("Host", host));

    assertThat(page.status()).isEqualTo(200);
    assertThat(page.header("Content-Type")).isEqualTo("text/html; charset=utf-8");
    assertThat(page.header("Cache-Control")).isEqualTo("no-store");
    assertThat(page.header("Content-Security-Policy")).contains("default-src 'none'");
    assertThat(page.body()).contains("http://" + host + "/api/v1/replicache/stream");
    Matcher token = TOKEN.matcher(page.body());
    assertThat(token.find()).isTrue();
    HttpReply poke = send(HttpRequest.api("POST", "/poke-user").by(token.group()));
    assertThat(poke.json().getString("userId")).isEqualTo("demo");
  }

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
      })
  void aPageAskedForByAForeignNameHoldsNoToken(String host) {
    HttpReply page = send(HttpRequest.of("GET", "/").with("Host", host));

    assertThat(page.body()).doesNotContainPattern(TOKEN);
    assertThat(page.body()).doesNotContain("evil");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/", "/?x=1", "/#x", "//", "/.", "/./", "/x/..", "/%2e", "/%2F", "/;x", "/x/../", ""
      })
  void whateverOtherPagesAskForTheyReadNoToken(String target) {
    String origin = "https://evil.example";
    HttpReply page = send(HttpRequest.of("GET", target).with("Origin", origin));
    HttpReply preflight =
        send(
            HttpRequest.of("OPTIONS", target)
                .with("Origin", origin)
                .with("Access-Control-Request-Method", "GET"));

    if (TOKEN.matcher(page.body()).find()) {
      assertThat(page.headers("Access-Control-Allow-Origin")).isEmpty();
      assertThat(preflight.headers("Access-Control-Allow-Origin")).isEmpty();
    } else {
      assertThat(page.status()).isIn(400, 404, 405);
    }
  }

  @Test
  void thePageIsReadByGetAlone() {
    assertThat(send(HttpRequest.of("POST", "/")).header("Allow")).isEqualTo("GET");
  }

  @Test
  void theKeyIsKeptSoThatTokensOutliveARestart() {
    Matcher token = TOKEN.matcher(send(HttpRequest.of("GET", "/")).body());
    assertThat(token.find()).isTrue();

    application.close();
    startInDevelopmentMode();

    HttpReply stats = send(HttpRequest.api("GET", "/stats").by(token.group()));
    assertThat(stats.status()).isEqualTo(200);
  }

  @Test
  void aServiceWithAKeyHasNoSuchPage() {
    try (TestService service = TestService.start()) {
      HttpReply reply = service.client().send(HttpRequest.of("GET", "/"));

      assertThat(reply.status()).isEqualTo(404);
      assertThat(reply.header("Content-Type")).isEqualTo("application/problem+json");
    }
  }
}
