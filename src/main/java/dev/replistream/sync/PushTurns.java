package dev.replistream.sync;

import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.http.TooMuchAtOnceException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Lets long pushes go on a few at a time, and one of each user: beyond its first batch a push
/// waits here. So however many long ones there are, an ordinary push has a few batches before it.
/// Whoever waits for half a minute is to come again. Thread-safe.
final class PushTurns {
  private static final int MAX_TURNS = 3;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final long patienceNanos;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition freed = lock.newCondition();
  private final Set<String> users = new HashSet<>(); // guarded by lock

  PushTurns() {
    this(PATIENCE);
  }

  /// @param patience how long a push waits for its turn
  PushTurns(Duration patience) {
    patienceNanos = patience.toNanos();
  }

  /// Waits for a turn of `userId`, and holds it until it is closed.
  ///
  /// @throws TooMuchAtOnceException when that takes too long
  /// @throws DatabaseUnavailableException when the thread is interrupted
  Turn take(String userId) {
    lock.lock();
    try {
      long leftNanos = patienceNanos;
      while (users.size() >= MAX_TURNS || users.contains(userId)) {
        if (leftNanos <= 0) {
          throw new TooMuchAtOnceException(
              users.contains(userId)
                  ? "A long push of this user is under way; come again when it is answered."
                  : "The server is at work on as many long pushes as it takes at a time; come again.");
        }
        leftNanos = freed.awaitNanos(leftNanos);
      }
      users.add(userId);
      return new Turn(userId);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DatabaseUnavailableException("a push was interrupted", e);
    } finally {
      lock.unlock();
    }
  }

  /// One user's turn.
  final class Turn implements AutoCloseable {
    private final String userId;

    private Turn(String userId) {
      this.userId = userId;
    }

    @Override
    public void close() {
      lock.lock();
      try {
        users.remove(userId);
        freed.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }
}
