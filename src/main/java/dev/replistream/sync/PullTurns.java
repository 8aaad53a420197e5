package dev.replistream.sync;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Lets a few pulls of each user read the database at a time. However many one user sends, other
/// users find the database free: there are several times as many snapshots. Thread-safe.
final class PullTurns {
  /// How many pulls of one user read at a time.
  static final int MAX_AT_ONCE = 2;

  /// How many pulls of one user wait for that, beyond those that read.
  static final int MAX_WAITING = 100;

  private static final Duration PATIENCE = Duration.ofSeconds(4);

  private static final String TOO_MANY =
      "Too many pulls of this user are under way; come again when they are answered.";

  private final long patienceNanos;

  private final Map<String, Turns> turnsOfUsers = new ConcurrentHashMap<>();

  /// Those of one user, who has some under way.
  private static final class Turns {
    final Semaphore free = new Semaphore(MAX_AT_ONCE);
    int pulls; // changed and read within the map's compute
  }

  PullTurns() {
    this(PATIENCE);
  }

  /// @param patience how long a pull waits for its turn
  PullTurns(Duration patience) {
    patienceNanos = patience.toNanos();
  }

  /// Runs a pull of a user when it is its turn.
  ///
  /// @throws TooMuchAtOnceException when too many of the user's wait, or this one did for too long
  <T> T take(String userId, Supplier<T> pull) {
    Turns turns =
        turnsOfUsers.compute(
            userId,
            (_, known) -> {
              Turns counted = known == null ? new Turns() : known;
              if (counted.pulls >= MAX_AT_ONCE + MAX_WAITING) {
                throw new TooMuchAtOnceException(TOO_MANY);
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

  private void acquire(Semaphore free) {
    try {
      if (!free.tryAcquire(patienceNanos, TimeUnit.NANOSECONDS)) {
        throw new TooMuchAtOnceException(TOO_MANY);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new TooMuchAtOnceException("The server is stopping; come again.");
    }
  }
}
