package dev.replistream.api;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/// A room of an {@link InMemoryStore}. Confined to the store's lock.
///
/// @param entries the values by key
/// @param members the members by their ids, as keys only for their order
/// @param invited the invitations by the ids of the invited
record InMemoryRoom(
    NavigableMap<Key, JsonValue> entries,
    NavigableMap<Key, Member> members,
    Map<String, Invited> invited) {
  /// An invitation, which ends when who sent it is an owner no longer.
  record Invited(Role role, String by, Instant at) {}

  /// A room without entries and members.
  InMemoryRoom() {
    this(new TreeMap<>(), new TreeMap<>(), new HashMap<>());
  }

  InMemoryRoom copy() {
    return new InMemoryRoom(new TreeMap<>(entries), new TreeMap<>(members), new HashMap<>(invited));
  }

  Optional<Role> role(String userId) {
    return Optional.ofNullable(members.get(Key.of(userId))).map(Member::role);
  }

  /// Whether nobody but `userId` owns the room.
  boolean isLastOwner(String userId) {
    return members.values().stream()
        .allMatch(each -> each.role() != Role.OWNER || each.userId().equals(userId));
  }
}
