package dev.replistream.db;

import java.util.function.Supplier;

/// Opens databases.
public final class Databases {
  private Databases() {}

  /// Opens a database as {@link #open} does, but makes no new file.
  ///
  /// @throws DatabaseStartException when it is not there, or can't be used
  public static Database openPresent(DbSettings settings, DatabaseListener listener) {
    return underItsKey(
        settings,
        () -> {
          if (settings.url().startsWith(SqliteFile.SCHEME)) {
            SqliteFile.requirePresent(settings.url());
          }
          return openNamed(settings, listener);
        });
  }

  /// Opens the database that the settings name and brings it to the schema of this version.
  ///
  /// @param listener hears of each transaction
  /// @throws DatabaseStartException when it can't be used
  public static Database open(DbSettings settings, DatabaseListener listener) {
    return underItsKey(settings, () -> openNamed(settings, listener));
  }

  private static Database underItsKey(DbSettings settings, Supplier<Database> opening) {
    try {
      return opening.get();
    } catch (DatabaseStartException e) {
      throw e.under(settings.urlKey());
    }
  }

  private static Database openNamed(DbSettings settings, DatabaseListener listener) {
    if (settings.url().startsWith(SqliteFile.SCHEME)) {
      return SqliteDatabase.open(
          settings.url(), Migrations.of(Dialect.SQLITE), listener, SqliteDatabase.PATIENCE);
    }
    if (settings.url().startsWith(PostgresServer.SCHEME)) {
      return PostgresDatabase.open(
          settings, Migrations.of(Dialect.POSTGRESQL), listener, PostgresServer.START_PATIENCE);
    }
    throw new DatabaseStartException(
        "a database is jdbc:sqlite:<file> or jdbc:postgresql://<host>/<database>");
  }
}
