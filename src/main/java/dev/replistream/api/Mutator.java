package dev.replistream.api;

import java.util.Objects;

/// The server's side of one of the application's mutators.
///
/// Any thread may call it, for several transactions at the same time, and again from the start
/// after a conflict. So it must change nothing but the transaction, do no I/O and keep no state.
@FunctionalInterface
public interface Mutator {
  /// Applies a mutation.
  ///
  /// @param args what the client's mutator was called with; JSON null if it was called without
  ///   arguments
  /// @throws RejectedException when it can never succeed
  /// @throws JsonValueException when the arguments are not what the mutator needs, which rejects
  ///   the mutation too; any other exception counts as a bug, with the same effect for the client
  void apply(Transaction transaction, JsonValue args);

  /// Applies a mutation as a push does: arguments that are not what the mutator needs reject it.
  ///
  /// @throws RejectedException when it can never succeed
  default void applyOrReject(Transaction transaction, JsonValue args) {
    try {
      apply(transaction, args);
    } catch (JsonValueException e) {
      throw new RejectedException(
          RejectionCode.BAD_ARGUMENTS,
          Objects.requireNonNullElseGet(e.getMessage(), RejectionCode.BAD_ARGUMENTS::message));
    }
  }
}
