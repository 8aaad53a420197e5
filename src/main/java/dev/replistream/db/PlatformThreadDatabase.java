package dev.replistream.db;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// A database whose transactions run on a few platform threads, whatever threads ask for them.
/// Thread-safe.
public final class PlatformThreadDatabase implements Database {
  /// Transactions that may wait. More than run within the time that a caller waits.
  private static final int MAX_WAITING = 16_384;

  private final Database database;
  private final ExecutorService threads;

  /// @param database the one to use, which this one closes
  /// @param count how many transactions run at a time
  public PlatformThreadDatabase(Database database, int count) {
    this.database = database;
    ThreadFactory factory =
        work -> {
          Thread thread = new Thread(null, work, "transactions", TransactionTask.STACK_BYTES);
          thread.setDaemon(true);
          return thread;
        };
    threads =
        new ThreadPoolExecutor(
            count, count, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(MAX_WAITING), factory);
  }

  @Override
  public <T> T inTransaction(TransactionCallback<T> work) {
    TransactionTask<T> task = new TransactionTask<>(work);
    try {
      threads.execute(() -> {
        if (task.take()) {
          task.run(database);
          task.tell();
        }
      });
    } catch (RejectedExecutionException _) {
      throw new DatabaseUnavailableException(
          threads.isShutdown()
              ? "the database is closed"
              : "too many transactions wait for the database");
    }
    return task.await(SqliteDatabase.PATIENCE.toNanos());
  }

  @Override
  public <T> T inSnapshot(TransactionCallback<T> work) {
    return database.inSnapshot(work);
  }

  @Override
  public boolean isAvailable() {
    return database.isAvailable();
  }

  @Override
  public void close() {
    threads.close();
    database.close();
  }
}
