package dev.replistream.db;

import java.sql.SQLException;

/// What is done in one transaction. It may be run again from the start after a conflict, so it
/// changes nothing but the database; and on another thread than the caller's.
@FunctionalInterface
public interface Work<T> {
  /// Does the work; whatever it throws rolls all of it back.
  T run(Session session) throws SQLException;
}
