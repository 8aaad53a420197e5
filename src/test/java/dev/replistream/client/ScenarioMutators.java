package dev.replistream.client;

import dev.replistream.api.JsonValue;
import dev.replistream.api.Mutator;
import dev.replistream.api.Mutators;
import dev.replistream.api.RejectedException;
import dev.replistream.api.Role;
import dev.replistream.api.Transaction;
import java.util.Map;
import java.util.Optional;

/// The mutators that the scenarios need beside the built-in ones. Their counterparts for the client
/// are in `src/test/js/mutators.mjs`.
public final class ScenarioMutators implements Mutators {
  @Override
  public Map<String, Mutator> mutators() {
    return Map.of(
        "increment", ScenarioMutators::increment,
        "createRoom", ScenarioMutators::createRoom,
        "putMember", ScenarioMutators::putMember,
        "removeMember", ScenarioMutators::removeMember,
        "putThenReject", ScenarioMutators::putThenReject,
        "putThenFail", ScenarioMutators::putThenFail);
  }

  /// `{key, id, room?}`: adds 1 to the number at `key`, and 1 to that at `id`, which shows which
  /// mutations were applied and how often.
  private static void increment(Transaction transaction, JsonValue args) {
    Optional<String> room = args.find("room").map(JsonValue::asText);
    for (String member : new String[] {"key", "id"}) {
      String key = args.get(member).asText();
      Optional<JsonValue> before =
          room.isPresent() ? transaction.get(room.get(), key) : transaction.get(key);
      JsonValue after = JsonValue.of(before.map(JsonValue::asLong).orElse(0L) + 1);
      room.ifPresentOrElse(
          named -> transaction.put(named, key, after), () -> transaction.put(key, after));
    }
  }

  /// `{room}`
  private static void createRoom(Transaction transaction, JsonValue args) {
    transaction.createRoom(args.get("room").asText());
  }

  /// `{room, userId, role}`
  private static void putMember(Transaction transaction, JsonValue args) {
    Role role = Role.of(args.get("role").asText()).orElseThrow();
    transaction.putMember(args.get("room").asText(), args.get("userId").asText(), role);
  }

  /// `{room, userId}`
  private static void removeMember(Transaction transaction, JsonValue args) {
    transaction.removeMember(args.get("room").asText(), args.get("userId").asText());
  }

  /// `{key}`
  private static void putThenReject(Transaction transaction, JsonValue args) {
    transaction.put(args.get("key").asText(), JsonValue.of("never"));
    throw new RejectedException("the scenario wants it so");
  }

  /// `{key}`
  private static void putThenFail(Transaction transaction, JsonValue args) {
    transaction.put(args.get("key").asText(), JsonValue.of("never"));
    throw new IllegalStateException("a bug that the scenario wants");
  }
}
