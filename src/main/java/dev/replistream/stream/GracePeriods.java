package dev.replistream.stream;

import static java.util.Objects.requireNonNull;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// The users whose last connection has ended, and who count as present until their grace period is
/// over. It is as long for all, so whoever left first goes first.
///
/// Thread-safe by its own monitor, under which nobody is let go.
final class GracePeriods implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(GracePeriods.class.getName());
  private static final long NEVER = Long.MAX_VALUE;

  private final SequencedMap<String, Long> leftNanoTime = new LinkedHashMap<>();
  private final long graceNanos;
  private final int limit;
  private final Consumer<String> letGo;
  private final Thread thread;

  /// @param limit how many users may be waited for; none where there is no grace
  /// @param letGo called on a thread of its own with each user whose time is up
  GracePeriods(Duration grace, int limit, Consumer<String> letGo) {
    this.graceNanos = grace.toNanos();
    this.limit = grace.isZero() ? 0 : limit;
    this.letGo = letGo;
    this.thread = Thread.ofVirtual().name("grace-periods").start(this::run);
  }

  /// Begins the grace period of a user who has none yet.
  ///
  /// @return whose period ended for it, if there were too many
  synchronized Optional<String> add(String userId, long nowNanos) {
    leftNanoTime.put(userId, nowNanos);
    if (leftNanoTime.size() > limit) {
      return Optional.of(removeFirst());
    }
    if (leftNanoTime.size() == 1) {
      notifyAll(); // of several, the first is waited for already
    }
    return Optional.empty();
  }

  /// The user is back, so the period ends.
  synchronized void cancel(String userId) {
    leftNanoTime.remove(userId);
  }

  synchronized boolean contains(String userId) {
    return leftNanoTime.containsKey(userId);
  }

  private void run() {
    try {
      while (true) {
        String userId = next();
        try {
          letGo.accept(userId);
        } catch (Throwable e) { // the others wait for their time
          LOGGER.log(Level.ERROR, "event=error where=grace-periods", e);
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  /// Waits till the time of the first one is up, and takes it.
  private synchronized String next() throws InterruptedException {
    while (true) {
      Map.Entry<String, Long> first = leftNanoTime.firstEntry();
      long left = first == null ? NEVER : first.getValue() + graceNanos - System.nanoTime();
      if (left <= 0) {
        return removeFirst();
      }
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
  }

  private String removeFirst() {
    return requireNonNull(leftNanoTime.pollFirstEntry()).getKey();
  }

  /// Ends the thread.
  @Override
  public void close() {
    thread.interrupt();
  }
}
