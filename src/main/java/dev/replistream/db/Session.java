package dev.replistream.db;

import java.sql.PreparedStatement;
import java.sql.SQLException;

/// One open transaction or snapshot. Confined to the thread that runs its {@link
/// TransactionCallback}, and to its run.
public interface Session {
  /// A statement that is kept for the next use of the same text: set every parameter, run it, close
  /// its result set, and leave the statement itself open. Two results of one text at a time are not
  /// possible: running it again ends the first.
  ///
  /// @throws SQLException when the text is wrong, or the transaction can't go on
  PreparedStatement prepare(String sql) throws SQLException;

  /// Which database it is, for the few statements that differ.
  Dialect dialect();

  /// Runs `part` so that a failure of it undoes only what it did: its exception is thrown on after
  /// the transaction was rolled back to where `part` began, and the transaction goes on.
  ///
  /// Where the exception, or a cause of it, says that the whole transaction failed (a conflict with
  /// another one, a lost connection, a full disk, a missing privilege), there is nothing to go on
  /// with. It is thrown on too, but from then on {@link #prepare} and this method throw, and the
  /// work is retried or fails even if it returns: catching the exception can't turn it into a
  /// failure of `part`.
  <T> T inSavepoint(TransactionCallback<T> part) throws SQLException;
}
