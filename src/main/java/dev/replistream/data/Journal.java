package dev.replistream.data;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Whether a journal is kept, and who on this node waits for its next line. Thread-safe.
public final class Journal {
  private final boolean isKept;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition grown = lock.newCondition();
  private long growths; // guarded by the lock

  /// @param retention how long lines are kept; zero for no journal
  public Journal(Duration retention) {
    isKept = !retention.isZero();
  }

  /// Whether there is one.
  public boolean isKept() {
    return isKept;
  }

  /// How often it has grown by what this node has committed.
  public long growths() {
    lock.lock();
    try {
      return growths;
    } finally {
      lock.unlock();
    }
  }

  /// Says that it has grown.
  void grew() {
    lock.lock();
    try {
      growths++;
      grown.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Waits until it has grown more often than that, or for so long.
  public void awaitMore(long seen, Duration patience) throws InterruptedException {
    long leftNanos = patience.toNanos();
    lock.lock();
    try {
      while (growths == seen && leftNanos > 0) {
        leftNanos = grown.awaitNanos(leftNanos);
      }
    } finally {
      lock.unlock();
    }
  }
}
