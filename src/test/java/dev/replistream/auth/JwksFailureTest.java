package dev.replistream.auth;

import static dev.replistream.auth.Refusals.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.SettableClock;
import dev.replistream.auth.TokenRefusedException.Reason;
import io.helidon.http.HeaderValues;
import io.helidon.http.Status;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// A URL of keys that is down, slow or answers nonsense.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class JwksFailureTest {
  private static final Duration COOL_DOWN = Duration.ofSeconds(30);
  private static final Duration TIMEOUT = Duration.ofMillis(300);

  private final SettableClock clock = new SettableClock();
  private final SigningKey key = SigningKey.ec("key", "ES256", "P-256");
  private final SigningKey other = SigningKey.ec("other", "ES256", "P-256");
  private JwksServer server;

  @BeforeEach
  void start() throws IOException {
    server = new JwksServer(SigningKey.jwkSet(key));
  }

  @AfterEach
  void stop() {
    server.close();
  }

  Stream<Arguments> failures() {
    String good = SigningKey.jwkSet(other);
    String huge = good.substring(0, good.length() - 1) + " ".repeat(1 << 20) + "}";
    return Stream.of(
        failure("500", s -> s.fail(500)),
        failure("404", s -> s.fail(404)),
        failure("204", s -> s.fail(204)),
        failure("not JSON", s -> s.publish("<html>")),
        failure("cut off", s -> s.publish(good.substring(0, 40))),
        failure("empty", s -> s.publish("")),
        failure("no keys", s -> s.publish("{\"keys\":[]}")),
        failure("larger than 1 MiB", s -> s.publish(huge)),
        failure("no answer", s -> s.hang(new CountDownLatch(1), good)),
        failure("a byte at a time", JwksServer::trickle),
        failure("a redirect to another scheme", s -> s.redirect("https://127.0.0.1:1/jwks", good)),
        failure("a redirect to a file", s -> s.redirect("file:///etc/hostname", good)),
        failure("a redirect to itself", s -> s.redirect("/jwks", good)),
        failure("closed", JwksServer::close));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("failures")
  void theLastGoodSetStaysInUse(String name, Consumer<JwksServer> failure) {
    TokenVerifier verifier = verifier();
    assertAccepted(verifier, "1");
    failure.accept(server);

    clock.advance(Duration.ofMinutes(15));
    assertAccepted(verifier, "2");
    assertRefused(verifier, other.token(claims()), Reason.UNKNOWN_KEY);
    clock.advance(COOL_DOWN);
    assertRefused(verifier, other.token(claims()), Reason.UNKNOWN_KEY);
    assertAccepted(verifier, name);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("failures")
  void beforeTheFirstSetTheAnswerIs503(String name, Consumer<JwksServer> failure)
      throws IOException {
    int port = server.port();
    failure.accept(server);
    TokenVerifier verifier = verifier();

    TokenRefusedException refusal =
        assertRefused(verifier, key.token(claims()), Reason.KEYS_UNAVAILABLE);
    assertThat(refusal.problem().status()).as(name).isEqualTo(Status.SERVICE_UNAVAILABLE_503);
    assertThat(refusal.problem().headers())
        .containsExactly(HeaderValues.create("Retry-After", "30"));

    server.close();
    server = new JwksServer(port, SigningKey.jwkSet(key));
    assertRefused(verifier, key.token(claims()), Reason.KEYS_UNAVAILABLE);
    assertThat(server.requests()).as("requests within the cool-down").isZero();
    clock.advance(COOL_DOWN);
    assertAccepted(verifier, "1");
  }

  @Test
  void aBadTokenIsRefusedWithoutKeys() {
    server.fail(500);
    TokenVerifier verifier = verifier();

    assertRefused(verifier, "garbage", Reason.MALFORMED);
    assertRefused(
        verifier,
        key.token(key.header().with("alg", "\"none\""), claims().json()),
        Reason.ALGORITHM);
  }

  @Test
  void aRedirectWithinTheSchemeIsFollowed() {
    server.redirect("/moved", SigningKey.jwkSet(key));

    assertAccepted(verifier(Duration.ofSeconds(20)), "1");
  }

  @Test
  void theTimeOfAReadIsLimitedAsAWhole() {
    server.trickle();
    TokenVerifier verifier = verifier();
    long start = System.nanoTime();

    assertRefused(verifier, key.token(claims()), Reason.KEYS_UNAVAILABLE);

    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(3));
  }

  private TokenVerifier verifier() {
    return verifier(TIMEOUT);
  }

  /// @param timeout how long a read of the keys may take
  private TokenVerifier verifier(Duration timeout) {
    Keys keys =
        UrlKeys.start(new JwksUrl(server.url(), timeout), Duration.ofMinutes(15), COOL_DOWN, clock);
    return new TokenVerifier(keys, Issuer.SETTINGS, clock, _ -> false);
  }

  private Claims claims() {
    return Claims.ofAlice(clock);
  }

  private void assertAccepted(TokenVerifier verifier, String id) {
    String token = key.token(claims().with("jti", '"' + id + '"'));
    assertThat(verifier.verify(token).userId()).isEqualTo("alice");
  }

  private static Arguments failure(String name, Consumer<JwksServer> failure) {
    return Arguments.of(name, failure);
  }
}
