package dev.replistream.db;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/// A database of a PostgreSQL server. Works run on the threads of their callers. Thread-safe.
///
/// Whatever the server does or fails to do, a caller is answered within five seconds of the last
/// that was heard of it, and connections that broke are replaced by the next that ask for one.
final class PostgresDatabase implements Database {
  /// How often a transaction that loses against others is begun.
  private static final int MAX_ATTEMPTS = 10;

  /// After this long it is not begun again.
  private static final long MAX_ATTEMPTS_NANOS = Duration.ofSeconds(4).toNanos();

  /// The longest pause before the second attempt; it doubles with each one.
  private static final long FIRST_PAUSE_NANOS = Duration.ofMillis(2).toNanos();

  /// How long a snapshot waits for others to be given back.
  private static final long SNAPSHOT_PATIENCE_NANOS = Duration.ofSeconds(1).toNanos();

  private static final long PROBE_NANOS = Duration.ofSeconds(2).toNanos();

  /// Rows of a snapshot's result that are read at once. A value has up to 1 MiB.
  private static final int FETCH_ROWS = 64;

  /// Transactions and snapshots under way or waiting.
  private static final int MAX_USES = 16_384;

  private final PostgresPool pool;
  private final Semaphore snapshots;
  private final DatabaseListener listener;
  private final Availability availability = new Availability();
  private final Semaphore uses = new Semaphore(MAX_USES);
  private volatile boolean closed;

  private PostgresDatabase(PostgresPool pool, int maxSnapshots, DatabaseListener listener) {
    this.pool = pool;
    this.listener = listener;
    snapshots = new Semaphore(maxSnapshots, true);
  }

  /// Connects, and brings the database to the schema of this version.
  ///
  /// @param patience how long the server may be away now
  /// @throws DatabaseStartException when it is not reached, or can't be used
  static PostgresDatabase open(
      DbSettings settings, Migrations migrations, DatabaseListener listener, Duration patience) {
    PostgresServer server = new PostgresServer(settings);
    try (Connection connection = server.connectAtStart(patience)) {
      server.requireSession(connection);
      migrations.run(connection);
    } catch (SQLException e) {
      throw new DatabaseStartException("the schema can't be made (" + e.getMessage() + ")");
    }
    // snapshots that slow clients hold leave a quarter of the connections to writers
    int size = settings.poolSize();
    return new PostgresDatabase(server.pool(), Math.max(1, size - Math.ceilDiv(size, 4)), listener);
  }

  @Override
  public <T> T inTransaction(TransactionCallback<T> work) {
    long start = System.nanoTime();
    boolean committed = false;
    enter();
    try {
      T result = commitOrRetry(work, start);
      committed = true;
      return result;
    } finally {
      uses.release();
      listener.transactionEnded(Duration.ofNanos(System.nanoTime() - start), committed);
    }
  }

  private <T> T commitOrRetry(TransactionCallback<T> work, long start) {
    for (int attempt = 1; ; attempt++) {
      try {
        T result = commit(work);
        availability.succeeded();
        listener.groupCommitted(1);
        return result;
      } catch (Throwable thrown) { // the caller gets it, or another attempt makes up for it
        if (Failure.of(thrown) != Failure.CONFLICT
            || attempt == MAX_ATTEMPTS
            || System.nanoTime() - start >= MAX_ATTEMPTS_NANOS) {
          throw failed(thrown);
        }
        listener.transactionRetried();
        pause(attempt);
      }
    }
  }

  private <T> T commit(TransactionCallback<T> work) throws SQLException {
    try (Connection connection = pool.connect(System.nanoTime())) {
      try {
        JdbcSession session = new JdbcSession(connection, Dialect.POSTGRESQL, 0);
        T result = work.run(session);
        session.requireWhole();
        PostgresPool.commit(connection);
        return result;
      } catch (Throwable thrown) {
        PostgresPool.rollBack(connection);
        throw thrown;
      }
    }
  }

  @Override
  public <T> T inSnapshot(TransactionCallback<T> work) {
    long start = System.nanoTime();
    boolean succeeded = false;
    enter();
    try {
      acquireSnapshot();
      T result;
      try {
        result = read(work, start);
      } finally {
        snapshots.release();
      }
      succeeded = true;
      return result;
    } finally {
      uses.release();
      listener.snapshotEnded(Duration.ofNanos(System.nanoTime() - start), succeeded);
    }
  }

  private <T> T read(TransactionCallback<T> work, long start) {
    try (Connection connection = pool.connect(start)) {
      try {
        JdbcSession session = new JdbcSession(connection, Dialect.POSTGRESQL, FETCH_ROWS);
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
        T result = work.run(session);
        session.requireWhole();
        return result;
      } finally {
        PostgresPool.rollBack(connection);
      }
    } catch (Throwable thrown) { // the caller gets it
      throw failed(thrown);
    }
  }

  private void enter() {
    if (closed || !uses.tryAcquire()) {
      throw new DatabaseUnavailableException(
          closed ? "the database is closed" : "too many transactions wait for the database");
    }
  }

  private void acquireSnapshot() {
    try {
      if (!snapshots.tryAcquire(SNAPSHOT_PATIENCE_NANOS, TimeUnit.NANOSECONDS)) {
        throw new DatabaseUnavailableException("all snapshots are in use");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DatabaseUnavailableException("the caller was interrupted", e);
    }
  }

  /// An interrupt of the caller, as at the stop of the service, breaks the connection that they
  /// read from; that is no fault of the server.
  private RuntimeException failed(Throwable thrown) {
    if (Failure.of(thrown).isOfDatabase() && !Thread.currentThread().isInterrupted()) {
      availability.failed(thrown);
    }
    return Failure.forCaller(thrown);
  }

  /// Waits up to twice as long each time, for a random time, so that those who met part.
  private static void pause(int attempt) {
    long longestNanos = FIRST_PAUSE_NANOS << (attempt - 1);
    try {
      TimeUnit.NANOSECONDS.sleep(ThreadLocalRandom.current().nextLong(longestNanos));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DatabaseUnavailableException("the caller was interrupted", e);
    }
  }

  /// Asks on a thread of its own, as a server that hangs would take longer to be given up.
  @Override
  public boolean isAvailable() {
    CountDownLatch asked = new CountDownLatch(1);
    AtomicBoolean available = new AtomicBoolean();
    Thread.startVirtualThread(() -> {
      available.set(!closed && pool.takesWrites());
      asked.countDown();
    });
    try {
      return asked.await(PROBE_NANOS, TimeUnit.NANOSECONDS) && available.get();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Override
  public void close() {
    closed = true;
    uses.acquireUninterruptibly(MAX_USES);
    pool.close();
    uses.release(MAX_USES);
  }
}
