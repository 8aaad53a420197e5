package dev.replistream.poke;

import dev.replistream.poke.PokeBus.Source;
import java.util.Collection;

/// Tells all clients of given users to pull. Thread-safe.
@FunctionalInterface
public interface Poker {
  /// Pokes all clients of some users at once.
  ///
  /// @return how many connections are notified
  int poke(Collection<String> userIds, Source source);
}
