package dev.replistream.db;

import java.time.Duration;

/// Hears what the database does, to count it. Thread-safe; each method returns at once and throws
/// nothing, as the thread that calls it has transactions to run.
public interface DatabaseListener {
  /// Hears nothing.
  DatabaseListener NONE = new DatabaseListener() {};

  /// A transaction ended.
  ///
  /// @param duration what its caller waited, from the call to the commit or the rollback
  /// @param committed whether it was kept
  default void transactionEnded(Duration duration, boolean committed) {}

  /// A snapshot was given back.
  ///
  /// @param duration what its caller waited, with all that the work did in between
  /// @param succeeded whether the work came to its end
  default void snapshotEnded(Duration duration, boolean succeeded) {}

  /// A transaction lost against another one and begins anew.
  default void transactionRetried() {}

  /// Some transactions were committed at once.
  ///
  /// @param works how many, those included that were rolled back alone; on PostgreSQL always 1
  default void groupCommitted(int works) {}
}
