package dev.replistream.poke;

import dev.replistream.nodes.RedisPokeBus;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/// Brings pokes from whoever has something new to whoever holds the user's streams, on this node or
/// on another.
///
/// Order: a poke is stamped first and delivered second. A stream that is registered with the {@link
/// Subscriber} and {@link #join joins} first, and reads {@link #latest} second, therefore misses
/// none: either the delivery finds it, or it finds the stamp.
///
/// Two implementations keep one contract: {@link LocalPokeBus} for one node, {@link RedisPokeBus}
/// for many. Thread-safe.
public interface PokeBus extends Poker, AutoCloseable {
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

    /// How many streams this node holds.
    int connections();

    /// The users who are present on this node.
    List<String> users();

    /// Since when a user is present on this node, in milliseconds since 1970; -1 when it is not.
    long presentSinceMillis(String userId);

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

  @Override
  default int poke(Collection<String> userIds, Source source) {
    return userIds.stream().mapToInt(userId -> poke(userId, source)).sum();
  }

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

  /// Counts a connection that the subscriber has just registered.
  ///
  /// @param nth how many the user had on this node then, this one among them
  /// @return whether the user may have it; if not, it is counted no more
  boolean join(String userId, int nth);

  /// Takes note that a connection of the user has ended on this node, or that the user is present
  /// there no more.
  void left(String userId);

  /// Who of some users is present on other nodes, and since when it is on any.
  Map<String, Presence.Present> elsewhere(Collection<String> userIds);

  /// Tells the other nodes something. Who is cut off from this one does not hear it.
  ///
  /// @param topic a word
  /// @param text what their listeners get; one line
  void tell(String topic, String text);

  /// Sets who takes what other nodes tell, each time on a thread of its own: two messages may come
  /// in any order.
  void hear(String topic, Consumer<String> listener);

  /// What other nodes said to a question.
  ///
  /// @param texts their answers, in no order
  /// @param areAll whether all answered that were asked. A node that is cut off, or was until a
  ///   moment ago, is not known to hold anything, and is not asked.
  record Answers(List<String> texts, boolean areAll) {}

  /// Asks the other nodes that hold connections of a user something, and waits for their answers a
  /// second at most from when they are asked.
  ///
  /// @param topic a word
  /// @param text what their answerers get; one line
  Answers ask(String userId, String topic, String text);

  /// Sets who answers what other nodes ask, each time on a thread of its own; where it throws,
  /// there is no answer.
  void answer(String topic, UnaryOperator<String> answerer);

  /// Sets who is told that nodes may not have heard each other for a while, and now do.
  void onceFound(Runnable listener);

  /// How many connections a user has, wherever they are.
  int connections(String userId);

  /// How many connections there are, wherever they are.
  int connections();

  /// A user pulls.
  ///
  /// @return how long ago the user was poked, unless it has pulled since then; empty also where
  ///   that was long ago, or is not remembered
  Optional<Duration> pulled(String userId);

  /// Whether a poke never waits, so that a thread which many connections share may send it.
  boolean isInstant();

  /// Whether pokes reach all nodes now.
  boolean isAvailable();

  /// Ends what the bus runs, after the last stream has ended.
  @Override
  void close();
}
