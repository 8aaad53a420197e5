package dev.replistream.auth;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.LogCapture;
import dev.replistream.Problems;
import dev.replistream.SettableClock;
import dev.replistream.TestService;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A flood of forged tokens, each of which takes milliseconds to verify, against honest people at
/// the same address and behind the same proxy. Each test has addresses of its own.
class StrangerTokensTest {
  private static final SigningKey KEY = SigningKey.ec("key", "ES512", "P-521");
  private static final SigningKey OTHER = SigningKey.ec("key", "ES512", "P-521");
  private static final SettableClock CLOCK = new SettableClock();
  private static final int BURST = 100;

  @TempDir private static Path dir;
  private static TestService service;

  @BeforeAll
  static void start() throws IOException {
    service = started();
  }

  private static TestService started() throws IOException {
    Path set = Files.writeString(dir.resolve("jwks.json"), SigningKey.jwkSet(KEY));
    return TestService.start(
        CLOCK, "AUTH_JWKS", set.toString(), "HTTP_TRUSTED_PROXIES", "127.0.0.0/8");
  }

  @AfterAll
  static void close() {
    service.close();
  }

  private static Claims claims(String userId) {
    return Claims.ofAlice(CLOCK).without("iss").without("aud").with("sub", '"' + userId + '"');
  }

  private static HttpRequest stats(String address, String token) {
    return HttpRequest.api("GET", "/stats").by(token).with("X-Forwarded-For", address);
  }

  private static HttpReply honest(String address, String userId) {
    return service.client().send(stats(address, KEY.token(claims(userId))));
  }

  /// Sends forged tokens over one connection.
  private static List<HttpReply> flood(String address, int count, IntFunction<String> userId) {
    return flood(service, address, count, userId);
  }

  private static List<HttpReply> flood(
      TestService target, String address, int count, IntFunction<String> userId) {
    List<HttpReply> replies = new ArrayList<>();
    try (HttpConnection connection = target.client().connect()) {
      for (int i = 0; i < count; i++) {
        String token = OTHER.token(claims(userId.apply(i)).with("n", i));
        replies.add(connection.send(stats(address, token).toBytes()).reply());
      }
    }
    return replies;
  }

  private static long count(List<HttpReply> replies, int status) {
    return replies.stream().filter(reply -> reply.status() == status).count();
  }

  @Test
  void afterATenthOfTheAddressForgedTokensForOneUserAreNotLookedAtAnyMore() {
    List<HttpReply> replies = flood("203.0.113.1", 200, _ -> "mallory");

    assertThat(replies.subList(0, 10)).allMatch(reply -> reply.status() == 401);
    assertThat(count(replies, 401)).isLessThan(30);
    HttpReply refused =
        replies.stream().filter(reply -> reply.status() == 429).findFirst().orElseThrow();
    assertThat(Problems.detail(refused, 429)).contains("address");
    assertThat(Integer.parseInt(Objects.requireNonNull(refused.header("Retry-After"))))
        .isBetween(1, 11);
    assertThat(honest("203.0.113.1", "bob").status()).as("another user there").isEqualTo(200);
  }

  @Test
  void whoIsKnownComesInBesideAFloodWithAFreshToken() {
    assertThat(honest("203.0.113.2", "known").status()).isEqualTo(200);
    HttpRequest cached = stats("203.0.113.2", KEY.token(claims("cached")));
    assertThat(service.client().send(cached).status()).isEqualTo(200);

    long begin = System.nanoTime();
    List<HttpReply> replies = flood("203.0.113.2", 400, i -> "made-up-" + i);
    long regained = 10 * (1 + Duration.ofNanos(System.nanoTime() - begin).toSeconds());

    assertThat(replies.subList(300, 400)).anyMatch(reply -> reply.status() == 429);
    assertThat(count(replies, 401)).isBetween((long) BURST, BURST + regained + 20);
    assertThat(service.client().send(cached).status()).isEqualTo(200);
    assertThat(honest("203.0.113.2", "known").status()).isEqualTo(200);
    assertThat(honest("203.0.113.3", "elsewhere").status())
        .as("another client of the proxy")
        .isEqualTo(200);
    Eventually.holds("a newcomer", () -> honest("203.0.113.2", "newcomer").status() == 200);
  }

  @Test
  void goodTokensAreNeverCounted() {
    try (HttpConnection connection = service.client().connect()) {
      for (int i = 0; i < 3 * BURST; i++) {
        HttpRequest request = stats("203.0.113.4", KEY.token(claims("person-" + i)));
        assertThat(connection.send(request.toBytes()).reply().status()).isEqualTo(200);
      }
    }
  }

  @Test
  void whatNeedsNoArithmeticIsRefusedWithTheReasonHoweverOftenItComes() {
    try (HttpConnection connection = service.client().connect()) {
      String expired = OTHER.token(claims("late").with("exp", 1));
      for (int i = 0; i < 3 * BURST; i++) {
        for (String token : List.of("a.b.c", expired)) {
          HttpReply reply = connection.send(stats("203.0.113.5", token).toBytes()).reply();
          assertThat(reply.status()).isEqualTo(401);
        }
      }
    }
    assertThat(honest("203.0.113.5", "somebody").status()).isEqualTo(200);
  }

  @Test
  void anEventSourceByCookieIsToldToComeBackInTheOnlyWayThatItUnderstands() {
    flood("203.0.113.6", 40, _ -> "eve");
    HttpRequest stream =
        HttpRequest.api("GET", "/stream")
            .with("Cookie", "replistream_token=" + OTHER.token(claims("eve")))
            .with("Sec-Fetch-Site", "same-origin")
            .with("X-Forwarded-For", "203.0.113.6");

    HttpReply reply = service.client().send(stream);

    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.header("Content-Type")).isEqualTo("text/event-stream");
    assertThat(reply.body()).matches("retry: \\d+\n\n");
    assertThat(service.client().send(stream.by(OTHER.token(claims("eve")))).status())
        .isEqualTo(429);
  }

  @Test
  void aFloodIsCountedAndAFewLinesOfItAreLogged() throws IOException {
    try (LogCapture log = new LogCapture();
        TestService own = started()) {
      long begin = System.nanoTime();
      List<HttpReply> replies = flood(own, "203.0.113.7", 300, _ -> "trudy");
      long seconds = Duration.ofNanos(System.nanoTime() - begin).toSeconds();

      assertThat(log.lines("token-refused"))
          .hasSizeBetween(2, 2 * (6 + (int) seconds / 5)) // of each of two kinds one in 5 s more
          .allMatch(line -> line.contains(" address=203.0.113.7"))
          .noneMatch(line -> line.contains("trudy") || line.contains("eyJ"));
      assertThat(
              own.client()
                  .metrics()
                  .get("replistream_rate_limited_total{limit=\"refused-tokens\"}"))
          .isGreaterThanOrEqualTo((double) count(replies, 429));
    }
  }
}
