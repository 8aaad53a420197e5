package dev.replistream.bench;

import org.HdrHistogram.Histogram;

/// The books of pokes and syncs: which deliveries are due, which came, and how long each took.
/// Confined to one thread.
///
/// A user is poked again only when the last poke has reached all of his streams ({@link #isDue}),
/// so that the server has no cause to merge two pokes into one sync, and each sync that is missing
/// is one that was lost.
final class Deliveries {
  // one microsecond to a minute, three digits
  private final Histogram latencyMicros = new Histogram(60_000_000, 3);
  private final int[] due;
  private final long[] pokedNanoTime;
  private long expected;
  private long delivered;
  private long unexpected;

  /// Books for users 0 to `users` - 1.
  Deliveries(int users) {
    due = new int[users];
    pokedNanoTime = new long[users];
  }

  /// A poke of a user with `streams` open streams is about to be sent.
  void poked(int user, int streams, long nanoTime) {
    if (due[user] != 0) {
      throw new IllegalStateException("the last poke of user " + user + " is still on its way");
    }
    due[user] = streams;
    pokedNanoTime[user] = nanoTime;
    expected += streams;
  }

  /// A stream of a user got a sync.
  void delivered(int user, long nanoTime) {
    if (due[user] == 0) {
      unexpected++;
      return;
    }
    due[user]--;
    delivered++;
    latencyMicros.recordValue(Math.min((nanoTime - pokedNanoTime[user]) / 1_000, 60_000_000));
  }

  /// Whether syncs of a user's last poke are still to come.
  boolean isDue(int user) {
    return due[user] > 0;
  }

  /// How many syncs were due and have not come.
  long missing() {
    return expected - delivered;
  }

  /// How many syncs came.
  long count() {
    return delivered;
  }

  /// How many syncs nobody asked for.
  long unexpected() {
    return unexpected;
  }

  /// From the poke's sending to the sync's arrival, in milliseconds.
  ///
  /// @param percentile 0 to 100
  double latencyMillis(double percentile) {
    return latencyMicros.getValueAtPercentile(percentile) / 1_000.0;
  }

  /// Forgets the latencies and the counts so far; what is due stays due.
  void startOver() {
    expected -= delivered;
    delivered = 0;
    latencyMicros.reset();
  }
}
