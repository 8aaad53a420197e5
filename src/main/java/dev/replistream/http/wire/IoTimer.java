package dev.replistream.http.wire;

import java.time.Duration;

/// By when the read and the write of a connection that are under way have to be done.
///
/// The connection's thread sets it, and the sweep looks at it from another.
final class IoTimer {
  private static final long NEVER = Long.MAX_VALUE;

  // by System.nanoTime
  private volatile long readDueNanos = NEVER;
  private volatile long writeDueNanos = NEVER;
  private volatile boolean isExpired;

  /// A read has to be done within `timeout` from now.
  void readWithin(Duration timeout) {
    readDueNanos = System.nanoTime() + timeout.toNanos();
  }

  /// When the read has to be done.
  long readDueNanos() {
    return readDueNanos;
  }

  /// A read has to be done by then, by `System.nanoTime`.
  void readBy(long dueNanos) {
    readDueNanos = dueNanos;
  }

  /// No read is awaited.
  void readDone() {
    readDueNanos = NEVER;
  }

  /// A write has to be done within `timeout` from now.
  void writeWithin(Duration timeout) {
    writeDueNanos = System.nanoTime() + timeout.toNanos();
  }

  /// No write is under way.
  void writeDone() {
    writeDueNanos = NEVER;
  }

  /// Whether a write is under way.
  boolean isWriting() {
    return writeDueNanos != NEVER;
  }

  /// How long the client has kept the server waiting; less than 0 where it does not.
  ///
  /// @param read how long the read that is under way may take in all
  /// @param write how long a write may take
  long waitedNanos(long nowNanos, Duration read, Duration write) {
    long writeDue = writeDueNanos;
    if (writeDue != NEVER) {
      return write.toNanos() - (writeDue - nowNanos);
    }
    long readDue = readDueNanos;
    return readDue == NEVER ? -1 : Math.max(0, read.toNanos() - (readDue - nowNanos));
  }

  /// Whether a read or a write is overdue, which is noted for {@link #isExpired}.
  boolean expires(long nowNanos) {
    boolean isOverdue = isPast(readDueNanos, nowNanos) || isPast(writeDueNanos, nowNanos);
    if (isOverdue) {
      isExpired = true;
    }
    return isOverdue;
  }

  private static boolean isPast(long dueNanos, long nowNanos) {
    return dueNanos != NEVER && nowNanos - dueNanos > 0;
  }

  /// Whether a read or a write was overdue.
  boolean isExpired() {
    return isExpired;
  }
}
