package dev.replistream.bench;

import java.time.Duration;

/// Turns that fall due at a fixed interval, so that load has a rate whatever the server does.
/// Confined to one thread.
final class Pace {
  private final long begin = System.nanoTime();
  private final double intervalNanos;
  private long taken;

  /// @param period how long `turns` turns take
  Pace(int turns, Duration period) {
    intervalNanos = (double) period.toNanos() / turns;
  }

  /// Takes the next turn, if it is due.
  ///
  /// @return its number, counted from 0, or -1
  long take() {
    return take(System.nanoTime() - begin);
  }

  /// {@link #take()} at a time since the beginning.
  long take(long elapsedNanos) {
    return taken * intervalNanos <= elapsedNanos ? taken++ : -1;
  }
}
