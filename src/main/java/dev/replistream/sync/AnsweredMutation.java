package dev.replistream.sync;

import dev.replistream.api.JsonValue;
import dev.replistream.api.RejectedException;
import dev.replistream.api.Transaction;
import dev.replistream.data.EntryReader;
import dev.replistream.data.TreeLimit;
import dev.replistream.rules.Answer;
import dev.replistream.rules.MergePatch;
import dev.replistream.rules.Op;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// Does to a mutation's transaction what a rule elsewhere has decided, with the rights and limits
/// of any mutator. Stateless.
final class AnsweredMutation {
  private AnsweredMutation() {}

  /// An entry that the rule has read is not what it was. Nothing that was done since counts.
  static final class ChangedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    ChangedException() {
      super("an entry that a rule has read has changed", null, false, false);
    }
  }

  /// Does it.
  ///
  /// @param reader of the same transaction
  /// @param trees counts the values that are written
  /// @throws ChangedException where a condition does not hold
  /// @throws RejectedException where the rule, or the service, rejects the mutation
  static void apply(
      Answer answer, SqlTransaction transaction, EntryReader reader, TreeLimit.Use trees)
      throws SQLException {
    switch (answer) {
      case Answer.Apply(var ops, var conditions, boolean isUnrestricted) -> {
        require(conditions, transaction, reader);
        Transaction target = isUnrestricted ? transaction.unrestricted() : transaction;
        for (Op op : ops) {
          apply(op, target, trees);
        }
      }
      case Answer.Reject(String code, String message) -> throw new RejectedException(code, message);
      case Answer.Later _ -> throw new IllegalStateException("it is not decided yet");
    }
  }

  private static void require(
      List<Op.Condition> conditions, SqlTransaction transaction, EntryReader reader)
      throws SQLException {
    for (Op.Condition condition : conditions) {
      Optional<Long> found = transaction.version(condition.place().room(), condition.key(), reader);
      OptionalLong expected = condition.version();
      if (expected.isPresent()
          ? !found.equals(Optional.of(expected.getAsLong()))
          : found.isPresent()) {
        throw new ChangedException();
      }
    }
  }

  private static void apply(Op op, Transaction transaction, TreeLimit.Use trees)
      throws SQLException {
    switch (op) {
      case Op.Put(var place, String key, String json) ->
          put(transaction, place.room(), key, value(json, trees));
      case Op.Patch(var place, String key, String json, boolean create) -> {
        Optional<String> room = place.room();
        Optional<JsonValue> before =
            room.isPresent() ? transaction.get(room.get(), key) : transaction.get(key);
        if (before.isPresent() || create) {
          JsonValue target = before.orElseGet(JsonValue::ofNull);
          put(transaction, room, key, MergePatch.apply(target, value(json, trees)));
        }
      }
      case Op.Del(var place, String key) ->
          place
              .room()
              .ifPresentOrElse(
                  room -> transaction.delete(room, key), () -> transaction.delete(key));
      case Op.CreateRoom(String room, var _) -> transaction.createRoom(room);
      case Op.DeleteRoom(String room) -> transaction.deleteRoom(room);
      case Op.PutMember(String room, String userId, var role) ->
          transaction.putMember(room, userId, role);
      case Op.RemoveMember(String room, String userId) -> transaction.removeMember(room, userId);
    }
  }

  private static JsonValue value(String json, TreeLimit.Use trees) throws SQLException {
    trees.reads(json.length());
    return JsonValue.parse(json);
  }

  private static void put(
      Transaction transaction, Optional<String> room, String key, JsonValue value) {
    room.ifPresentOrElse(
        named -> transaction.put(named, key, value), () -> transaction.put(key, value));
  }
}
