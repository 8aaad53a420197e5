package dev.replistream.db;

import java.sql.SQLException;

/// What is done in one transaction. It may be run again from the start after a conflict, so it
/// changes nothing but the database; and on another thread than the caller's.
///
/// It sees each `SQLException` of its statements as the driver throws it, and lets it through, as
/// it is or as the cause of another exception: {@link Database} tells by it whether the transaction
/// is to be retried. To go on after a failure it uses {@link Session#inSavepoint}. One that
/// swallows the exception of a statement instead has a transaction that is broken on PostgreSQL and
/// may be gone on SQLite.
@FunctionalInterface
public interface TransactionCallback<T> {
  /// Does the work; whatever it throws rolls all of it back.
  T run(Session session) throws SQLException;
}
