package dev.replistream.db;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;

/// A database in a file of SQLite. Works run on threads of its own, as a call of SQLite would hold
/// the carrier of a virtual thread: one thread writes, a few read. Thread-safe.
final class SqliteDatabase implements Database {
  /// How long a work may wait to be run, so that its caller is answered within five seconds.
  static final Duration PATIENCE = Duration.ofSeconds(4);

  private static final long PROBE_NANOS = Duration.ofSeconds(2).toNanos();

  private final SqliteFile file;
  private final SqliteWriter writer;
  private final SqliteReaders readers;
  private final DatabaseListener listener;
  private final long patienceNanos;

  private SqliteDatabase(
      SqliteFile file, JdbcSession session, DatabaseListener listener, Duration patience) {
    this.file = file;
    patienceNanos = patience.toNanos();
    this.listener = listener;
    Availability availability = new Availability();
    writer = new SqliteWriter(file, session, listener, availability);
    readers = new SqliteReaders(file, availability, patienceNanos);
  }

  /// Opens the file, makes it if it is missing, and brings it to the schema of this version.
  ///
  /// @param patience how long a work may wait to be run
  /// @throws DatabaseStartException when the file can't be used
  static SqliteDatabase open(
      String url, Migrations migrations, DatabaseListener listener, Duration patience) {
    SqliteFile file = SqliteFile.open(url);
    try {
      return new SqliteDatabase(file, migrated(file, migrations), listener, patience);
    } catch (SQLException e) {
      file.close();
      throw new DatabaseStartException(
          "can't use the file %s (%s)".formatted(file, e.getMessage()));
    } catch (Throwable thrown) {
      file.close();
      throw thrown;
    }
  }

  private static JdbcSession migrated(SqliteFile file, Migrations migrations) throws SQLException {
    Connection connection = file.connectWriter();
    try {
      migrations.run(connection);
      return new JdbcSession(connection, Dialect.SQLITE, 0);
    } catch (Throwable thrown) {
      connection.close();
      throw thrown;
    }
  }

  @Override
  public <T> T inTransaction(TransactionCallback<T> work) {
    long start = System.nanoTime();
    boolean committed = false;
    try {
      T result = writer.submit(work).await(patienceNanos);
      committed = true;
      return result;
    } finally {
      listener.transactionEnded(Duration.ofNanos(System.nanoTime() - start), committed);
    }
  }

  @Override
  public <T> T inSnapshot(TransactionCallback<T> work) {
    long start = System.nanoTime();
    boolean succeeded = false;
    try {
      T result = readers.read(work);
      succeeded = true;
      return result;
    } finally {
      listener.snapshotEnded(Duration.ofNanos(System.nanoTime() - start), succeeded);
    }
  }

  /// Writes a row, as a disk that is full can still be read.
  @Override
  public boolean isAvailable() {
    try {
      return writer
          .submit(session ->
              session
                  .prepare("UPDATE meta SET content = content WHERE name = 'epoch'")
                  .executeUpdate())
          .succeedsWithin(PROBE_NANOS);
    } catch (DatabaseUnavailableException _) {
      return false;
    }
  }

  @Override
  public void close() {
    readers.close();
    writer.close(); // the last one writes the log into the file
    file.close();
  }
}
