package dev.replistream.presence;

import dev.replistream.nodes.Present;
import java.util.Collection;
import java.util.Map;
import java.util.function.Consumer;

/// Who is connected. A user is present from the first connection on, until some time after the end
/// of the last one. A user who comes back within that grace period, as by reloading a page, has
/// neither left nor come.
///
/// Thread-safe.
public interface Presence {
  /// The topic by which nodes tell each other that a user came or went.
  String CHANGED = "presence";

  /// Those of some users who are present.
  Map<String, Present> of(Collection<String> userIds);

  /// Sets who is told each user that came or went, once {@link #of} says so. It is called on the
  /// thread of whoever connects and must not wait.
  void subscribe(Consumer<String> changed);
}
