package dev.replistream.db;

import java.sql.PreparedStatement;
import java.sql.SQLException;

/// One open transaction or snapshot. Confined to the thread that runs its {@link Work}.
public interface Session {
  /// A statement that is kept for the next use of the same text: set every parameter, run it, close
  /// its result set, and leave the statement itself open.
  PreparedStatement prepare(String sql) throws SQLException;

  /// Which database it is, for the few statements that differ.
  Dialect dialect();

  /// Runs `part` so that a failure of it undoes only what it did: its exception is thrown on after
  /// the transaction was rolled back to where `part` began, and the transaction goes on.
  <T> T inSavepoint(Work<T> part) throws SQLException;
}
