package dev.replistream.poke;

import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.function.Consumer;

/// Who is connected. A user is present from the first connection on, until some time after the end
/// of the last one: who comes back within that grace, as a page does that is loaded again, has
/// neither gone nor come.
///
/// Thread-safe.
public interface Presence {
  /// A user who is present.
  ///
  /// @param sessions how many connections are open; 0 for one who may yet come back
  /// @param since when the user came
  record Present(int sessions, Instant since) {
    /// What both say together.
    public Present and(Present other) {
      return new Present(
          sessions + other.sessions, since.isBefore(other.since) ? since : other.since);
    }
  }

  /// The topic by which nodes tell each other that a user came or went.
  String CHANGED = "presence";

  /// Those of some users who are present.
  Map<String, Present> of(Collection<String> userIds);

  /// Sets who is told each user that came or went, once {@link #of} says so. It is called on the
  /// thread of whoever connects and must not wait.
  void subscribe(Consumer<String> changed);
}
