package dev.replistream.http;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/// A token bucket for each key: how much may be taken in a second, and ten seconds' worth of it at
/// once. In place of the tokens each bucket keeps until when what was taken is paid for, which
/// takes one number and one exchange of it (the virtual scheduling algorithm of ITU-T I.371, annex
/// A).
///
/// Thread-safe, without a lock. It keeps the 20,000 buckets that are used most; a bucket that was
/// let go of is full again.
public final class TokenBuckets {
  private static final int MAX_BUCKETS = 20_000;
  private static final long BURST_NANOS = Duration.ofSeconds(10).toNanos();

  private final long nanosEach;
  private final Cache<Object, AtomicLong> paidUntil =
      Caffeine.newBuilder()
          .maximumSize(MAX_BUCKETS)
          .executor(Runnable::run) // its upkeep is short, and needs no threads beside
          .build();

  /// @param perSecond how much may be taken in a second, up to a million; 0 for any amount
  public TokenBuckets(int perSecond) {
    this.nanosEach = perSecond == 0 ? 0 : Duration.ofSeconds(1).toNanos() / perSecond;
  }

  /// Takes one.
  ///
  /// @return 0, or how many nanoseconds it takes until there is one
  public long take(Object key) {
    if (nanosEach == 0) {
      return 0;
    }
    AtomicLong bucket = bucket(key);
    while (true) {
      long now = System.nanoTime();
      long paid = bucket.get();
      long next = later(paid, now) + nanosEach;
      if (next - now > BURST_NANOS) {
        return next - now - BURST_NANOS;
      }
      if (bucket.compareAndSet(paid, next)) {
        return 0;
      }
    }
  }

  /// How many nanoseconds it takes until there is one; 0 when there is.
  public long untilNext(Object key) {
    AtomicLong bucket = nanosEach == 0 ? null : paidUntil.getIfPresent(key);
    return bucket == null
        ? 0
        : Math.max(0, bucket.get() + nanosEach - System.nanoTime() - BURST_NANOS);
  }

  /// Takes what was used already, also where there is less: the rest is owed, up to ten seconds'
  /// worth.
  public void spend(Object key, int count) {
    if (nanosEach != 0 && count > 0) {
      long now = System.nanoTime();
      bucket(key)
          .updateAndGet(
              paid -> now + Math.min(later(paid, now) - now + count * nanosEach, 2 * BURST_NANOS));
    }
  }

  private AtomicLong bucket(Object key) {
    return paidUntil.get(key, _ -> new AtomicLong(System.nanoTime()));
  }

  private static long later(long a, long b) {
    return a - b > 0 ? a : b;
  }
}
