package dev.replistream.db;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

/// The connections to a PostgreSQL server. Whoever takes one closes it, which gives it back; one
/// that broke is replaced. Thread-safe.
final class PostgresPool implements AutoCloseable {
  /// The least that is left for the server to answer when everything else took its time.
  private static final int LEAST_SILENCE_MILLIS = 500;

  private final HikariDataSource connections;

  PostgresPool(HikariDataSource connections) {
    this.connections = connections;
  }

  /// A connection whose server may be silent for what is left of the time since `startNanos`.
  Connection connect(long startNanos) throws SQLException {
    Connection connection;
    try {
      connection = connections.getConnection();
    } catch (SQLException e) {
      throw new SQLTransientConnectionException("no connection to PostgreSQL", e);
    }
    long left = PostgresServer.SILENCE.minusNanos(System.nanoTime() - startNanos).toMillis();
    try {
      connection.setNetworkTimeout(Runnable::run, (int) Math.max(LEAST_SILENCE_MILLIS, left));
      return connection;
    } catch (SQLException e) {
      connection.close();
      throw e;
    }
  }

  /// Commits, unless a statement of the transaction failed: the server would roll it back, and the
  /// driver not say so.
  static void commit(Connection connection) throws SQLException {
    if (connection.unwrap(BaseConnection.class).getTransactionState() == TransactionState.FAILED) {
      throw new SQLException("the work went on after a statement that failed", "25P02");
    }
    try {
      connection.commit();
    } catch (SQLException e) {
      throw new CommitException(e);
    }
  }

  static void rollBack(Connection connection) {
    try {
      connection.rollback();
    } catch (SQLException _) {
      // the server does it when the connection ends, and the pool throws that away
    }
  }

  /// Whether the server takes transactions that write: one that stands by for another does not.
  boolean takesWrites() {
    try (Connection connection = connect(System.nanoTime());
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SHOW transaction_read_only")) {
      return row.next() && "off".equals(row.getString(1));
    } catch (SQLException _) {
      return false;
    }
  }

  @Override
  public void close() {
    connections.close();
  }
}
