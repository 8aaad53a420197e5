package dev.replistream.db;

import java.sql.SQLException;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The threads that read, each with a connection of its own while it does. They wait for nobody.
/// Thread-safe.
final class SqliteReaders implements AutoCloseable {
  /// Snapshots at a time. On one disk more gain nothing; fewer would let some slow clients, each of
  /// which may take a snapshot for seconds, keep out everybody else.
  static final int MAX_SNAPSHOTS = 8;

  private final SqliteFile file;
  private final Availability availability;
  private final long patienceNanos;
  private final Semaphore permits = new Semaphore(MAX_SNAPSHOTS, true);
  private final ExecutorService threads =
      Executors.newFixedThreadPool(
          MAX_SNAPSHOTS, Thread.ofPlatform().name("sqlite-reader-", 1).daemon().factory());
  private final Deque<JdbcSession> idle = new ConcurrentLinkedDeque<>();

  /// @param patienceNanos how long a snapshot waits for others to be given back
  SqliteReaders(SqliteFile file, Availability availability, long patienceNanos) {
    this.file = file;
    this.availability = availability;
    this.patienceNanos = patienceNanos;
  }

  /// Runs a work on a snapshot.
  <T> T read(TransactionCallback<T> work) {
    acquire();
    try {
      TransactionTask<T> task = new TransactionTask<>(work);
      threads.execute(() -> run(task));
      return task.await(patienceNanos);
    } catch (RejectedExecutionException _) {
      throw new DatabaseUnavailableException("the database is closed");
    } finally {
      permits.release();
    }
  }

  private void acquire() {
    try {
      if (!permits.tryAcquire(patienceNanos, TimeUnit.NANOSECONDS)) {
        throw new DatabaseUnavailableException("all snapshots are in use");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DatabaseUnavailableException("the caller was interrupted", e);
    }
  }

  private void run(TransactionTask<?> task) {
    if (!task.take()) {
      return;
    }
    JdbcSession session;
    try {
      session = begin();
    } catch (Throwable thrown) { // the caller is told, whatever it is
      availability.failed(thrown);
      task.fail(thrown);
      return;
    }
    task.run(session);
    end(session, task.failure());
    task.tell();
  }

  private JdbcSession begin() throws SQLException {
    file.requireInPlace();
    JdbcSession session = idle.pollFirst();
    if (session == null) {
      session = new JdbcSession(file.connectReader(), Dialect.SQLITE, 0);
    }
    try {
      session.execute("BEGIN");
      return session;
    } catch (SQLException e) {
      session.close();
      throw e;
    }
  }

  private void end(JdbcSession session, @Nullable Throwable failure) {
    if (failure != null && Failure.of(failure).isOfDatabase()) {
      availability.failed(failure);
    }
    try {
      session.requireWhole();
      session.execute("ROLLBACK");
      if (failure == null || Failure.of(failure) == Failure.OWN) {
        idle.addFirst(session);
        return;
      }
    } catch (SQLException _) {
      // what the work read is as good; the next one gets another connection
    }
    session.close();
  }

  /// Waits for the snapshots in use, then closes the connections.
  @Override
  public void close() {
    threads.shutdown();
    Uninterruptibly.run(() -> threads.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS));
    idle.forEach(JdbcSession::close);
    idle.clear();
  }
}
