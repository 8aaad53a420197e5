package dev.replistream.db;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/// Tells the log when the database goes away and when it is back, and not of each transaction in
/// between. Thread-safe.
final class Availability {
  private static final Logger LOGGER = System.getLogger(Availability.class.getName());
  private static final long PAUSE_NANOS = Duration.ofSeconds(10).toNanos();
  private static final long NEVER = Long.MIN_VALUE;

  /// When it was last warned of a failure since the last success.
  private final AtomicLong warnedNanos = new AtomicLong(NEVER);

  /// A transaction failed because of the database.
  void failed(Throwable reason) {
    long now = Math.max(System.nanoTime(), NEVER + 1);
    long warned = warnedNanos.get();
    if ((warned == NEVER || now - warned >= PAUSE_NANOS)
        && warnedNanos.compareAndSet(warned, now)) {
      LOGGER.log(
          Level.WARNING, "event=database-unavailable reason=\"{0}\"", root(reason).toString());
    }
  }

  /// A transaction succeeded.
  void succeeded() {
    if (warnedNanos.get() != NEVER && warnedNanos.getAndSet(NEVER) != NEVER) {
      LOGGER.log(Level.INFO, "event=database-available");
    }
  }

  private static Throwable root(Throwable reason) {
    Throwable root = reason;
    for (int depth = 0; root.getCause() != null && depth < Failure.MAX_DEPTH; depth++) {
      root = root.getCause();
    }
    return root;
  }
}
