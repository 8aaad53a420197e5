package dev.replistream.db;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

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

  private static final long SNAPSHOT_PATIENCE_NANOS = Duration.ofMillis(1_500).toNanos();
  private static final int PROBE_MILLIS = 2_000;

  /// Rows of a snapshot's result that are read at once. A value has up to 1 MiB.
  private static final int FETCH_ROWS = 64;

  /// The least that is left for the server to answer when everything else took its time.
  private static final int LEAST_SILENCE_MILLIS = 500;

  /// Transactions and snapshots under way or waiting.
  private static final int MAX_USES = 16_384;

  private final HikariDataSource pool;
  private final Semaphore snapshots;
  private final DatabaseListener listener;
  private final Availability availability = new Availability();
  private final Semaphore uses = new Semaphore(MAX_USES);
  private volatile boolean closed;

  private PostgresDatabase(HikariDataSource pool, int maxSnapshots, DatabaseListener listener) {
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
      migrations.run(connection);
    } catch (SQLException e) {
      throw new DatabaseStartException("the schema can't be made (" + e.getMessage() + ")");
    }
    // snapshots that slow clients hold leave a quarter of the connections to writers
    int size = settings.poolSize();
    return new PostgresDatabase(server.pool(), Math.max(1, size - Math.ceilDiv(size, 4)), listener);
  }

  @Override
  public <T> T inTransaction(Work<T> work) {
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

  private <T> T commitOrRetry(Work<T> work, long start) {
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

  private <T> T commit(Work<T> work) throws SQLException {
    try (Connection connection = connect(System.nanoTime())) {
      try {
        JdbcSession session = new JdbcSession(connection, Dialect.POSTGRESQL, 0);
        T result = work.run(session);
        session.requireWhole();
        requireGoing(connection);
        commit(connection);
        return result;
      } catch (Throwable thrown) {
        rollBack(connection);
        throw thrown;
      }
    }
  }

  private static void commit(Connection connection) throws SQLException {
    try {
      connection.commit();
    } catch (SQLException e) {
      throw new CommitException(e);
    }
  }

  /// Refuses to commit a transaction of which a statement failed, as the server would roll it back
  /// and the driver not say so.
  private static void requireGoing(Connection connection) throws SQLException {
    if (connection.unwrap(BaseConnection.class).getTransactionState() == TransactionState.FAILED) {
      throw new SQLException("the work went on after a statement that failed", "25P02");
    }
  }

  @Override
  public <T> T inSnapshot(Work<T> work) {
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

  private <T> T read(Work<T> work, long start) {
    try (Connection connection = connect(start)) {
      try {
        JdbcSession session = new JdbcSession(connection, Dialect.POSTGRESQL, FETCH_ROWS);
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
        T result = work.run(session);
        session.requireWhole();
        return result;
      } finally {
        rollBack(connection);
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

  /// A connection whose server may be silent for what is left of the time since `start`.
  private Connection connect(long start) throws SQLException {
    return connect(start, PostgresServer.SILENCE.toMillis());
  }

  private Connection connect(long start, long patienceMillis) throws SQLException {
    Connection connection;
    try {
      connection = pool.getConnection();
    } catch (SQLException e) {
      throw new SQLTransientConnectionException("no connection to PostgreSQL", e);
    }
    long spentMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
    try {
      connection.setNetworkTimeout(
          Runnable::run, (int) Math.max(LEAST_SILENCE_MILLIS, patienceMillis - spentMillis));
      return connection;
    } catch (SQLException e) {
      connection.close();
      throw e;
    }
  }

  private static void rollBack(Connection connection) {
    try {
      connection.rollback();
    } catch (SQLException _) {
      // the server does it when the connection ends, and the pool throws that away
    }
  }

  private RuntimeException failed(Throwable thrown) {
    if (Failure.of(thrown).isOfDatabase()) {
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

  /// Whether the server takes transactions that write: one that stands by for another does not.
  @Override
  public boolean isAvailable() {
    if (closed) {
      return false;
    }
    try (Connection connection = connect(System.nanoTime(), PROBE_MILLIS);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SHOW transaction_read_only")) {
      return row.next() && "off".equals(row.getString(1));
    } catch (SQLException _) {
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
