package dev.replistream.stream;

import dev.replistream.poke.Poke;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
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
/// time, so that nobody is put off for ever. A waiting poke that is delivered when its user was
/// told of a later one already is told to nobody.
///
/// Thread-safe by its lock, under which nothing is delivered.
final class PokeSpread implements AutoCloseable {
  private static final int MAX_CONNECTIONS_AT_ONCE = 100;
  private static final Duration EACH = Duration.ofMillis(1);
  private static final Duration LONGEST = Duration.ofSeconds(10);

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

  /// Over how long a poke of so many connections is spread: nothing up to 100, then a millisecond
  /// for each, and ten seconds at the most.
  static Duration window(int connections) {
    if (connections <= MAX_CONNECTIONS_AT_ONCE) {
      return Duration.ZERO;
    }
    Duration window = EACH.multipliedBy(connections);
    return window.compareTo(LONGEST) < 0 ? window : LONGEST;
  }

  /// Delivers one poke each of some users evenly over `window`, in this order, the first one at
  /// once.
  void add(List<Poke> pokes, Duration window) {
    long now = System.nanoTime();
    lock.lock();
    try {
      for (int i = 0; i < pokes.size(); i++) {
        Poke poke = pokes.get(i);
        Poke before = waiting.get(poke.userId());
        if (before == null || before.stamp() < poke.stamp()) {
          waiting.put(poke.userId(), poke);
        }
        if (before == null) {
          turns.add(new Turn(poke.userId(), now + window.toNanos() * i / pokes.size()));
        }
      }
      isEarlier.signal();
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
        deliver.accept(next());
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
