package dev.replistream.db;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;

/// A database whose transactions run on a few platform threads, whatever threads ask for them.
/// Thread-safe.
public final class PlatformThreadDatabase implements Database {
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
    threads = Executors.newFixedThreadPool(count, factory);
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
      throw new DatabaseUnavailableException("the database is closed");
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
