package dev.replistream.api;

import java.util.Objects;

/// The server's side of one of the application's mutators.
///
/// Called by any thread, for several transactions at the same time, and again from the start after
/// a conflict: it changes nothing but the transaction, does no I/O, and keeps no state.
@FunctionalInterface
public interface Mutator {
  /// Applies a mutation.
  ///
  /// @param args what the client's mutator was called with; JSON null where that was nothing
  /// @throws RejectedException when it can never succeed
  /// @throws JsonValueException when the arguments are not as it needs them, which rejects it too;
  ///   any other exception counts as a bug, with the same effect for the client
  void apply(Transaction transaction, JsonValue args);

  /// Applies a mutation as a push does: arguments that are not as the mutator needs them reject it.
  ///
  /// @throws RejectedException when it can never succeed
  default void applyOrReject(Transaction transaction, JsonValue args) {
    try {
      apply(transaction, args);
    } catch (JsonValueException e) {
      throw new RejectedException(Objects.requireNonNullElse(e.getMessage(), "bad arguments"));
    }
  }
}
