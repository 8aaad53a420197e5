package dev.replistream.http;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Lets a few long reads of each user be under way at a time, such as pulls. However many one user
/// sends, other users find the database free: there are several times as many snapshots.
/// Thread-safe.
public final class ReadTurns {
  /// How many of one user read at a time.
  static final int MAX_AT_ONCE = 2;

  /// How many of one user wait for that, beyond those that read.
  static final int MAX_WAITING = 100;

  private static final Duration PATIENCE = Duration.ofSeconds(4);

  private final String tooMany;
  private final long patienceNanos;

  private final Map<String, Turns> turnsOfUsers = new ConcurrentHashMap<>();

  /// Those of one user, who has some under way.
  private static final class Turns {
    final Semaphore free = new Semaphore(MAX_AT_ONCE);
    int reads; // changed and read within the map's compute
  }

  /// @param what they are, such as `pulls`
  public ReadTurns(String what) {
    this(what, PATIENCE);
  }

  /// @param patience how long each waits for its turn
  ReadTurns(String what, Duration patience) {
    tooMany =
        "Too many " + what + " of this user are under way; come again when they are answered.";
    patienceNanos = patience.toNanos();
  }

  /// Runs a read of a user when it is its turn.
  ///
  /// @throws TooMuchAtOnceException when too many of the user's wait, or this one did for too long
  public <T> T take(String userId, Supplier<T> read) {
    Turns turns =
        turnsOfUsers.compute(
            userId,
            (_, known) -> {
              Turns counted = known == null ? new Turns() : known;
              if (counted.reads >= MAX_AT_ONCE + MAX_WAITING) {
                throw new TooMuchAtOnceException(tooMany);
              }
              counted.reads++;
              return counted;
            });
    try {
      acquire(turns.free);
      try {
        return read.get();
      } finally {
        turns.free.release();
      }
    } finally {
      turnsOfUsers.computeIfPresent(userId, (_, counted) -> --counted.reads == 0 ? null : counted);
    }
  }

  private void acquire(Semaphore free) {
    try {
      if (!free.tryAcquire(patienceNanos, TimeUnit.NANOSECONDS)) {
        throw new TooMuchAtOnceException(tooMany);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new TooMuchAtOnceException("The server is stopping; come again.");
    }
  }
}
