package dev.replistream.auth;

import static dev.replistream.auth.Refusals.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.SettableClock;
import dev.replistream.auth.TokenRefusedException.Reason;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Keys that change at a URL while tokens are verified.
final class JwksRotationTest {
  private static final Duration REFRESH = Duration.ofMinutes(15);
  private static final Duration COOL_DOWN = Duration.ofSeconds(30);

  private final SettableClock clock = new SettableClock();
  private final SigningKey old = SigningKey.ec("old", "ES256", "P-256");
  private final SigningKey next = SigningKey.ec("next", "ES256", "P-256");
  private JwksServer server;
  private TokenVerifier verifier;

  @BeforeEach
  void start() throws IOException {
    server = new JwksServer(SigningKey.jwkSet(old));
    verifier = verifier(Keys.jwksUrl(server.url(), REFRESH, COOL_DOWN, clock));
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void aNewKeyIsFoundByItsIdAndAnOldOneForgotten() {
    String oldToken = old.token(claims());
    assertAccepted(oldToken);
    server.publish(SigningKey.jwkSet(next));

    clock.advance(COOL_DOWN.minusMillis(1));
    assertRefused(verifier, next.token(claims()), Reason.UNKNOWN_KEY);
    assertAccepted(oldToken);
    assertThat(server.requests()).isOne();

    clock.advance(Duration.ofMillis(1));
    assertAccepted(next.token(claims()));
    assertThat(server.requests()).isEqualTo(2);
    assertRefused(verifier, oldToken, Reason.UNKNOWN_KEY);
  }

  @Test
  void aRotationEmptiesTheMemoryEvenWhenTheKeyStays() {
    String token = old.token(claims());
    Caller caller = verifier.verify(token);
    assertThat(verifier.verify(token)).isSameAs(caller);
    server.publish(SigningKey.jwkSet(old, next));
    clock.advance(COOL_DOWN);
    assertAccepted(next.token(claims()));

    assertThat(verifier.verify(token)).isEqualTo(caller).isNotSameAs(caller);
  }

  @Test
  void aRefreshThatBringsTheSameSetKeepsTheMemory() {
    String token = old.token(claims());
    Caller caller = verifier.verify(token);
    clock.advance(COOL_DOWN);
    assertRefused(verifier, next.token(claims()), Reason.UNKNOWN_KEY);

    assertThat(server.requests()).isEqualTo(2);
    assertThat(verifier.verify(token)).isSameAs(caller);
  }

  @Test
  void aKeyWithoutIdIsReplacedToo() {
    server.publish(SigningKey.jwkSet(List.of(old.jwk().without("kid"))));
    clock.advance(COOL_DOWN);
    verifier = verifier(Keys.jwksUrl(server.url(), REFRESH, COOL_DOWN, clock));
    assertAccepted(old.tokenWithoutId(claims()));

    server.publish(SigningKey.jwkSet(List.of(next.jwk().without("kid"))));
    assertRefused(verifier, next.tokenWithoutId(claims()), Reason.SIGNATURE);
    clock.advance(COOL_DOWN);
    assertAccepted(next.tokenWithoutId(claims()));
  }

  @Test
  void anOldSetIsReadAnewByTheNextTokenThatNeedsAKey() {
    String token = old.token(claims());
    assertAccepted(token);
    server.publish(SigningKey.jwkSet(next));

    clock.advance(Duration.ofMinutes(15));
    assertAccepted(token); // remembered, so no key is needed
    assertThat(server.requests()).isOne();

    assertRefused(verifier, old.token(claims().with("sub", "\"bob\"")), Reason.UNKNOWN_KEY);
    assertThat(server.requests()).isEqualTo(2);
    assertRefused(verifier, token, Reason.UNKNOWN_KEY);
  }

  @Test
  void aWithdrawnKeyIsGoneWithinTheRefreshIntervalWhoeverAsks() {
    try (Keys keys = Keys.jwksUrl(server.url(), Duration.ofMillis(30), COOL_DOWN, clock)) {
      verifier = verifier(keys);
      String token = old.token(claims());
      assertAccepted(token);
      keys.watch();
      server.publish(SigningKey.jwkSet(next));

      int before = server.requests();
      Deadline.await(() -> server.requests() >= before + 2);
      assertRefused(verifier, token, Reason.UNKNOWN_KEY);
      assertAccepted(next.token(claims()));
    }
  }

  @Test
  void whileTheUrlFailsTheLastGoodSetStays() {
    try (Keys keys = Keys.jwksUrl(server.url(), Duration.ofMillis(30), COOL_DOWN, clock)) {
      verifier = verifier(keys);
      String token = old.token(claims());
      assertAccepted(token);
      keys.watch();
      server.fail(500);

      int before = server.requests();
      Deadline.await(() -> server.requests() >= before + 3);
      assertAccepted(token);
      assertAccepted(old.token(claims().with("n", 1)));
    }
  }

  @Test
  void nothingIsReadAfterTheEnd() {
    Keys keys = Keys.jwksUrl(server.url(), Duration.ofMillis(10), COOL_DOWN, clock);
    keys.watch();
    Deadline.await(() -> server.requests() >= 5);
    keys.close();
    keys.close();

    assertThat(keys.latest().size()).isOne();
  }

  @Test
  void madeUpKeyIdsAreAtMostOneRequestInACoolDown() throws Exception {
    assertAccepted(old.token(claims()));

    flood("a");
    assertThat(server.requests()).isOne();
    clock.advance(COOL_DOWN);
    flood("b");
    assertThat(server.requests()).isEqualTo(2);
    server.fail(500);
    clock.advance(COOL_DOWN);
    flood("c");
    assertThat(server.requests()).isEqualTo(3);
  }

  @Test
  void whoeverNeedsTheKeysWhileTheyAreReadWaitsForThem() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    assertAccepted(old.token(claims().with("n", 1)));
    server.hang(release, SigningKey.jwkSet(old, next));
    clock.advance(COOL_DOWN);
    int threads = 8;
    AtomicInteger accepted = new AtomicInteger();
    List<Thread> waiting = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      String token = next.token(claims().with("n", i));
      waiting.add(
          Thread.ofPlatform()
              .start(() -> {
                verifier.verify(token);
                accepted.incrementAndGet();
              }));
    }

    Deadline.await(
        () -> waiting.stream().allMatch(t -> t.getState() == Thread.State.TIMED_WAITING));
    assertAccepted(old.token(claims().with("n", 2))); // a known key waits for nobody
    release.countDown();
    for (Thread thread : waiting) {
      thread.join(Duration.ofSeconds(10));
    }

    assertThat(accepted).hasValue(threads);
    assertThat(server.requests()).isEqualTo(2);
  }

  private void flood(String prefix) throws Exception {
    try (ExecutorService executor = Executors.newFixedThreadPool(8)) {
      List<Future<?>> futures = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        String id = '"' + prefix + i + '"';
        String token = next.token(next.header().with("kid", id), claims().json());
        futures.add(executor.submit(() -> assertRefused(verifier, token, Reason.UNKNOWN_KEY)));
      }
      for (Future<?> future : futures) {
        future.get(10, TimeUnit.SECONDS);
      }
    }
  }

  private TokenVerifier verifier(Keys keys) {
    return new TokenVerifier(keys, Issuer.SETTINGS, clock, _ -> false);
  }

  private Claims claims() {
    return Claims.ofAlice(clock);
  }

  private void assertAccepted(String token) {
    assertThat(verifier.verify(token).userId()).isEqualTo("alice");
  }
}
