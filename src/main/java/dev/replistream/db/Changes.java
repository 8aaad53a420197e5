package dev.replistream.db;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Transactions, each with what has to follow its commit, such as a poke. While the process runs
/// nothing comes between the two; whoever stops it waits here until each change is whole.
/// Thread-safe.
public final class Changes {
  private static final int MAX_UNDER_WAY = Integer.MAX_VALUE;

  private final Semaphore underWay = new Semaphore(MAX_UNDER_WAY);
  private volatile boolean closed;

  /// Makes a change to its end.
  ///
  /// @throws DatabaseUnavailableException after {@link #close}; nothing was begun
  public <T> T make(Supplier<T> change) {
    if (closed || !underWay.tryAcquire()) {
      throw new DatabaseUnavailableException("the service stops");
    }
    try {
      return change.get();
    } finally {
      underWay.release();
    }
  }

  /// Takes no more changes and waits for those under way.
  ///
  /// @return whether all have ended: then none will ever begin
  public boolean close(Duration patience) {
    closed = true;
    try {
      return underWay.tryAcquire(MAX_UNDER_WAY, patience.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
