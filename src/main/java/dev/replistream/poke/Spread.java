package dev.replistream.poke;

import java.time.Duration;

/// Over how long the pokes of a big room are spread, so that the pulls which they lead to do not
/// come all at once. Stateless.
public final class Spread {
  private static final int MAX_CONNECTIONS_AT_ONCE = 100;
  private static final Duration EACH = Duration.ofMillis(1);
  private static final Duration LONGEST = Duration.ofSeconds(10);

  private Spread() {}

  /// Over how long a poke of so many connections is spread: nothing up to 100, then a millisecond
  /// for each, and ten seconds at the most.
  public static Duration window(int connections) {
    if (connections <= MAX_CONNECTIONS_AT_ONCE) {
      return Duration.ZERO;
    }
    Duration window = EACH.multipliedBy(connections);
    return window.compareTo(LONGEST) < 0 ? window : LONGEST;
  }

  /// When the one at `place` of so many has its turn: evenly over the window, the first at once.
  public static Duration turn(Duration window, int place, int count) {
    return window.multipliedBy(place).dividedBy(count);
  }
}
