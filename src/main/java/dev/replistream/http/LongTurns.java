package dev.replistream.http;

import java.util.concurrent.Semaphore;

/// Lets long work of virtual threads go on a bit at a time, on half of their carriers, so that the
/// other half is free for whoever has something short to do. A virtual thread is not preempted: a
/// few that read long bodies which are there already would keep all carriers. `Thread.yield` does
/// not help, as a carrier takes what was yielded on it before it looks for what others have woken.
///
/// A turn is for computing: whoever holds one does not wait. It belongs to the process, as the
/// carriers do. Thread-safe.
public final class LongTurns {
  /// From how many bytes on work is long: what is shorter takes a millisecond, and no turn.
  static final int LONG_BYTES = 64 << 10;

  private static final int CARRIERS =
      Integer.getInteger(
          "jdk.virtualThreadScheduler.parallelism", Runtime.getRuntime().availableProcessors());

  /// How many there are at a time.
  static final int COUNT = Math.max(1, CARRIERS / 2);

  private static final Semaphore FREE = new Semaphore(COUNT, true);

  private LongTurns() {}

  /// Waits for a turn, behind those who wait already. An interrupt does not end the wait, as turns
  /// are short.
  public static void take() {
    FREE.acquireUninterruptibly();
  }

  /// How many threads wait for a turn, about.
  static int waiting() {
    return FREE.getQueueLength();
  }

  /// Gives a turn back.
  public static void end() {
    FREE.release();
  }
}
