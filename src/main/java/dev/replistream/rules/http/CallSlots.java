package dev.replistream.rules.http;

import dev.replistream.rules.RulesAwayException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Lets so many requests to the application be under way at a time, and a quarter of them for one
/// user, so that an application which is slow keeps few connections and threads busy. Whoever finds
/// no place within a second is to come again, and so is whoever finds many waiting. Thread-safe.
final class CallSlots {
  /// How many are under way at a time.
  static final int MAX = 64;

  /// How many of one user.
  static final int MAX_OF_USER = MAX / 4;

  /// How many wait.
  static final int MAX_WAITING = 256;

  private static final Duration PATIENCE = Duration.ofSeconds(1);

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition freed = lock.newCondition();

  // guarded by lock
  private final Map<String, Integer> ofUsers = new HashMap<>();
  private int taken;
  private int waiting;

  /// Waits for a place, and holds it until it is closed.
  ///
  /// @throws RulesAwayException when there is none in time
  Slot take(String userId) {
    lock.lock();
    try {
      if (!isFree(userId)) {
        await(userId);
      }
      taken++;
      ofUsers.merge(userId, 1, Integer::sum);
      return new Slot(userId);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new RulesAwayException("The server is stopping; come again.");
    } finally {
      lock.unlock();
    }
  }

  private void await(String userId) throws InterruptedException {
    long leftNanos = waiting < MAX_WAITING ? PATIENCE.toNanos() : 0;
    waiting++;
    try {
      while (!isFree(userId)) {
        if (leftNanos <= 0) {
          throw new RulesAwayException(
              "The application's rules are slow, and asked as often at a time as they may be; come again.");
        }
        leftNanos = freed.awaitNanos(leftNanos);
      }
    } finally {
      waiting--;
    }
  }

  private boolean isFree(String userId) {
    return taken < MAX && ofUsers.getOrDefault(userId, 0) < MAX_OF_USER;
  }

  /// A place of a user.
  final class Slot implements AutoCloseable {
    private final String userId;

    private Slot(String userId) {
      this.userId = userId;
    }

    @Override
    public void close() {
      lock.lock();
      try {
        taken--;
        ofUsers.computeIfPresent(userId, (_, count) -> count == 1 ? null : count - 1);
        freed.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }
}
