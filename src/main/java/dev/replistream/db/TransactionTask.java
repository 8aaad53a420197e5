package dev.replistream.db;

import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A work that one thread waits for and another one runs. Thread-safe.
final class TransactionTask<T> {
  /// The stack of a thread that runs works: what a deep recursion of a mutator may take. Only what
  /// is used costs memory.
  static final long STACK_BYTES = 4 << 20;

  private enum State {
    WAITING,
    TAKEN,
    GIVEN_UP
  }

  private final TransactionCallback<T> work;
  private final CountDownLatch told = new CountDownLatch(1);
  private final Object lock = new Object();
  private State state = State.WAITING; // guarded by lock
  private @Nullable Thread runner; // guarded by lock

  // written before told, read after it
  private @Nullable T result;
  private @Nullable Throwable failure;
  private boolean unavailable;

  TransactionTask(TransactionCallback<T> work) {
    this.work = work;
  }

  /// Takes the task for this thread, unless its caller gave it up.
  boolean take() {
    synchronized (lock) {
      if (state != State.WAITING) {
        return false;
      }
      state = State.TAKEN;
      runner = Thread.currentThread();
      return true;
    }
  }

  /// Runs the work of a task that this thread took. The caller is told by {@link #tell} or {@link
  /// #fail} how it ended.
  void run(JdbcSession session) {
    end(() -> {
      T returned = work.run(session);
      session.requireWhole();
      return returned;
    });
  }

  /// Runs the work of a task that this thread took in a transaction of `database`. The caller is
  /// told by {@link #tell} how it ended.
  void run(Database database) {
    end(() -> database.inTransaction(work));
  }

  private void end(Callable<T> running) {
    try {
      result = running.call();
    } catch (Throwable thrown) { // the caller's, not this thread's
      failure = thrown;
    } finally {
      synchronized (lock) {
        runner = null;
      }
      Thread.interrupted(); // it was meant for the work
    }
  }

  /// What the work threw.
  @Nullable Throwable failure() {
    return failure;
  }

  /// Tells the caller how the work ended.
  void tell() {
    told.countDown();
  }

  /// Tells the caller that the database failed, and the work with it.
  void fail(Throwable cause) {
    failure = cause;
    unavailable = true;
    told.countDown();
  }

  /// Waits till the work has ended, however long it runs once it was taken. An interrupt gives up a
  /// task that was not taken yet and reaches the work of one that was; the caller's thread keeps
  /// it.
  ///
  /// @param patienceNanos how long the task may wait to be taken
  /// @throws DatabaseUnavailableException when it was not taken, or the database failed
  T await(long patienceNanos) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          if (!told.await(patienceNanos, TimeUnit.NANOSECONDS)) {
            giveUp("the database is too busy");
            told.await();
          }
          return outcome();
        } catch (InterruptedException _) {
          interrupted = true;
          giveUp("the caller was interrupted");
          interruptRunner();
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void giveUp(String reason) {
    synchronized (lock) {
      if (state == State.WAITING) {
        state = State.GIVEN_UP;
        throw new DatabaseUnavailableException(reason);
      }
    }
  }

  private void interruptRunner() {
    synchronized (lock) {
      if (runner != null) {
        runner.interrupt();
      }
    }
  }

  @SuppressWarnings("NullAway") // without a failure there is a result
  private T outcome() {
    if (failure != null) {
      throw unavailable ? Failure.unavailable(failure) : Failure.forCaller(failure);
    }
    return result;
  }

  /// Whether the work succeeds within `nanos`; otherwise nobody waits for it any more.
  boolean succeedsWithin(long nanos) {
    try {
      return told.await(nanos, TimeUnit.NANOSECONDS) && failure == null;
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
