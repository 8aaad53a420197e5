package dev.replistream.db;

/// The database behind one entry for writing and one for reading. Thread-safe; a work does not call
/// the database that runs it, as it would wait for itself.
///
/// Of what a {@link TransactionCallback} throws, callers see: a runtime exception or an error as it
/// is, unless it or a cause of it is an `SQLException` that says that the database can't do it now,
/// which becomes a {@link DatabaseUnavailableException}; and any other `SQLException` as a {@link
/// StatementFailedException}. An interrupt gives up work that waits, reaches work that runs, and
/// stays with the caller.
public interface Database extends AutoCloseable {
  /// Runs `work` in one transaction. When this returns, the work survives a power cut; when it
  /// throws, nothing of it was kept.
  ///
  /// Isolation: on SQLite writers run one after the other. On PostgreSQL each statement sees what
  /// was committed before it began, so work locks the rows that it decides by; after a conflict
  /// (SQLSTATE 40001 or 40P01, of a statement or of the commit) the work is run again, up to ten
  /// times within four seconds.
  ///
  /// A database that is away is answered for within five seconds. Work that runs is never given up
  /// before it ends, but a statement of PostgreSQL takes four seconds and waits for a lock three
  /// seconds at most.
  ///
  /// @throws DatabaseUnavailableException when the database can't do it now
  /// @throws StatementFailedException when the database refused a statement
  <T> T inTransaction(TransactionCallback<T> work);

  /// Runs `work` on one snapshot of what was committed before its first statement, read-only. It
  /// may take its time with the result, which is read bit by bit, but it holds one of few
  /// connections meanwhile: one of eight threads on SQLite, three quarters of the pool on
  /// PostgreSQL.
  ///
  /// @throws DatabaseUnavailableException when the database can't do it now
  /// @throws StatementFailedException when the database refused a statement
  <T> T inSnapshot(TransactionCallback<T> work);

  /// Whether the database takes transactions now; takes about two seconds at most.
  boolean isAvailable();

  /// Closes all connections; work under way ends first. What is asked for from then on is refused
  /// with a {@link DatabaseUnavailableException}.
  @Override
  void close();
}
