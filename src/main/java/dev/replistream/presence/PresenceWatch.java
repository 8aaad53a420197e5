package dev.replistream.presence;

import dev.replistream.data.RoomSettings;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// One connection that is told who is present in its user's rooms. What is pending is the names of
/// rooms: the list is taken from the room when it is written, so it is the newest, and all
/// connections share it.
///
/// Thread-safe by its own monitor, under which a list is written too: once a room is {@link #gone},
/// nobody is about to write its list.
final class PresenceWatch implements PresenceFeed {
  /// The rooms of a user, and as many that it has just lost.
  private static final int MAX_PENDING = 2 * RoomSettings.MOST_PER_USER;

  private final String userId;
  private final Runnable wake;
  private final Consumer<PresenceWatch> onClose;
  private final SequencedMap<String, Supplier<byte[]>> pending = new LinkedHashMap<>();

  /// The rooms whose lists it gets; guarded by the lock of {@link RoomPresence}.
  final Set<WatchedRoom> rooms = new HashSet<>();

  PresenceWatch(String userId, Runnable wake, Consumer<PresenceWatch> onClose) {
    this.userId = userId;
    this.wake = wake;
    this.onClose = onClose;
  }

  String userId() {
    return userId;
  }

  /// Lets the connection write; to be called without any lock, as it may write there and then.
  void wake() {
    wake.run();
  }

  /// Makes the list of a room pending.
  ///
  /// @return whether nothing was pending before, so that the connection has to be woken
  synchronized boolean offer(WatchedRoom room) {
    return put(room.id(), room);
  }

  /// From here on the room's list is not written any more, but once an empty one.
  ///
  /// @return whether the connection has to be woken
  synchronized boolean gone(WatchedRoom room) {
    if (!pending.containsKey(room.id()) && pending.size() >= MAX_PENDING) {
      return false; // rooms are made and lost faster than the client reads of it
    }
    return put(room.id(), room::emptyList);
  }

  private boolean put(String room, Supplier<byte[]> list) {
    boolean wasEmpty = pending.isEmpty();
    pending.put(room, list);
    return wasEmpty;
  }

  @Override
  public synchronized boolean next(Consumer<byte[]> write) {
    if (pending.isEmpty()) {
      return false;
    }
    Supplier<byte[]> list = pending.pollFirstEntry().getValue();
    write.accept(list.get());
    return true;
  }

  @Override
  public void close() {
    onClose.accept(this);
  }
}
