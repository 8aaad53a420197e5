package dev.replistream.sync;

import dev.replistream.db.Database;
import dev.replistream.db.DatabaseListener;
import dev.replistream.db.Databases;
import dev.replistream.db.DbSettings;
import dev.replistream.db.Dialect;
import dev.replistream.db.TestPostgres;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Databases for tests of what is kept in them.
public final class TestDatabase {
  private TestDatabase() {}

  /// A new database in a file of a directory.
  public static Database sqlite(Path directory) {
    return Databases.open(
        new DbSettings(
            "jdbc:sqlite:" + directory.resolve("test.db"), Optional.empty(), Optional.empty(), 1),
        DatabaseListener.NONE);
  }

  /// A database of the test server.
  public static Database postgres(String url) {
    return Databases.open(TestPostgres.settings(url), DatabaseListener.NONE);
  }

  /// Deletes all data.
  static void clear(Database database) {
    for (String table :
        List.of(
            "space",
            "entry",
            "tombstone",
            "room",
            "member",
            "member_count",
            "invitation",
            "room_link",
            "folded_client",
            "client_group",
            "client",
            "former_epoch")) {
      execute(database, "DELETE FROM " + table);
    }
  }

  /// Runs a statement in a transaction of its own.
  public static int execute(Database database, String sql, @Nullable Object... parameters) {
    return database.inTransaction(session -> {
      var statement = session.prepare(sql);
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      return statement.executeUpdate();
    });
  }

  /// Gives a space entries `key1`, `key2` and so on with the value 1.
  static void fill(Database database, String space, int count, long version) {
    database.inTransaction(session -> {
      boolean isSqlite = session.dialect() == Dialect.SQLITE;
      var statement =
          session.prepare(
              """
              INSERT INTO entry (space, key, born, version, value, changed_at)
              WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
              SELECT ?, %1$s, ?, ?, %2$s, 0 FROM n\
              """
                  .formatted(
                      isSqlite ? "CAST('key' || i AS BLOB)" : "convert_to('key' || i, 'UTF8')",
                      isSqlite ? "X'31'" : "convert_to('1', 'UTF8')"));
      statement.setInt(1, count);
      statement.setString(2, space);
      statement.setLong(3, version);
      statement.setLong(4, version);
      return statement.executeUpdate();
    });
  }

  /// The number that a query of one finds.
  static long number(Database database, String sql, Object... parameters) {
    return database.inSnapshot(session -> {
      var statement = session.prepare(sql);
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      try (var row = statement.executeQuery()) {
        if (!row.next()) {
          throw new SQLException("no row");
        }
        return row.getLong(1);
      }
    });
  }
}
