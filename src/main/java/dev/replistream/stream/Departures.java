package dev.replistream.stream;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The users whose last connection has ended, and who count as present until their time is up. All
/// have the same time, so the first one here is the first one to go.
///
/// Thread-safe by its own monitor.
final class Departures {
  private final Map<String, Long> leftNanoTime = new LinkedHashMap<>();
  private final long graceNanos;
  private final int limit;

  /// @param limit how many users may be waited for; none where there is no grace
  Departures(Duration grace, int limit) {
    this.graceNanos = grace.toNanos();
    this.limit = grace.isZero() ? 0 : limit;
  }

  /// Waits for a user, who is not waited for yet.
  ///
  /// @return who is waited for no longer, where they are too many
  synchronized Optional<String> add(String userId, long nowNanos) {
    leftNanoTime.put(userId, nowNanos);
    if (leftNanoTime.size() <= limit) {
      return Optional.empty();
    }
    String first = leftNanoTime.keySet().iterator().next();
    leftNanoTime.remove(first);
    return Optional.of(first);
  }

  /// The user is back.
  synchronized void cancel(String userId) {
    leftNanoTime.remove(userId);
  }

  synchronized boolean contains(String userId) {
    return leftNanoTime.containsKey(userId);
  }

  /// Takes those whose time is up.
  synchronized List<String> takeDue(long nowNanos) {
    List<String> due = new ArrayList<>();
    Iterator<Map.Entry<String, Long>> each = leftNanoTime.entrySet().iterator();
    while (each.hasNext()) {
      Map.Entry<String, Long> next = each.next();
      if (nowNanos - next.getValue() < graceNanos) {
        break;
      }
      due.add(next.getKey());
      each.remove();
    }
    return due;
  }
}
