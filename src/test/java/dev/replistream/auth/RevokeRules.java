package dev.replistream.auth;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Application;
import dev.replistream.AtOnce;
import dev.replistream.Eventually;
import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.SettableClock;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.WebSocketClient;
import io.helidon.http.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.util.introspection.PropertyOrFieldSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What becomes of tokens that are revoked, over raw HTTP, on a clock that stands still. Each test
/// has users of its own.
abstract class RevokeRules {
  private static final Duration SOON = Duration.ofSeconds(1);
  private static final AtomicInteger TESTS = new AtomicInteger();

  private final SettableClock clock;
  private final Application application;
  private final ServiceClient client;
  private final String alice = "alice" + TESTS.incrementAndGet();
  private final String bob = "bob" + TESTS.get();
  private final String sid = "sid" + TESTS.get();

  RevokeRules(SettableClock clock, Application application, ServiceClient client) {
    this.clock = clock;
    this.application = application;
    this.client = client;
  }

  /// Starts another service on the same data, as after a restart.
  abstract TestService startAgain();

  private HttpReply revoke(String token, String body) {
    return client.send(HttpRequest.api("POST", "/revoke").by(token).with(body));
  }

  private String backend() {
    return client.token("a-backend", Caller.REVOKE_SCOPE);
  }

  private HttpReply revokeSid() {
    HttpReply reply = revoke(backend(), "{\"sid\":\"" + sid + "\"}");
    assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
    return reply;
  }

  private HttpReply revokeAlice() {
    HttpReply reply = revoke(backend(), "{\"userId\":\"" + alice + "\"}");
    assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
    return reply;
  }

  private StreamClient stream(HttpRequest request) {
    StreamClient stream = client.open(request);
    stream.expect("connected");
    return stream;
  }

  private StreamClient streamBy(String token) {
    return stream(HttpRequest.api("GET", "/stream").by(token));
  }

  private String ticket(String token) {
    return client.send(HttpRequest.api("POST", "/ticket").by(token)).json().getString("ticket");
  }

  private void requireRevoked(HttpReply reply) {
    requireRevoked("a request", reply);
  }

  private static void requireRevoked(String what, HttpReply reply) {
    assertThat(reply.status()).as(what + reply).isEqualTo(401);
    assertThat(Problems.detail(reply, 401)).as(what).contains("revoked");
    assertThat(reply.header("WWW-Authenticate")).startsWith("Bearer error=\"invalid_token\"");
  }

  private HttpReply stats(String token) {
    return client.send(HttpRequest.api("GET", "/stats").by(token));
  }

  private void requireGood(String token) {
    HttpReply reply = stats(token);
    assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
  }

  private double metric(String name) {
    return client.metrics().getOrDefault(name, -1.0);
  }

  @Test
  void theStreamsOfASidEndAtOnceHoweverTheyWereOpenedAndNoOthers() {
    String token = client.tokenWithSid(alice, sid);
    double before = metric("replistream_connections_closed_total{reason=\"revoked\"}");
    HttpRequest byCookie =
        HttpRequest.api("GET", "/stream")
            .with("Cookie", "replistream_token=" + token)
            .with("Origin", "http://localhost");
    try (StreamClient byHeader = streamBy(token);
        StreamClient byTicket = stream(HttpRequest.api("GET", "/stream?ticket=" + ticket(token)));
        StreamClient cookie = stream(byCookie);
        StreamClient ofAnotherUser = streamBy(client.tokenWithSid(bob, sid));
        StreamClient ofAnotherSid = streamBy(client.tokenWithSid(alice, sid + "x"));
        StreamClient ofNone = streamBy(client.token(alice))) {

      HttpReply reply = revokeSid();

      assertThat(reply.body())
          .isEqualTo(
              "{\"success\":true,\"sid\":\"%s\",\"connectionsEnded\":4,\"timestamp\":\"%s\"}"
                  .formatted(sid, clock.instant().toString().replaceAll("(:\\d\\d)Z", "$1.000Z")));
      for (StreamClient ended : List.of(byHeader, byTicket, cookie, ofAnotherUser)) {
        assertThat(ended.untilEnd(SOON)).isEmpty();
      }
      Eventually.holdsWithin(
          SOON,
          "counted",
          () -> metric("replistream_connections_closed_total{reason=\"revoked\"}") == before + 4);
      Eventually.holdsWithin(SOON, "gone", () -> client.connections(alice) == 2);
      assertThat(client.poke(alice)).isEqualTo(2);
      ofAnotherSid.expect("sync");
      ofNone.expect("sync");
    }
  }

