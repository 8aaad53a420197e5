package dev.replistream.auth;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The cookie as a credential: a browser sends it along with what any page makes it send, so it
/// counts from this origin's pages and the listed origins' alone.
class CookieTest {
  private static final String APP = "https://app.example.com";
  private static final String EVIL = "https://evil.example";

  /// The origin of the requests' `Host: localhost`.
  private static final String SELF = "http://localhost";

  private static final TestService OPEN = TestService.start();
  private static final TestService LISTED = TestService.start("CORS_ALLOW_ORIGINS", APP);

  private final ServiceClient open = OPEN.client();
  private final ServiceClient listed = LISTED.client();

  @AfterAll
  static void close() {
    OPEN.close();
    LISTED.close();
  }

  static Stream<HttpRequest> posts() {
    return Stream.of(
        HttpRequest.api("POST", "/poke-user"),
        HttpRequest.api("POST", "/ticket"),
        HttpRequest.api("POST", "/push")
            .with(
                """
                {"profileID":"p","clientGroupID":"g","pushVersion":1,"schemaVersion":"","mutations":[]}\
                """),
        HttpRequest.api("POST", "/pull")
            .with(
                """
                {"profileID":"p","clientGroupID":"g","cookie":null,"pullVersion":1,"schemaVersion":""}\
                """));
  }

  private HttpRequest withCookie(HttpRequest request) {
    return request.with("Cookie", "replistream_token=" + open.token("alice"));
  }

  private HttpRequest stats() {
    return withCookie(HttpRequest.api("GET", "/stats"));
  }

  private HttpRequest poke() {
    return withCookie(HttpRequest.api("POST", "/poke-user"));
  }

