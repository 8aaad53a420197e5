package dev.replistream.db;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/// Tells the log when the database goes away or does not do what it must, and when it works again:
/// at most twice in ten seconds, however many transactions fail and succeed. Thread-safe.
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
          Level.WARNING,
          "{0} reason=\"{1}\"",
          Failure.of(reason) == Failure.UNFIT
              ? "event=database-unfit"
              : "event=database-unavailable",
          said(root(reason)));
    }
  }

  /// A transaction succeeded.
  void succeeded() {
    if (away.get() && away.getAndSet(false)) {
      LOGGER.log(Level.INFO, "event=database-available");
    }
  }

  /// The first line, as what a server says beyond it may be user content, and its SQL state.
  private static String said(Throwable root) {
    String line = root.toString().lines().findFirst().orElse("");
    return root instanceof SQLException e && e.getSQLState() != null
        ? line + " (SQL state " + e.getSQLState() + ")"
        : line;
  }

  private static Throwable root(Throwable reason) {
    Throwable root = reason;
    for (int depth = 0; root.getCause() != null && depth < Failure.MAX_DEPTH; depth++) {
      root = root.getCause();
    }
    return root;
  }
}
