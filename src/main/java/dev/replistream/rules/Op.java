package dev.replistream.rules;

import dev.replistream.api.Role;
import java.util.Optional;
import java.util.OptionalLong;

/// One change that a transaction makes, as an application writes it in JSON: `put`, `patch`, `del`,
/// `createRoom`, `deleteRoom`, `putMember` and `removeMember`. Immutable.
public sealed interface Op {
  /// Where it is to happen: a room, a user's private space, or, of both empty, where the key is
  /// visible to whoever the transaction is for.
  record Place(Optional<String> room, Optional<String> user) {}

  /// Sets a key.
  ///
  /// @param json the value as text
  record Put(Place place, String key, String json) implements Op {}

  /// Merges into the value of a key (RFC 7396).
  ///
  /// @param json the patch as text
  /// @param create whether an absent key is made; else nothing is done to it
  record Patch(Place place, String key, String json, boolean create) implements Op {}

  /// Deletes a key, if it is there.
  record Del(Place place, String key) implements Op {}

  /// Creates a room.
  ///
  /// @param owner whose; empty for whoever the transaction is for
  record CreateRoom(String room, Optional<String> owner) implements Op {}

  /// Deletes a room with its entries and members.
  record DeleteRoom(String room) implements Op {}

  /// Gives a member another role, or makes somebody one.
  record PutMember(String room, String userId, Role role) implements Op {}

  /// Takes a member out of a room.
  record RemoveMember(String room, String userId) implements Op {}

  /// What has to hold, or nothing is done.
  ///
  /// @param version that the entry has; empty where there is to be none
  record Condition(Place place, String key, OptionalLong version) {}
}
