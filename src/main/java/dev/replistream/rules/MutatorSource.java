package dev.replistream.rules;

import dev.replistream.api.Mutator;
import java.util.Optional;

/// Mutators that are looked for by their name each time, as they may change while the service runs.
/// Thread-safe.
public interface MutatorSource extends AutoCloseable {
  /// The mutator that is called `name`, if there is one now.
  Optional<Mutator> find(String name);

  /// Runs no more mutators.
  @Override
  void close();
}
