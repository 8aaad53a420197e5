package dev.replistream;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Waits for what happens on another thread.
public final class Eventually {
  private static final long LONGEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  private Eventually() {}

  /// Waits until `condition` holds, as long as a busy machine may need.
  public static void holds(String what, Callable<Boolean> condition) {
    holdsWithin(HttpConnection.PATIENCE, what, condition);
  }

  /// Waits until `condition` holds.
  ///
  /// @throws AssertionError when it does not within `timeout`
  public static void holdsWithin(Duration timeout, String what, Callable<Boolean> condition) {
    long deadline = System.nanoTime() + timeout.toNanos();
    long pauseNanos = 50_000;
    try {
      while (!condition.call()) {
        if (System.nanoTime() - deadline > 0) {
          throw new AssertionError("not within " + timeout + ": " + what);
        }
        LockSupport.parkNanos(pauseNanos);
        pauseNanos = Math.min(pauseNanos * 2, LONGEST_PAUSE_NANOS);
      }
    } catch (Exception e) {
      throw new AssertionError(what, e);
    }
  }
}
