package dev.replistream;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Waits for what happens on another thread. It looks often at first, then less and less often, and
/// so finds it a tenth late at the most, and uses little of a machine that others need.
public final class Eventually {
  private static final long SHORTEST_PAUSE_NANOS = TimeUnit.MICROSECONDS.toNanos(50);
  private static final long LONGEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private Eventually() {}

  /// Waits until `condition` holds, as long as a busy machine may need.
  public static void holds(String what, Callable<Boolean> condition) {
    holdsWithin(HttpConnection.PATIENCE, what, condition);
  }

  /// Waits until `condition` holds.
  ///
  /// @throws AssertionError when it does not within `timeout`
  public static void holdsWithin(Duration timeout, String what, Callable<Boolean> condition) {
    long start = System.nanoTime();
    try {
      while (!condition.call()) {
        long passed = System.nanoTime() - start;
        if (passed > timeout.toNanos()) {
          throw new AssertionError("not within " + timeout + ": " + what);
        }
        LockSupport.parkNanos(Math.clamp(passed / 10, SHORTEST_PAUSE_NANOS, LONGEST_PAUSE_NANOS));
      }
    } catch (Exception e) {
      throw new AssertionError(what, e);
    }
  }
}
