package dev.replistream.db;

/// The databases that can be used.
public enum Dialect {
  /// SQLite: one file, one writer at a time, so a row needs no lock.
  SQLITE,
  /// PostgreSQL: many writers; a row is locked with `FOR UPDATE`.
  POSTGRESQL
}
