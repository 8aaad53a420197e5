package dev.replistream.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.ServiceClient;
import dev.replistream.TestService;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Which pages may call, over the wire: the CORS protocol of the Fetch standard.
class CorsTest {
  private static final String APP = "https://app.example.com";
  private static final String LOCAL = "http://localhost:5173";
  private static final TestService OPEN = TestService.start();
  private static final TestService LISTED =
      TestService.start(
          "CORS_ALLOW_ORIGINS",
          "HTTPS://App.Example.com:443, " + LOCAL,
          "CORS_ALLOW_HEADERS",
          "X-Shop, X-Till");

  private final ServiceClient open = OPEN.client();
  private final ServiceClient listed = LISTED.client();

  @AfterAll
  static void close() {
    OPEN.close();
    LISTED.close();
  }

  static Stream<HttpRequest> routes() {
    return Stream.of(
        HttpRequest.api("GET", "/stream"),
        HttpRequest.api("GET", "/events"),
        HttpRequest.api("GET", "/stats"),
        HttpRequest.api("POST", "/poke-user"),
        HttpRequest.api("POST", "/ticket"));
  }

  private static HttpRequest preflight(HttpRequest request, String origin) {
    return HttpRequest.of("OPTIONS", request.target())
        .with("Origin", origin)
        .with("Access-Control-Request-Method", request.method())
        .with(
            "Access-Control-Request-Headers",
            "authorization,content-type,last-event-id,x-replicache-requestid");
  }

  private static List<String> list(HttpReply reply, String header) {
    return Arrays.stream(String.join(",", reply.headers(header)).split(","))
        .map(value -> value.strip().toLowerCase(Locale.ROOT))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("routes")
  void everyRouteAnswersAPreflightWithoutAskingWhoCalls(HttpRequest request) {
    HttpReply reply = open.send(preflight(request, APP));

    assertThat(reply.status()).isEqualTo(204);
    assertThat(reply.header("Access-Control-Allow-Origin")).isEqualTo("*");
    assertThat(list(reply, "Access-Control-Allow-Methods"))
        .contains(request.method().toLowerCase(Locale.ROOT));
    assertThat(list(reply, "Access-Control-Allow-Headers"))
        .contains("authorization", "content-type", "last-event-id", "x-replicache-requestid");
    assertThat(reply.header("Access-Control-Max-Age")).isEqualTo("7200");
    assertThat(reply.header("Access-Control-Allow-Credentials")).isNull();
  }

  @Test
  void aPageMaySendTheHeadersOfTracingOrThoseThatTheSettingNames() {
    HttpRequest poke = HttpRequest.api("POST", "/poke-user");

    assertThat(list(open.send(preflight(poke, APP)), "Access-Control-Allow-Headers"))
        .contains("authorization", "traceparent", "tracestate", "baggage", "sentry-trace", "b3");
    assertThat(list(listed.send(preflight(poke, APP)), "Access-Control-Allow-Headers"))
        .contains("authorization", "x-shop", "x-till")
        .doesNotContain("traceparent");
  }

  @ParameterizedTest
  @MethodSource("routes")
  void aPageMayReadWhenToTryAgain(HttpRequest request) {
    HttpReply refused = open.send(request.with("Origin", APP));

    assertThat(refused.status()).isEqualTo(401);
    assertThat(list(refused, "Access-Control-Expose-Headers"))
        .containsExactly("etag", "retry-after");
  }

  @ParameterizedTest
  @ValueSource(strings = {APP, LOCAL})
  void aListedOriginIsNamedInEveryAnswer(String origin) {
    for (HttpRequest request : routes().toList()) {
      HttpReply preflight = listed.send(preflight(request, origin));
      HttpReply refused = listed.send(request.with("Origin", origin));

      assertThat(preflight.status()).isEqualTo(204);
      assertThat(preflight.header("Access-Control-Allow-Origin")).isEqualTo(origin);
      assertThat(preflight.header("Access-Control-Allow-Credentials")).isEqualTo("true");
      assertThat(preflight.header("Vary")).isEqualTo("Origin");
      assertThat(refused.status()).isEqualTo(401);
      assertThat(refused.header("Access-Control-Allow-Origin")).isEqualTo(origin);
      assertThat(refused.header("Access-Control-Allow-Credentials")).isEqualTo("true");
      assertThat(refused.header("Vary")).isEqualTo("Origin");
    }
  }

  @Test
  void aListedOriginIsNamedInTheHeadOfAStream() {
    try (var stream = listed.open(listed.stream("alice").with("Origin", LOCAL))) {
      assertThat(stream.head())
          .contains("\r\nAccess-Control-Allow-Origin: " + LOCAL + "\r\n")
          .contains("\r\nAccess-Control-Allow-Credentials: true\r\n")
          .contains("\r\nVary: Origin\r\n");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "https://app.example.com.evil.example",
        "https://evil-app.example.com",
        "https://evil.example/https://app.example.com",
        "https://app.example.co",
        "https://app.example.com:443",
        "https://app.example.com:8443",
        "https://app.example.com/",
        "http://app.example.com",
        "HTTPS://APP.EXAMPLE.COM",
        "https://APP.example.com",
        "https://app.example.com, http://localhost:5173",
        "https://app.example.com http://localhost:5173",
        "http://localhost",
        "http://localhost:51733",
        "null",
        "*",
        "app.example.com",
      })
  void anOriginThatOnlyLooksLikeAListedOneMayReadNothing(String origin) {
    for (HttpRequest request : routes().toList()) {
      HttpReply preflight = listed.send(preflight(request, origin));
      HttpReply refused = listed.send(request.with("Origin", origin));

      assertThat(preflight.headers("Access-Control-Allow-Origin")).isEmpty();
      assertThat(preflight.header("Vary")).isEqualTo("Origin");
      assertThat(refused.headers("Access-Control-Allow-Origin")).isEmpty();
      assertThat(preflight.headers("Access-Control-Allow-Credentials")).isEmpty();
      assertThat(refused.headers("Access-Control-Allow-Credentials")).isEmpty();
    }
    try (var stream = listed.open(listed.stream("alice").with("Origin", origin))) {
      assertThat(stream.head()).doesNotContain("Access-Control-Allow-Origin");
    }
  }

  @Test
  void aCallerThatIsNoPageIsServedWithoutAnOrigin() {
    HttpReply reply = listed.send(HttpRequest.api("GET", "/stats").by(listed.token("alice")));

    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.headers("Access-Control-Allow-Origin")).isEmpty();
    assertThat(reply.header("Vary")).isEqualTo("Origin");
  }

  @Test
  void optionsWithoutTheHeadersOfAPreflightIsNone() {
    HttpRequest options = HttpRequest.api("OPTIONS", "/stats");

    assertThat(open.send(options).status()).isEqualTo(405);
    assertThat(open.send(options.with("Origin", APP)).status()).isEqualTo(405);
    assertThat(open.send(options.with("Access-Control-Request-Method", "GET")).status())
        .isEqualTo(405);
  }

  @Test
  void malformedHttpIsAnsweredForAnyPageToo() {
    try (var connection = open.connect()) {
      HttpReply reply = connection.send("GARBAGE\r\n\r\n").reply();

      assertThat(reply.header("Access-Control-Allow-Origin")).isEqualTo("*");
    }
  }
}
