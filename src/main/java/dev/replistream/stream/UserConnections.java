package dev.replistream.stream;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The open connections of one user, who may have none for a while. Adding, removing and copying
/// take constant time, constant time and one copy; nothing is done to a connection under the lock.
///
/// Thread-safe by its own monitor.
final class UserConnections {
  private static final Connection[] NONE = {};

  private final long sinceMillis;
  private Connection[] slots = NONE;
  private int size;
  private @Nullable SyncEvent next;
  private boolean isFanningOut;

  /// The connections of a user who has come at this time, in milliseconds since 1970.
  UserConnections(long sinceMillis) {
    this.sinceMillis = sinceMillis;
  }

  long sinceMillis() {
    return sinceMillis;
  }

  synchronized int size() {
    return size;
  }

  synchronized void add(Connection connection) {
    if (size == slots.length) {
      slots = Arrays.copyOf(slots, Math.max(1, size * 2));
    }
    connection.slot = size;
    slots[size++] = connection;
  }

  @SuppressWarnings(
      "NullAway") // a slot past the size holds nothing, which the array's type can't say
  synchronized void remove(Connection connection) {
    int slot = connection.slot;
    if (slot < 0 || slot >= size || slots[slot] != connection) {
      return;
    }
    Connection last = slots[--size];
    slots[slot] = last;
    last.slot = slot;
    slots[size] = null;
    connection.slot = -1;
    if (size * 4 < slots.length) {
      slots = Arrays.copyOf(slots, slots.length / 2);
    }
  }

  /// Takes a sync to be brought to all connections by threads of its own, in place of an older one
  /// that none of them has taken up yet.
  ///
  /// @return whether nobody is at it, so that the caller has to {@link #nextFanOut start}
  synchronized boolean offerFanOut(SyncEvent sync) {
    next = next == null || next.stamp() < sync.stamp() ? sync : next;
    boolean starts = !isFanningOut;
    isFanningOut = true;
    return starts;
  }

  /// The sync to bring to all connections of a {@link #snapshot} taken after it; null when there is
  /// none, and nobody is at it any more.
  synchronized @Nullable SyncEvent nextFanOut() {
    SyncEvent sync = next;
    next = null;
    isFanningOut = sync != null;
    return sync;
  }

  synchronized Connection[] snapshot() {
    return Arrays.copyOf(slots, size);
  }
}
