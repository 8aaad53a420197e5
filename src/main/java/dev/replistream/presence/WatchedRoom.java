package dev.replistream.presence;

import dev.replistream.data.Spaces;
import dev.replistream.json.Json;
import dev.replistream.nodes.Present;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/// A room with at least one connection that is told who is present in it, and what they are told.
/// The list may be read by any thread; the rest is guarded by the lock of {@link RoomPresence}.
final class WatchedRoom implements Supplier<byte[]> {
  /// How many users a list names, which makes it about 10 kB.
  static final int MAX_LISTED = 100;

  private static final Duration SHORTEST_PAUSE = Duration.ofMillis(100);
  private static final Duration PAUSE_EACH = Duration.ofMillis(1);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

  private final String id;
  final Set<PresenceWatch> watches = new HashSet<>();
  private volatile byte[] list = {};
  private long notBeforeNanoTime = System.nanoTime();

  WatchedRoom(String id) {
    this.id = id;
  }

  String id() {
    return id;
  }

  /// The newest list, as JSON.
  @Override
  public byte[] get() {
    return list;
  }

  boolean hasList() {
    return list.length > 0;
  }

  /// Puts a new list in place of the one before.
  void set(byte[] newest) {
    list = newest;
  }

  /// How long until its list may be made anew; nothing or less when it may be now.
  long pauseNanos(long nowNanos) {
    return notBeforeNanoTime - nowNanos;
  }

  /// The list is made now, and not again for a millisecond for each connection that gets it, within
  /// limits, so that a big room keeps no node from its other work.
  void pause(long nowNanos) {
    Duration pause = PAUSE_EACH.multipliedBy(watches.size());
    pause = pause.compareTo(SHORTEST_PAUSE) < 0 ? SHORTEST_PAUSE : pause;
    pause = pause.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause;
    notBeforeNanoTime = nowNanos + pause.toNanos();
  }

  /// What is told to whoever is no member any more.
  byte[] emptyList() {
    return listOf(Map.of());
  }

  /// The list of those of its members who are present.
  byte[] listOf(Map<String, Present> present) {
    return Json.write(json -> {
      json.writeStartObject();
      json.writeStringField("room", id);
      json.writeNumberField("count", present.size());
      json.writeArrayFieldStart("users");
      for (Map.Entry<String, Present> user : firstOf(present)) {
        json.writeStartObject();
        json.writeStringField("userId", user.getKey());
        json.writeStringField("since", Json.timestamp(user.getValue().since()));
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    });
  }

  /// In the order of the bytes of their ids.
  private static List<Map.Entry<String, Present>> firstOf(Map<String, Present> present) {
    return present.entrySet().stream()
        .sorted(Comparator.comparing(user -> Spaces.ofUser(user.getKey()), Spaces.PRECEDENCE))
        .limit(MAX_LISTED)
        .toList();
  }
}
