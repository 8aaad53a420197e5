package dev.replistream.db;

/// The database behind one entry for writing and one for reading. Thread-safe.
public interface Database extends AutoCloseable {
  /// Runs `work` in one transaction. When this returns, the work survives a power cut; when it
  /// throws, nothing of it was kept.
  ///
  /// Isolation: on SQLite writers run one after the other. On PostgreSQL each statement sees what
  /// was committed before it began, so work locks the rows that it decides by.
  ///
  /// @throws DatabaseUnavailableException when the database can't do it now
  <T> T inTransaction(Work<T> work);

  /// Runs `work` on one snapshot of what was committed before, read-only.
  ///
  /// @throws DatabaseUnavailableException when the database can't do it now
  <T> T inSnapshot(Work<T> work);

  /// Whether the database answers now; takes at most two seconds.
  boolean isAvailable();

  /// Closes all connections; work under way ends first.
  @Override
  void close();
}
