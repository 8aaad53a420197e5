package dev.replistream.nodes;

import dev.replistream.json.Json;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;

/// Whether Redis is away, and what this node has done meanwhile that the others do not know of. It
/// begins as an outage. Thread-safe.
final class Outage {
  private static final Logger LOGGER = System.getLogger(Outage.class.getName());

  /// How many users are noted while Redis is away; beyond it all nodes' streams get a `sync`.
  private static final int MAX_NOTED = 100_000;

  private final AtomicLongArray highestStamps; // by shard
  private final Semaphore wakeups = new Semaphore(0);
  private volatile boolean isUp; // written under this
  private volatile boolean isMended;
  private volatile boolean mustMend = true;
  private volatile boolean isClosed;
  // guarded by this
  private final Set<String> noted = new HashSet<>();
  private boolean hasMoreThanNoted;
  private boolean isTold;

  Outage(int shards) {
    this.highestStamps = new AtomicLongArray(shards);
  }

  /// Whether Redis can be asked.
  boolean isUp() {
    return isUp;
  }

  /// Whether Redis can be asked, and all is recovered.
  boolean isOver() {
    return isUp && isMended;
  }

  /// Takes note of a stamp that was given, here or elsewhere.
  void seen(int shard, long stamp) {
    highestStamps.accumulateAndGet(shard, stamp, Math::max);
  }

  /// The highest stamp that this node knows of.
  long highestStamp(int shard) {
    return highestStamps.get(shard);
  }

  /// Takes note that Redis is away.
  void begins(Throwable why) {
    boolean isFirst;
    synchronized (this) {
      isFirst = !isTold;
      isTold = true;
      isUp = false;
      isMended = false;
      mustMend = true;
    }
    if (isFirst && !isClosed) {
      LOGGER.log(Level.WARNING, "event=redis-lost reason=" + Json.quoted(root(why).toString()));
      wakeups.release();
    }
  }

  private static Throwable root(Throwable e) {
    Throwable cause = e.getCause();
    return cause == null ? e : root(cause);
  }

  /// Notes a user whose poke the other nodes have not heard of.
  ///
  /// @return a stamp above all that clients of this node have seen, and below all that Redis will
  ///   give after; 0 when the others can be told now
  synchronized long note(String userId, int shard) {
    if (isUp) {
      return 0;
    }
    if (noted.size() < MAX_NOTED) {
      noted.add(userId);
    } else {
      hasMoreThanNoted = true;
    }
    return highestStamps.incrementAndGet(shard);
  }

  /// Whether users were poked beyond those that are noted.
  synchronized boolean hasMoreThanNoted() {
    return hasMoreThanNoted;
  }

  /// The users who are noted, for who pokes them on the other nodes; from now on none is.
  synchronized Set<String> takeNoted() {
    Set<String> taken = Set.copyOf(noted);
    noted.clear();
    hasMoreThanNoted = false;
    return taken;
  }

  /// Another node can't say what all nodes have to recover from.
  void mustBeMended() {
    mustMend = true;
    wakeups.release();
  }

  /// Redis does not know this node any more, or has lost stamps.
  void forgotten() {
    if (isUp) {
      isMended = false;
      mustMend = true;
    }
  }

  /// Whether there is anything to recover from.
  boolean mustMend() {
    return mustMend;
  }

  /// The recovery begins. What needs one from here on comes after it.
  void recovering() {
    mustMend = false;
  }

  /// The recovery failed, and begins anew.
  void notMended() {
    mustMend = true;
  }

  /// Redis can be asked again.
  synchronized void up() {
    isUp = true;
  }

  /// All is recovered, unless Redis went away meanwhile.
  synchronized void recovered() {
    isTold = !isUp;
    isMended = isUp;
  }

  /// Waits for an outage or a request for recovery to begin.
  ///
  /// @return whether one did in time
  boolean awaitWakeup(Duration timeout) throws InterruptedException {
    boolean isWoken = wakeups.tryAcquire(timeout.toMillis(), TimeUnit.MILLISECONDS);
    wakeups.drainPermits();
    return isWoken;
  }

  /// The service stops, and the log need not tell of Redis any more.
  void close() {
    isClosed = true;
  }

  /// Tells the log of those whom this node has not poked for the others.
  synchronized void warnOfNoted() {
    if (!noted.isEmpty()) {
      LOGGER.log(
          Level.WARNING,
          "event=pokes-untold users={0} reason=\"Redis is away\"",
          String.valueOf(noted.size()));
    }
  }
}
