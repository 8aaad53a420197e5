package dev.replistream.rules;

import dev.replistream.api.JsonValue;
import dev.replistream.api.Mutator;
import dev.replistream.api.Mutators;
import dev.replistream.api.Transaction;
import java.util.Map;
import java.util.Optional;

/// The mutators of every server, for applications that need no rules of their own: `put`, `patch`
/// and `del`, of one key. With `room` they work there, else where the key is visible. Stateless.
final class BuiltInMutators implements Mutators {
  @Override
  public Map<String, Mutator> mutators() {
    return Map.of(
        "put", BuiltInMutators::put, "patch", BuiltInMutators::patch, "del", BuiltInMutators::del);
  }

  /// `{key, value, room?}`: sets the key.
  private static void put(Transaction transaction, JsonValue args) {
    set(transaction, room(args), args.get("key").asText(), args.get("value"));
  }

  /// `{key, merge, room?, create?}`: merges into the key's value (RFC 7396). Where the key is
  /// absent it merges into nothing if `create` is true, and else does nothing: what somebody has
  /// deleted does not come back in part.
  private static void patch(Transaction transaction, JsonValue args) {
    String key = args.get("key").asText();
    JsonValue merge = args.get("merge");
    boolean create = args.find("create").map(JsonValue::asBoolean).orElse(false);
    Optional<String> room = room(args);
    Optional<JsonValue> before =
        room.isPresent() ? transaction.get(room.get(), key) : transaction.get(key);
    if (before.isPresent() || create) {
      set(transaction, room, key, MergePatch.apply(before.orElseGet(JsonValue::ofNull), merge));
    }
  }

  /// `{key, room?}`: deletes the key, if it is there.
  private static void del(Transaction transaction, JsonValue args) {
    String key = args.get("key").asText();
    room(args)
        .ifPresentOrElse(room -> transaction.delete(room, key), () -> transaction.delete(key));
  }

  private static void set(
      Transaction transaction, Optional<String> room, String key, JsonValue value) {
    room.ifPresentOrElse(
        named -> transaction.put(named, key, value), () -> transaction.put(key, value));
  }

  private static Optional<String> room(JsonValue args) {
    return args.find("room").map(JsonValue::asText);
  }
}