  @Test
  void aRevokedTokenIsRefusedByEveryRoute() {
    String token = client.tokenWithSid(alice, sid, Caller.POKE_SCOPE, Caller.REVOKE_SCOPE);
    requireGood(token);
    double before = metric("replistream_token_failures_total{reason=\"revoked\"}");
    revokeSid();

    int count = 0;
    for (Map.Entry<?, ?> path : routes().entrySet()) {
      for (Object method : ((Map<?, ?>) path.getValue()).keySet()) {
        String target = path.getKey().toString().replaceAll("\\{\\w+}", "x");
        if (target.startsWith(Application.API)) {
          String name = ((Method) method).text();
          HttpRequest request =
              target.endsWith("/ws")
                  ? WebSocketClient.handshake("")
                  : HttpRequest.of(name, target).with("{}");
          requireRevoked(name + " " + target, client.send(request.by(token)));
          count++;
        }
      }
    }
    assertThat(count).isGreaterThanOrEqualTo(17);
    assertThat(metric("replistream_token_failures_total{reason=\"revoked\"}"))
        .isEqualTo(before + count);
    HttpReply byCookie =
        client.send(
            HttpRequest.api("GET", "/stats")
                .with("Cookie", "replistream_token=" + token)
                .with("Origin", "http://localhost"));
    requireRevoked(byCookie);
  }

  private Map<?, ?> routes() {
    return (Map<?, ?>) PropertyOrFieldSupport.EXTRACTION.getValueOf("routes.paths", application);
  }

  @Test
  void aTicketOfARevokedTokenIsWorthless() {
    String ofSid = ticket(client.tokenWithSid(alice, sid));
    String ofUser = ticket(client.token(bob));

    revokeSid();
    revoke(backend(), "{\"userId\":\"" + bob + "\"}");

    for (String ticket : List.of(ofSid, ofUser)) {
      requireRevoked(client.send(HttpRequest.api("GET", "/stream?ticket=" + ticket)));
    }
    assertThat(client.stats("x").getInt("totalConnections")).isZero();
  }

  @Test
  void ofAUserTheTokensUpToThisSecondAreRevokedAndNewerOnesWork() {
    String old = client.token(alice);
    String withSid = client.tokenWithSid(alice, sid);
    try (StreamClient one = streamBy(old);
        StreamClient two = streamBy(withSid);
        StreamClient other = streamBy(client.token(bob))) {
      clock.advance(Duration.ofMillis(900));
      String sameSecond = client.token(alice);

      HttpReply reply = revokeAlice();

      assertThat(reply.json().getString("userId")).isEqualTo(alice);
      assertThat(reply.json().getInt("connectionsEnded")).isEqualTo(2);
      assertThat(one.untilEnd(SOON)).isEmpty();
      assertThat(two.untilEnd(SOON)).isEmpty();
      for (String token : List.of(old, withSid, sameSecond)) {
        requireRevoked(stats(token));
      }
      clock.advance(Duration.ofMillis(100));
      String newer = client.token(alice);
      requireGood(newer);
      requireRevoked(stats(old));
      try (StreamClient again = streamBy(newer)) {
        client.send(HttpRequest.api("POST", "/poke-user").by(newer));
        again.expect("sync");
      }
      client.poke(bob);
      other.expect("sync");
    }
  }

  @Test
  void aUserIsRevokedAgainWithWhatCameSince() {
    revokeAlice();
    clock.advance(Duration.ofSeconds(1));
    String second = client.token(alice);
    requireGood(second);

    revokeAlice();

    requireRevoked(stats(second));
    clock.advance(Duration.ofSeconds(1));
    requireGood(client.token(alice));
  }

  @Test
  void aTokenWithoutIatIsRefusedUntilTheRecordLapses() {
    SigningKey key = SigningKey.secret(TestService.SECRET);
    Claims claims =
        new Claims(Map.of()).with("sub", '"' + alice + '"').with("exp", clock.epochSecond() + 3600);
    String token = key.tokenWithoutId(claims);
    requireGood(token);
    clock.advance(Duration.ofSeconds(1));

    revokeAlice();

    requireRevoked(stats(token));
    clock.advance(Duration.ofHours(1).plusMinutes(2));
    Problems.detail(stats(token), 401); // has expired
    String later = key.tokenWithoutId(claims.with("exp", clock.epochSecond() + 600));
    requireRevoked(stats(later));
    clock.advance(Duration.ofDays(30));
    requireGood(key.tokenWithoutId(claims.with("exp", clock.epochSecond() + 600)));
  }

  @Test
  void onlyTheScopeLetsRevokeNotEvenOneself() {
    String own = client.tokenWithSid(alice, sid, Caller.POKE_SCOPE, "replicache", "revoke");
    for (String body :
        List.of(
            "{\"sid\":\"" + sid + "\"}",
            "{\"userId\":\"" + alice + "\"}",
            "{\"userId\":\"" + bob + "\"}")) {
      assertThat(Problems.detail(revoke(own, body), 403)).contains("replicache:revoke");
    }
    Problems.detail(
        client.send(HttpRequest.api("POST", "/revoke").with("{\"sid\":\"" + sid + "\"}")), 401);
    requireGood(own);
    requireGood(client.token(bob));
  }

