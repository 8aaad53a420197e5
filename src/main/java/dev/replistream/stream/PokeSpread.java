package dev.replistream.stream;

import dev.replistream.poke.Poke;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Brings the pokes of big rooms to their users one after the other, so that the pulls which they
/// lead to do not come all at once.
///
/// At most one poke of a user waits, however many come: a later one takes its place and keeps its
/// time, so that nobody is put off for ever. A poke that waited is dropped if its user has been
/// told of a later one.
///
/// Thread-safe by its lock, under which nothing is delivered.
final class PokeSpread implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(PokeSpread.class.getName());

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition isEarlier = lock.newCondition();
  private final Map<String, Poke> waiting = new HashMap<>();
  private final PriorityQueue<Turn> turns =
      new PriorityQueue<>((one, other) -> Long.signum(one.nanoTime - other.nanoTime));

  private final Consumer<Poke> deliver;
  private final Thread thread;

  /// When a user's waiting poke is due, by `System.nanoTime`.
  private record Turn(String userId, long nanoTime) {}

  /// Delivers by `deliver`, on a thread of its own.
  PokeSpread(Consumer<Poke> deliver) {
    this.deliver = deliver;
    this.thread = Thread.ofVirtual().name("poke-spread").start(this::run);
  }

  /// Delivers a poke after a while.
  void add(Duration delay, Poke poke) {
    lock.lock();
    try {
      Poke before = waiting.get(poke.userId());
      if (before == null || before.stamp() < poke.stamp()) {
        waiting.put(poke.userId(), poke);
      }
      if (before == null) {
        turns.add(new Turn(poke.userId(), System.nanoTime() + delay.toNanos()));
        isEarlier.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  /// Delivers a user's waiting poke, if there is one, now and on this thread.
  void deliverNow(String userId) {
    Poke poke = takeWaiting(userId);
    if (poke != null) {
      deliver.accept(poke);
    }
  }

  private @Nullable Poke takeWaiting(String userId) {
    lock.lock();
    try {
      return waiting.remove(userId);
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    try {
      while (true) {
        Poke poke = next();
        try {
          deliver.accept(poke);
        } catch (Throwable e) { // the others wait for their turns
          LOGGER.log(Level.ERROR, "event=error where=poke-spread", e);
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  /// Waits for the next poke that is due.
  private Poke next() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (true) {
        Turn turn = turns.peek();
        long now = System.nanoTime();
        if (turn == null) {
          isEarlier.await();
        } else if (turn.nanoTime - now > 0) {
          isEarlier.awaitNanos(turn.nanoTime - now);
        } else {
          turns.remove();
          Poke poke = waiting.remove(turn.userId);
          if (poke != null) {
            return poke;
          }
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /// Ends the thread; what still waits is forgotten, so call it when nobody is connected any more.
  @Override
  public void close() {
    thread.interrupt();
  }
}
