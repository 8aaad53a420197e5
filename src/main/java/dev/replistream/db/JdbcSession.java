package dev.replistream.db;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// A session on a connection, with the statements that were prepared on it. Used by one thread at a
/// time.
final class JdbcSession implements Session, AutoCloseable {
  /// Texts whose statement is kept: the service has fewer, so that none is ever closed in use.
  private static final int MAX_STATEMENTS = 256;

  private final Connection connection;
  private final Dialect dialect;
  private final int fetchRows;
  private final SequencedMap<String, PreparedStatement> statements =
      new LinkedHashMap<>(64, 0.75f, true);
  private @Nullable Throwable loss;

  /// @param fetchRows how many rows of a result are read at once, 0 for the driver's own way
  JdbcSession(Connection connection, Dialect dialect, int fetchRows) {
    this.connection = connection;
    this.dialect = dialect;
    this.fetchRows = fetchRows;
  }

  @Override
  public PreparedStatement prepare(String sql) throws SQLException {
    requireWhole();
    PreparedStatement kept = statements.get(sql);
    if (kept != null) {
      return kept;
    }
    PreparedStatement made = connection.prepareStatement(sql);
    made.setFetchSize(fetchRows);
    statements.put(sql, made);
    if (statements.size() > MAX_STATEMENTS) {
      statements.pollFirstEntry().getValue().close();
    }
    return made;
  }

  @Override
  public Dialect dialect() {
    return dialect;
  }

  @Override
  public <T> T inSavepoint(TransactionCallback<T> part) throws SQLException {
    execute("SAVEPOINT part");
    try {
      T result = part.run(this);
      execute("RELEASE SAVEPOINT part");
      return result;
    } catch (Throwable thrown) {
      if (Failure.of(thrown) == Failure.OWN) {
        undo(thrown);
      } else {
        loss = thrown;
      }
      throw thrown;
    }
  }

  private void undo(Throwable thrown) {
    try {
      execute("ROLLBACK TO SAVEPOINT part");
      execute("RELEASE SAVEPOINT part");
    } catch (SQLException e) {
      e.addSuppressed(thrown);
      loss = new SQLNonTransientConnectionException("a part can't be undone", e);
    }
  }

  /// Runs a statement without parameters or result.
  void execute(String sql) throws SQLException {
    prepare(sql).execute();
  }

  /// Refuses to go on with a transaction of which something was lost.
  void requireWhole() throws SQLException {
    if (loss != null) {
      throw new SQLException("the transaction can't go on", loss);
    }
  }

  /// Closes the connection and with it the statements.
  @Override
  public void close() {
    try {
      connection.close();
    } catch (SQLException _) {
      // there is nothing left to be done with it
    }
  }
}
