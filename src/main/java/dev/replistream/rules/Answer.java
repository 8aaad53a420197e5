package dev.replistream.rules;

import dev.replistream.rules.Op.Condition;
import java.util.List;

/// What a rule elsewhere has decided about one mutation. Immutable.
public sealed interface Answer {
  /// The mutation does this, all of it or nothing.
  ///
  /// @param conditions the versions of entries that the rule has read: where one has changed, the
  ///   rule is asked again
  /// @param isUnrestricted whether it is done without the limits of the user's rights
  record Apply(List<Op> ops, List<Condition> conditions, boolean isUnrestricted) implements Answer {
    /// Copies the ops and the conditions.
    public Apply {
      ops = List.copyOf(ops);
      conditions = List.copyOf(conditions);
    }
  }

  /// The mutation can never succeed.
  ///
  /// @param code names the reason for programs
  /// @param message says why, for the author of the mutation
  record Reject(String code, String message) implements Answer {}

  /// The rule can't decide now.
  record Later() implements Answer {}
}
