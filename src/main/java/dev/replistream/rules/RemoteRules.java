package dev.replistream.rules;

/// Rules that run elsewhere, for all mutations whose names are not defined here. They can't see the
/// transaction, so they are asked before there is one. Thread-safe.
public interface RemoteRules {
  /// How many mutations are asked about at a time.
  int MAX_MUTATIONS = 100;

  /// How many characters their arguments have together, unless it is a single one.
  int MAX_ARGS_LENGTH = 1 << 20;

  /// Asks, and waits for the answer. No transaction may be open meanwhile.
  ///
  /// @return to be closed when it was applied
  /// @throws RulesAwayException when there is no answer that can be used
  Answers ask(Question question);
}