  private static void assertRefused(HttpReply reply) {
    assertThat(reply.status()).as(reply.toString()).isEqualTo(403);
    assertThat(reply.header("Content-Type")).isEqualTo("application/problem+json");
    assertThat(reply.json().getString("detail"))
        .contains("replistream_token", "replistream.cors.allow-origins");
    assertThat(reply.headers("WWW-Authenticate")).isEmpty();
    assertThat(reply.headers("Access-Control-Allow-Credentials")).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("posts")
  void aPageOfTheSameOriginMayPost(HttpRequest request) {
    for (ServiceClient client : List.of(open, listed)) {
      HttpReply reply = client.send(withCookie(request).with("Origin", SELF));

      assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
      assertThat(reply.header("Cache-Control")).isEqualTo("no-store");
      assertThat(reply.headers("Access-Control-Allow-Credentials")).isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("posts")
  void aPageOfAListedOriginMayPostAndReadTheAnswer(HttpRequest request) {
    HttpReply reply =
        listed.send(withCookie(request).with("Origin", APP).with("Sec-Fetch-Site", "cross-site"));

    assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
    assertThat(reply.header("Access-Control-Allow-Origin")).isEqualTo(APP);
    assertThat(reply.header("Access-Control-Allow-Credentials")).isEqualTo("true");
  }

  @ParameterizedTest
  @MethodSource("posts")
  void aPageOfAForeignOriginMayNotPost(HttpRequest request) {
    for (ServiceClient client : List.of(open, listed)) {
      for (String site : List.of("cross-site", "same-site", "same-origin")) {
        assertRefused(
            client.send(withCookie(request).with("Origin", EVIL).with("Sec-Fetch-Site", site)));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "null",
        "*",
        "",
        "localhost",
        "http://localhost:8000",
        "http://localhost.evil.example",
        "http://evil.example/localhost",
        "http://localhost/",
        "http://user@localhost",
        "ftp://localhost",
        "http://LOCALHOST",
        "https://app.example.com.evil.example",
        "https://app.example.com:8443",
        "http://app.example.com",
      })
  void whatOnlyLooksLikeAnAllowedOriginIsNone(String origin) {
    for (ServiceClient client : List.of(open, listed)) {
      assertRefused(client.send(poke().with("Origin", origin)));
      assertRefused(client.send(stats().with("Origin", origin)));
    }
  }

  @Test
  void aListThatNamesEverybodyNamesNobodyForACookie() {
    assertRefused(open.send(poke().with("Origin", APP)));
    try (TestService both = TestService.start("CORS_ALLOW_ORIGINS", "*," + APP)) {
      assertRefused(both.client().send(poke().with("Origin", APP)));
    }
  }

  @Test
  void aPostWithoutAnOriginMayComeFromAnywhere() {
    for (ServiceClient client : List.of(open, listed)) {
      assertRefused(client.send(poke()));
      assertRefused(client.send(poke().with("Sec-Fetch-Site", "same-origin")));
    }
  }

  @Test
  void aPageOfTheSameOriginMayGetWithoutAnOrigin() {
    for (ServiceClient client : List.of(open, listed)) {
      HttpReply reply = client.send(stats().with("Sec-Fetch-Site", "same-origin"));

      assertThat(reply.status()).isEqualTo(200);
      assertThat(reply.json().getString("userId")).isEqualTo("alice");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"same-site", "cross-site", "none", "", "Same-Origin"})
  void aGetWithoutAnOriginFromAnywhereElseIsRefused(String site) {
    assertRefused(open.send(stats()));
    assertRefused(open.send(stats().with("Sec-Fetch-Site", site)));
    assertRefused(listed.send(stats().with("Sec-Fetch-Site", site)));
  }

  /// Such as a page over http beside this one over https, where a proxy ends TLS.
  @ParameterizedTest
  @ValueSource(strings = {"same-site", "cross-site"})
  void whereTheBrowserSaysThatTheSiteIsAnotherTheSameHostIsNotEnough(String site) {
    assertRefused(open.send(poke().with("Origin", SELF).with("Sec-Fetch-Site", site)));
  }

  @ParameterizedTest
  @CsvSource({"/stream, Origin, http://localhost", "/events, Sec-Fetch-Site, same-origin"})
  void aCookieOpensAStream(String route, String header, String value) {
    HttpRequest request = withCookie(HttpRequest.api("GET", route)).with(header, value);

    try (StreamClient stream = open.open(request)) {
      stream.expect("connected");
      open.poke("alice");
      stream.expect("sync");
    }
  }

  @Test
  void aForeignPageOpensNoStream() {
    assertRefused(open.send(withCookie(HttpRequest.api("GET", "/stream")).with("Origin", EVIL)));
    assertRefused(open.send(withCookie(HttpRequest.api("GET", "/stream"))));
  }

  /// The Replicache client sends an empty one when it is given no `auth`.
  @ParameterizedTest
  @ValueSource(strings = {"", "Bearer", "Basic YWxpY2U6YWxpY2U="})
  void aHeaderWithoutATokenLeavesItToTheCookie(String authorization) {
    HttpReply reply = open.send(poke().with("Origin", SELF).with("Authorization", authorization));

    assertThat(reply.json().getString("userId")).isEqualTo("alice");
  }

  @Test
  void aTokenInTheHeaderCountsBeforeTheCookieWhereverItComesFrom() {
    HttpReply reply = open.send(poke().with("Origin", EVIL).by(open.token("bob")));

    assertThat(reply.json().getString("userId")).isEqualTo("bob");
    assertThat(open.send(poke().with("Origin", SELF).by("garbage")).status()).isEqualTo(401);
  }

  @Test
  void aTicketCountsBeforeTheCookie() {
    HttpRequest request = HttpRequest.api("GET", "/stream?ticket=" + open.ticket("carol"));

    try (StreamClient stream = open.open(withCookie(request).with("Origin", EVIL))) {
      stream.expect("connected");
      assertThat(open.connections("carol")).isEqualTo(1);
    }
    assertThat(open.send(withCookie(request).with("Origin", SELF)).status()).isEqualTo(401);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "replistream_token=T",
        "a=1; replistream_token=T",
        "replistream_token=T; b=2",
        "a=1;replistream_token=T;b=2",
        "replistream_token=; replistream_token=T",
        "xreplistream_token=x; replistream_token=T",
      })
  void theCookieIsFoundAmongOthers(String cookies) {
    HttpReply reply = open.send(withCookies(cookies));

    assertThat(reply.status()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"a=1", "", "replistream_token=", "xreplistream_token=T", "Replistream_Token=T"})
  void withoutTheCookieThereIsNoCaller(String cookies) {
    HttpReply reply = open.send(withCookies(cookies));

    Problems.detail(reply, 401);
    assertThat(reply.header("WWW-Authenticate")).isEqualTo("Bearer");
  }

  private HttpRequest withCookies(String cookies) {
    return HttpRequest.api("POST", "/poke-user")
        .with("Origin", SELF)
        .with("Cookie", cookies.replace("=T", "=" + open.token("alice")));
  }

  @Test
  void ofTwoCookiesNeitherCounts() {
    String mine = "replistream_token=" + open.token("alice");
    String planted = "replistream_token=" + open.token("mallory");
    HttpRequest request = HttpRequest.api("POST", "/poke-user").with("Origin", SELF);

    Problems.detail(open.send(request.with("Cookie", mine + "; " + planted)), 401);
    Problems.detail(open.send(request.with("Cookie", mine).with("Cookie", planted)), 401);
  }

  @Test
  void aBadCookieIsToldWhatIsWrongWithItsToken() {
    HttpRequest request = HttpRequest.api("POST", "/poke-user").with("Origin", SELF);
    String expired = open.token("alice", Duration.ofHours(1)).replaceFirst("\\.[^.]*$", ".AAAA");

    assertThat(
            open.send(request.with("Cookie", "replistream_token=garbage"))
                .header("WWW-Authenticate"))
        .startsWith("Bearer error=\"invalid_token\"");
    assertThat(
            open.send(request.with("Cookie", "replistream_token=" + expired))
                .header("WWW-Authenticate"))
        .contains("signature");
  }

  @Test
  void refusedCookiesAreCounted() {
    String name = "replistream_token_failures_total{reason=\"cookie-origin\"}";
    double before = open.metrics().getOrDefault(name, -1.0);

    open.send(poke().with("Origin", EVIL));

    assertThat(open.metrics().get(name)).isEqualTo(before + 1);
  }
}
