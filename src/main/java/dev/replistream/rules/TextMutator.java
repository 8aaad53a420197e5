package dev.replistream.rules;

import dev.replistream.api.JsonValue;
import dev.replistream.api.Mutator;
import dev.replistream.api.Transaction;

/// A mutator that takes its arguments as JSON, so that nobody makes a tree of them before.
/// Thread-safe.
@FunctionalInterface
public interface TextMutator extends Mutator {
  /// Applies a mutation as {@link Mutator#apply(Transaction, JsonValue)} does.
  ///
  /// @param argsText one JSON value; `null` where the client's mutator had no arguments
  void apply(Transaction transaction, String argsText);

  @Override
  default void apply(Transaction transaction, JsonValue args) {
    apply(transaction, args.toJson());
  }
}
