package dev.replistream.db;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Work with the database that is done from time to time, or when it is asked for, beside the
/// requests. What fails is logged, and done the next time.
///
/// It owns one thread, from {@link #start} to {@link #close}, which are for one thread; {@link
/// #wake} and {@link #isClosing} may be called by any. The thread is never interrupted: a
/// transaction that is costs a connection, and leaves unknown whether it was committed.
public final class Upkeep implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(Upkeep.class.getName());

  private final String name;
  private final Runnable work;
  private final Semaphore calls = new Semaphore(0);
  private volatile boolean closing;
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
      await(first);
      while (!closing) {
        workOrLog();
        await(pause);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /// Waits till it is time, or somebody calls.
  private void await(Duration time) throws InterruptedException {
    if (calls.tryAcquire(time.toNanos(), TimeUnit.NANOSECONDS)) {
      calls.drainPermits();
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
    return closing;
  }

  /// Lets the work be done now; where it is under way, once more after that.
  public void wake() {
    calls.release();
  }

  /// Ends the thread; a transaction under way ends first.
  @Override
  public void close() {
    closing = true;
    wake();
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
