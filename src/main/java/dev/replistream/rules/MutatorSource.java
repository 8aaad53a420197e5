package dev.replistream.rules;

import dev.replistream.api.Mutator;
import java.util.Optional;

/// Mutators that are looked for by their name each time, as they may change while the service runs.
/// Thread-safe.
public interface MutatorSource extends AutoCloseable {
  /// The mutator that is called `name`, if there is one now.
  ///
  /// @throws RulesAwayException when this is closed
  Optional<Mutator> find(String name);

  /// Why what it was read from has changed and can't be used, in one line, while the mutators are
  /// those from before.
  Optional<String> staleness();

  /// Gives no more mutators. Those that run may end, within their limits.
  @Override
  void close();
}
