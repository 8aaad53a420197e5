package dev.replistream.sync;

import dev.replistream.http.JsonValue;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// What is right, said as simply as can be: maps. Every room is owned by one user, and all its
/// members write. Confined to one thread.
final class ViewModel {
  private final String owner;
  private final Map<String, Map<String, JsonValue>> privateSpaces = new HashMap<>();
  private final Map<String, Map<String, JsonValue>> rooms = new TreeMap<>();
  private final Map<String, Set<String>> members = new HashMap<>();

  /// @param owner who owns all rooms
  ViewModel(String owner) {
    this.owner = owner;
  }

  private Set<String> members(String room) {
    return members.getOrDefault(room, new TreeSet<>());
  }

  boolean isMember(String room, String user) {
    return members(room).contains(user);
  }

  private Map<String, JsonValue> privateSpace(String user) {
    return privateSpaces.computeIfAbsent(user, _ -> new TreeMap<>());
  }

  /// The spaces of a user, the one that wins first.
  private List<Map<String, JsonValue>> spaces(String user) {
    List<Map<String, JsonValue>> spaces = new ArrayList<>(List.of(privateSpace(user)));
    rooms.forEach((room, space) -> {
      if (isMember(room, user)) {
        spaces.add(space);
      }
    });
    return spaces;
  }

  private Map<String, JsonValue> spaceOf(String user, String key) {
    return spaces(user).stream()
        .filter(space -> space.containsKey(key))
        .findFirst()
        .orElseGet(() -> privateSpace(user));
  }

  void put(String user, String key, JsonValue value) {
    spaceOf(user, key).put(key, value);
  }

  void put(String user, String room, String key, JsonValue value) {
    if (isMember(room, user)) {
      rooms.getOrDefault(room, new TreeMap<>()).put(key, value);
    }
  }

  void delete(String user, String key) {
    spaceOf(user, key).remove(key);
  }

  boolean hasRoom(String room) {
    return rooms.containsKey(room);
  }

  void createRoom(String room) {
    rooms.put(room, new TreeMap<>());
    members.put(room, new TreeSet<>(Set.of(owner)));
  }

  void deleteRoom(String room) {
    rooms.remove(room);
    members.remove(room);
  }

  void join(String room, String user) {
    members(room).add(user);
  }

  void leave(String room, String user) {
    members(room).remove(user);
  }

  /// The client view of a user.
  Map<String, JsonValue> view(String user) {
    Map<String, JsonValue> view = new TreeMap<>();
    spaces(user).reversed().forEach(view::putAll);
    return view;
  }
}
