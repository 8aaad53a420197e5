package dev.replistream.poke;

import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/// Brings pokes from whoever has something new to whoever holds the user's streams, on this node or
/// on another.
///
/// Order: a poke is stamped first and delivered second. A stream that the {@link Subscriber} has
/// registered, and the other nodes count, before it reads {@link #latest} therefore misses none:
/// either the delivery finds it, or it finds the stamp.
///
/// Two implementations keep one contract: {@link LocalPokeBus} for one node, and one over Redis for
/// many. Thread-safe.
public interface PokeBus {
  /// Where a poke came from, which is a label of its metric.
  enum Source {
    /// A user's own request.
    SELF,
    /// A backend service's request, for others.
    SERVICE,
    /// A push that wrote something which the user may see.
    PUSH,
    /// A request that poked a room of the user's, or changed which rooms those are.
    ROOM,
    /// Java code that embeds the service.
    JAVA
  }

  /// Who holds this node's streams. Its methods are called on any thread and must not wait.
  interface Subscriber {
    /// How many streams this node holds for a user.
    int connections(String userId);

    /// Brings a poke to the streams of its user.
    ///
    /// @return to how many
    int deliver(Poke poke);

    /// Brings a poke to the streams of its user after a while, so that not all users pull at once.
    /// A stream's `sync` that is due earlier may carry it.
    void deliverAfter(Duration delay, Poke poke);
  }

  /// Sets who holds the streams of this node. Until then the pokes move the cursor only.
  void subscribe(Subscriber subscriber);

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

  /// How far the cursor of a user is: the stamp of the last poke, or where that was forgotten, of
  /// the latest that it can have been.
  EventId latest(String userId);

  /// A user pulls.
  ///
  /// @return how long ago the user was poked, unless it has pulled since then; empty also where
  ///   that was long ago, or is not remembered
  Optional<Duration> pulled(String userId);

  /// Whether a poke may block, as it does where a server is asked first: then a thread which many
  /// connections share must not send it.
  boolean mayBlock();

  /// Whether pokes reach all nodes now.
  boolean isAvailable();
}
