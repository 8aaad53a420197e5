package dev.replistream.sync;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Lets a few pulls of each user read the database at a time. However many a user sends, those of
/// others find it free: there are several times as many snapshots. Thread-safe.
final class PullTurns {
  /// How many pulls of one user read at a time.
  static final int MAX_AT_ONCE = 2;

  /// How many pulls of one user wait for that, beyond those that read.
  static final int MAX_WAITING = 100;

  private static final Duration PATIENCE = Duration.ofSeconds(4);

  private final Map<String, Turns> turnsOfUsers = new ConcurrentHashMap<>();

  /// Those of one user, who has some under way.
  private static final class Turns {
    final Semaphore free = new Semaphore(MAX_AT_ONCE, true);
    int pulls; // changed and read within the map's compute
  }

  /// Runs a pull of a user when it is its turn.
  ///
  /// @throws TooManyPullsException when too many of the user's wait, or this one did for too long
  <T> T take(String userId, Supplier<T> pull) {
    Turns turns =
        turnsOfUsers.compute(
            userId,
            (_, known) -> {
              Turns counted = known == null ? new Turns() : known;
              if (counted.pulls >= MAX_AT_ONCE + MAX_WAITING) {
                throw new TooManyPullsException("too many pulls of the user wait");
              }
              counted.pulls++;
              return counted;
            });
    try {
      acquire(turns.free);
      try {
        return pull.get();
      } finally {
        turns.free.release();
      }
    } finally {
      turnsOfUsers.computeIfPresent(userId, (_, counted) -> --counted.pulls == 0 ? null : counted);
    }
  }

  private static void acquire(Semaphore free) {
    try {
      if (!free.tryAcquire(PATIENCE.toNanos(), TimeUnit.NANOSECONDS)) {
        throw new TooManyPullsException("too many pulls of the user are under way");
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new TooManyPullsException("the caller was interrupted");
    }
  }
}
