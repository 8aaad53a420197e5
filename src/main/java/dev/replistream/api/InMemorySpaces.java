package dev.replistream.api;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/// All data of an {@link InMemoryStore}. Confined to the store's lock.
///
/// @param privateEntries each user's private space
/// @param rooms the rooms by their ids, as keys only for their order
/// @param links the links to rooms by their codes
record InMemorySpaces(
    Map<String, NavigableMap<Key, JsonValue>> privateEntries,
    NavigableMap<Key, InMemoryRoom> rooms,
    Map<String, Link> links) {
  /// A link to a room, which ends when who made it is an owner no longer.
  record Link(String room, Role role, String by, Instant expiresAt, int usesLeft) {}

  /// No data.
  InMemorySpaces() {
    this(new HashMap<>(), new TreeMap<>(), new HashMap<>());
  }

  InMemorySpaces copy() {
    InMemorySpaces copy = new InMemorySpaces();
    privateEntries.forEach(
        (user, entries) -> copy.privateEntries.put(user, new TreeMap<>(entries)));
    rooms.forEach((id, room) -> copy.rooms.put(id, room.copy()));
    copy.links.putAll(links);
    return copy;
  }

  NavigableMap<Key, JsonValue> privateEntries(String userId) {
    return privateEntries.computeIfAbsent(userId, _ -> new TreeMap<>());
  }
}
