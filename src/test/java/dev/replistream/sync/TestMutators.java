package dev.replistream.sync;

import dev.replistream.api.JsonValue;
import dev.replistream.api.Mutator;
import dev.replistream.api.Mutators;
import dev.replistream.api.RejectedException;
import dev.replistream.api.Role;
import dev.replistream.api.Transaction;
import java.util.Map;

/// Mutators that change rooms, count, and fail in every way.
final class TestMutators implements Mutators {
  private static final JsonValue ONE = JsonValue.of(1);

  @Override
  public Map<String, Mutator> mutators() {
    return Map.ofEntries(
        Map.entry("createRoom", (transaction, args) -> transaction.createRoom(args.asText())),
        Map.entry("deleteRoom", (transaction, args) -> transaction.deleteRoom(args.asText())),
        Map.entry(
            "join",
            (transaction, args) ->
                transaction.putMember(
                    args.get("room").asText(),
                    args.get("user").asText(),
                    Role.of(args.get("role").asText()).orElseThrow())),
        Map.entry(
            "leave",
            (transaction, args) ->
                transaction.removeMember(args.get("room").asText(), args.get("user").asText())),
        Map.entry("increment", (transaction, args) -> increment(transaction, args.asText())),
        Map.entry(
            "fill",
            (transaction, args) -> {
              for (int i = 0; i < 2_000; i++) {
                transaction.put(args.get("room").asText(), args.get("prefix").asText() + i, ONE);
              }
            }),
        Map.entry("look", (transaction, _) -> transaction.scan("")),
        Map.entry(
            "rejectAfterWrite",
            (transaction, args) -> {
              transaction.put(args.asText(), JsonValue.of("half done"));
              throw new RejectedException("because");
            }),
        Map.entry(
            "failAfterWrite",
            (transaction, args) -> {
              transaction.put(args.asText(), JsonValue.of("half done"));
              throw new IllegalStateException("the content of a user");
            }),
        Map.entry(
            "overflowAfterWrite",
            (transaction, args) -> {
              transaction.put(args.asText(), JsonValue.of("half done"));
              throw new StackOverflowError();
            }));
  }

  private static void increment(Transaction transaction, String key) {
    long before = transaction.get(key).map(JsonValue::asLong).orElse(0L);
    transaction.put(key, JsonValue.of(before + 1));
  }
}
