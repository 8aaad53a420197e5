package dev.replistream.nodes;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/// The nodes that are one service: what each holds is counted for all, and they can tell and ask
/// each other things.
///
/// Two implementations keep one contract: {@link SingleNode}, and {@link RedisNodes} for nodes that
/// meet in Redis. Thread-safe.
public interface Nodes {
  /// The users who are present on this node. Its methods are called on any thread and must not
  /// wait.
  interface LocalUsers {
    /// Nobody.
    LocalUsers NOBODY =
        new LocalUsers() {
          @Override
          public int connections(String userId) {
            return 0;
          }

          @Override
          public int connections() {
            return 0;
          }

          @Override
          public List<String> users() {
            return List.of();
          }

          @Override
          public long presentSinceMillis(String userId) {
            return -1;
          }
        };

    /// How many connections this node holds of a user.
    int connections(String userId);

    /// How many connections this node holds.
    int connections();

    /// Who is present.
    List<String> users();

    /// Since when a user is present, in milliseconds since 1970; -1 when it is not.
    long presentSinceMillis(String userId);
  }

  /// Sets who knows what this node holds. Until then it holds nothing.
  void register(LocalUsers users);

  /// Counts a connection that this node has just begun to hold.
  ///
  /// @param nth how many the user had on this node then, this one among them
  /// @return whether the user may have it; if not, it is no longer counted
  boolean join(String userId, int nth);

  /// Takes note that a connection of the user has ended on this node, or that the user is no longer
  /// present there.
  void left(String userId);

  /// How many connections a user has, wherever they are.
  int connections(String userId);

  /// How many connections there are, wherever they are.
  int connections();

  /// Who of some users is present on other nodes, and since when it is on any.
  Map<String, Present> elsewhere(Collection<String> userIds);

  /// Tells the other nodes something. A node that is cut off from this one does not get it.
  ///
  /// @param topic a word
  /// @param text what their listeners get; one line
  void tell(String topic, String text);

  /// Sets who takes what other nodes tell. Each message comes on a thread of its own, so two may
  /// come in any order.
  void listen(String topic, Consumer<String> listener);

  /// What other nodes said to a question.
  ///
  /// @param texts their answers, in no order
  /// @param isComplete whether all answered that were asked. A node that is cut off, or was until a
  ///   moment ago, is not known to hold anything, and is not asked.
  record Answers(List<String> texts, boolean isComplete) {}

  /// Asks the other nodes that hold connections of a user something, and waits for their answers a
  /// second at most from when they are asked.
  ///
  /// @param topic a word
  /// @param text what their answerers get; one line
  Answers ask(String userId, String topic, String text);

  /// Sets who answers what other nodes ask, each time on a thread of its own; where it throws,
  /// there is no answer.
  void answer(String topic, UnaryOperator<String> answerer);

  /// Sets who is told, on a thread of its own, that nodes have met again which may have missed what
  /// the others told, or that one has gone with all that it held: what is known of other nodes has
  /// to be looked up anew.
  void onTopologyChange(Runnable listener);
}
