package dev.replistream.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// Ten seconds' worth at once, and then so many a second, for each key.
class TokenBucketsTest {
  private static int taken(TokenBuckets buckets, String key, int tries) {
    int taken = 0;
    for (int i = 0; i < tries; i++) {
      if (buckets.take(key) == 0) {
        taken++;
      }
    }
    return taken;
  }

  @Test
  void tenSecondsWorthMayBeTakenAtOnce() {
    TokenBuckets buckets = new TokenBuckets(1);

    assertThat(taken(buckets, "alice", 50)).isEqualTo(10);
    assertThat(taken(buckets, "bob", 50)).isEqualTo(10);
  }

  @Test
  void whatIsTakenComesBackAtTheRate() {
    TokenBuckets buckets = new TokenBuckets(20);
    assertThat(taken(buckets, "alice", 200)).isEqualTo(200);

    long start = System.nanoTime();
    long wait = buckets.take("alice");
    assertThat(wait).isBetween(1L, Duration.ofMillis(50).toNanos());
    Eventually.holds("one more", () -> buckets.take("alice") == 0);
    assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(wait - 1_000_000);
  }

  @Test
  void whatIsOwedIsPaidFirst() {
    TokenBuckets buckets = new TokenBuckets(1);
    buckets.spend("alice", 1_000_000);

    assertThat(buckets.take("alice")).isGreaterThan(Duration.ofSeconds(9).toNanos());
    assertThat(buckets.take("alice")).isLessThan(Duration.ofSeconds(12).toNanos());
    assertThat(buckets.untilNext("alice")).isPositive();
    assertThat(buckets.untilNext("bob")).isZero();
  }

  @Test
  void zeroIsNoLimit() {
    TokenBuckets buckets = new TokenBuckets(0);
    buckets.spend("alice", 1_000_000);

    assertThat(taken(buckets, "alice", 100_000)).isEqualTo(100_000);
  }

  @Test
  void threadsTakeNoMoreThanThereIs() {
    TokenBuckets buckets = new TokenBuckets(1);
    AtomicInteger taken = new AtomicInteger();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 1_000; i++) {
        threads.execute(() -> taken.addAndGet(taken(buckets, "alice", 10)));
      }
    }

    assertThat(taken.get()).isBetween(10, 13); // a second or three may pass
  }
}