  @Test
  void aForgedScopeRevokesNothing() {
    String good = client.tokenWithSid(alice, sid);
    SigningKey another = SigningKey.secret("another secret that has 32 bytes or more");
    Claims claims =
        new Claims(Map.of())
            .with("sub", '"' + alice + '"')
            .with("iat", clock.epochSecond())
            .with("exp", clock.epochSecond() + 600)
            .with("scope", "\"replicache:revoke\"");
    String[] parts = good.split("\\.", -1);
    String changed = parts[0] + '.' + SigningKey.base64Url(claims.json()) + '.' + parts[2];

    for (String forged : List.of(another.tokenWithoutId(claims), changed)) {
      Problems.detail(revoke(forged, "{\"sid\":\"" + sid + "\"}"), 401);
    }
    requireGood(good);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{}",
        "[]",
        "null",
        "nonsense",
        "{\"sid\":null}",
        "{\"sid\":5}",
        "{\"sid\":\"\"}",
        "{\"sid\":\"a\\u0000b\"}",
        "{\"userId\":[\"a\"]}",
        "{\"userId\":\"\\ud800\"}",
        "{\"userIds\":[\"a\"]}",
        "{\"sid\":\"a\",\"userId\":\"b\"}",
        "{\"sid\":\"a\",\"sid\":\"b\"}",
        "{\"userId\":\"LONG\"}",
      })
  void aBodyThatNamesNobodyRevokesNobody(String body) {
    Problems.detail(revoke(backend(), body.replace("LONG", "x".repeat(129))), 400);
  }

  @Test
  void aBodyThatIsTooLargeIsRefused() {
    Problems.detail(revoke(backend(), "{\"sid\":\"" + "x".repeat(70_000) + "\"}"), 413);
  }

  @Test
  void aPokeThatIsKnownByItsHeadIsRefusedOnceItsTokenIsRevoked() {
    byte[] poke =
        HttpRequest.api("POST", "/poke-user").by(client.tokenWithSid(alice, sid)).toBytes();
    try (HttpConnection connection = client.connect();
        StreamClient stream = streamBy(client.token(alice))) {
      for (int i = 0; i < 40; i++) {
        assertThat(connection.send(poke).reply().status()).isEqualTo(200);
        stream.expect("sync");
      }

      revokeSid();

      requireRevoked(connection.send(poke).reply());
      requireRevoked(connection.send(poke).reply());
      assertThat(client.poke(alice)).isEqualTo(1);
      stream.expect("sync");
    }
  }

  @Test
  void aRevocationIsThereAfterARestart() {
    String ofSid = client.tokenWithSid(alice, sid);
    String ofUser = client.token(bob);
    revokeSid();
    revoke(backend(), "{\"userId\":\"" + bob + "\"}");

    try (TestService again = startAgain()) {
      for (String token : List.of(ofSid, ofUser)) {
        requireRevoked(again.client().send(HttpRequest.api("GET", "/stats").by(token)));
      }
      clock.advance(Duration.ofSeconds(1));
      assertThat(again.client().connections(bob)).isZero();
    }
  }

  @Test
  void noStreamThatIsOpenedMeanwhileOutlivesTheRevocation() throws Exception {
    for (int round = 0; round < 10; round++) {
      String user = alice + "-" + round;
      String token = client.tokenWithSid(user, sid + "-" + round);
      List<StreamClient> opened = new ArrayList<>();
      String body = "{\"sid\":\"" + sid + "-" + round + "\"}";
      try {
        AtOnce.send(
            9,
            index -> {
              if (index == 4) {
                return revoke(backend(), body);
              }
              StreamClient stream = client.open(HttpRequest.api("GET", "/stream").by(token));
              synchronized (opened) {
                opened.add(stream);
              }
              return new HttpReply(stream.head(), List.of(), "");
            });
        clock.advance(Duration.ofSeconds(1));
        Eventually.holdsWithin(SOON, "all ended", () -> client.connections(user) == 0);
      } finally {
        opened.forEach(StreamClient::close);
      }
    }
  }

  @Test
  void aTokenThatLivesLongerThanARevocationIsRefused() {
    SigningKey key = SigningKey.secret(TestService.SECRET);
    long now = clock.epochSecond();
    long life = Duration.ofDays(30).toSeconds();
    Claims claims = new Claims(Map.of()).with("sub", '"' + alice + '"');

    requireGood(key.tokenWithoutId(claims.with("iat", now).with("exp", now + life)));
    requireGood(key.tokenWithoutId(claims.with("exp", now + life)));
    for (Claims tooLong :
        List.of(
            claims.with("iat", now).with("exp", now + life + 2),
            claims.with("iat", now - life).with("exp", now + 2),
            claims.with("iat", 0).with("exp", now + 60),
            claims.with("exp", now + life + 2))) {
      assertThat(Problems.detail(stats(key.tokenWithoutId(tooLong)), 401))
          .contains("replistream.auth.revocation-life");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"7", "null", "\"\"", "[\"a\"]", "\"a\\u0000\""})
  void aSidThatCanNotBeRevokedIsRefused(String json) {
    Claims claims =
        new Claims(Map.of())
            .with("sub", '"' + alice + '"')
            .with("exp", clock.epochSecond() + 60)
            .with("sid", json);

    String token = SigningKey.secret(TestService.SECRET).tokenWithoutId(claims);

    assertThat(Problems.detail(stats(token), 401)).contains("sid");
  }
}
