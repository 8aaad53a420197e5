package dev.replistream.poke;

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
/// Thread-safe without locks, except for the change of generations.
public final class Cursor {
  private final String epoch;
  private final int generationSize;
  private final AtomicLong counter = new AtomicLong();
  private volatile Generations generations = new Generations(0, 0);

  /// @param epoch names this run of the counter: lower-case letters and digits, at most 32
  /// @param generationSize how many users a generation holds; twice as many are remembered
  public Cursor(String epoch, int generationSize) {
    this.epoch = epoch;
    this.generationSize = generationSize;
  }

  /// Names this run of the counter.
  public String epoch() {
    return epoch;
  }

  /// Gives the next stamp and remembers it as the user's last.
  public long stamp(String userId) {
    long stamp = counter.incrementAndGet();
    Generations current = generations;
    current.young.merge(userId, stamp, Math::max);
    if (current.young.size() > generationSize) {
      retire(current);
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
    final ConcurrentMap<String, Long> young = new ConcurrentHashMap<>();
    final ConcurrentMap<String, Long> old;
    final long oldCeiling;
    final long floor;

    Generations(long oldCeiling, long floor) {
      this.old = new ConcurrentHashMap<>();
      this.oldCeiling = oldCeiling;
      this.floor = floor;
    }

    Generations(Generations retired, long counter) {
      this.old = retired.young;
      this.oldCeiling = counter;
      this.floor = retired.oldCeiling;
    }
  }
}
