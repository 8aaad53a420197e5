package dev.replistream.db;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Work with the database that is done from time to time, beside the requests. What fails is
/// logged, and done the next time.
///
/// It owns one thread, from {@link #start} to {@link #close}, which are for one thread; {@link
/// #isClosing} may be called by any. The thread is never interrupted: a transaction that is costs a
/// connection, and leaves unknown whether it was committed.
public final class Upkeep implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(Upkeep.class.getName());

  private final String name;
  private final Runnable work;
  private final CountDownLatch closing = new CountDownLatch(1);
  private @Nullable Thread thread;

  /// Upkeep that was not started.
  ///
  /// @param name as the log names it
  /// @param work may throw {@link DatabaseUnavailableException} when it could not be done to its
  ///   end
  public Upkeep(String name, Runnable work) {
    this.name = name;
    this.work = work;
  }

  /// Begins to do the work.
  ///
  /// @param first after which it is done for the first time
  /// @param pause from the end of one time to the next
  public void start(Duration first, Duration pause) {
    thread = Thread.ofVirtual().name(name).start(() -> run(first, pause));
  }

  private void run(Duration first, Duration pause) {
    try {
      Duration next = first;
      while (!closing.await(next.toNanos(), TimeUnit.NANOSECONDS)) {
        workOrLog();
        next = pause;
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void workOrLog() {
    try {
      work.run();
    } catch (DatabaseUnavailableException _) {
      // the database has told the log
    } catch (RuntimeException e) {
      LOGGER.log(Level.ERROR, "event=error where=" + name, e);
    }
  }

  /// Whether the thread is to end, for work that takes long.
  public boolean isClosing() {
    return closing.getCount() == 0;
  }

  /// Ends the thread; a transaction under way ends first.
  @Override
  public void close() {
    closing.countDown();
    Thread running = thread;
    if (running != null) {
      try {
        running.join();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
