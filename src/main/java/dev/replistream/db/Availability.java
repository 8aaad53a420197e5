package dev.replistream.db;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/// Tells the log when the database goes away and when it is back: at most twice in ten seconds,
/// however many transactions fail and succeed. Thread-safe.
final class Availability {
  private static final Logger LOGGER = System.getLogger(Availability.class.getName());
  private static final long PAUSE_NANOS = Duration.ofSeconds(10).toNanos();

  private final AtomicLong nextWarningNanos = new AtomicLong(System.nanoTime());
  private final AtomicBoolean away = new AtomicBoolean();

  /// A transaction failed because of the database.
  void failed(Throwable reason) {
    long now = System.nanoTime();
    long next = nextWarningNanos.get();
    if (now - next >= 0 && nextWarningNanos.compareAndSet(next, now + PAUSE_NANOS)) {
      away.set(true);
      LOGGER.log(
          Level.WARNING, "event=database-unavailable reason=\"{0}\"", root(reason).toString());
    }
  }

  /// A transaction succeeded.
  void succeeded() {
    if (away.get() && away.getAndSet(false)) {
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
