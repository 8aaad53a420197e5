package dev.replistream.poke;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;

/// Remembers the stamp of each user's last poke, so that comparing it with a client's id answers
/// "did it miss one?" without a log of events.
///
/// Memory is bounded: the stamps stand in two generations, and when the younger one is full the
/// older one is forgotten. Of a forgotten user it is only known that the last poke was not after
/// {@link Generations#floor}; a client of that user whose id is older gets a `sync` that it may not
/// have needed, and never misses one that it did.
///
/// It counts until {@link #close}, after which another one can go on from its {@link CursorState}.
///
/// Thread-safe without locks, except for the change of generations.
public final class Cursor {
  private final String epoch;
  private final int generationSize;
  private final AtomicLong counter;
  private volatile Generations generations;
  private volatile boolean closed;

  /// One that begins to count.
  ///
  /// @param epoch names this run of the counter: lower-case letters and digits, at most 32
  /// @param generationSize how many users a generation holds; twice as many are remembered
  public Cursor(String epoch, int generationSize) {
    this(CursorState.begin(epoch), generationSize);
  }

  /// One that goes on from where another one was closed.
  ///
  /// @param generationSize may differ from the other one's
  public Cursor(CursorState state, int generationSize) {
    this.epoch = state.epoch();
    this.generationSize = generationSize;
    this.counter = new AtomicLong(state.counter());
    this.generations = new Generations(state);
  }

  /// Names this run of the counter.
  public String epoch() {
    return epoch;
  }

  /// Gives the next stamp and remembers it as the user's last.
  ///
  /// @throws IllegalStateException after {@link #close}, whose state knows nothing of this poke
  public long stamp(String userId) {
    long stamp = counter.incrementAndGet();
    Generations current = generations;
    current.young.merge(userId, stamp, Math::max);
    if (current.young.size() > generationSize) {
      retire(current);
    }
    // after the merge: either this sees that it came too late, or the state has the stamp
    if (closed) {
      throw new IllegalStateException("no poke is taken any more: the service has stopped");
    }
    return stamp;
  }

  /// The stamp of the user's last poke; where it was forgotten, the latest it can have been.
  public long latest(String userId) {
    Generations current = generations;
    long latest =
        Math.max(current.young.getOrDefault(userId, 0L), current.old.getOrDefault(userId, 0L));
    return Math.max(latest, current.floor);
  }

  /// Ends the counting. Each stamp that was ever given is in the state, or below its floor.
  public CursorState close() {
    closed = true;
    Generations last = generations;
    Map<String, Long> young = Map.copyOf(last.young);
    Map<String, Long> old = Map.copyOf(last.old);
    // read last, so that it is not below the stamp of a poke that came too late
    return new CursorState(epoch, counter.get(), last.oldCeiling, last.floor, young, old);
  }

  private synchronized void retire(Generations full) {
    if (generations == full) {
      generations = new Generations(full, counter.get());
    }
  }

  /// Two maps from user to last stamp.
  ///
  /// Whoever merged into `young` had its stamp before it saw these generations, so before they
  /// retired: no stamp in `old` is above `oldCeiling`.
  private static final class Generations {
    final ConcurrentMap<String, Long> young;
    final ConcurrentMap<String, Long> old;
    final long oldCeiling;
    final long floor;

    Generations(CursorState state) {
      this.young = new ConcurrentHashMap<>(state.young());
      this.old = new ConcurrentHashMap<>(state.old());
      this.oldCeiling = state.oldCeiling();
      this.floor = state.floor();
    }

    Generations(Generations retired, long counter) {
      this.young = new ConcurrentHashMap<>();
      this.old = retired.young;
      this.oldCeiling = counter;
      this.floor = retired.oldCeiling;
    }
  }
}
