package dev.replistream.poke;

import dev.replistream.poke.PokeBus.Source;
import java.util.Set;

/// Tells all clients of users to pull. Thread-safe.
public interface Poker {
  /// Pokes all clients of a user.
  ///
  /// @return how many connections are notified
  int poke(String userId, Source source);

  /// Pokes all clients of some users, such as the members of a room. Those of `prompt`, if it is
  /// one of them, are notified at once; of the others, where they have many connections, one after
  /// the other over some seconds ({@link Spread}).
  ///
  /// @param prompt the user who made what is new
  /// @return how many connections are notified, now or in their turn
  int poke(Set<String> userIds, String prompt, Source source);
}
