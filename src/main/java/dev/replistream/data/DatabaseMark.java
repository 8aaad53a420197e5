package dev.replistream.data;

import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.db.Dialect;
import dev.replistream.db.Session;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.UUID;

/// Tells whether a database is still as it was left at a stop, so that nobody has been told
/// anything new since. A mark can be used once: it is a random name in the database, and whoever
/// starts on the database takes it out. So neither a copy from before the stop, nor a database that
/// another process has used, has it.
///
/// A process that was running all the time, which only PostgreSQL allows, need not start. What it
/// writes raises the version of a space or of a client group, or adds a member, so the mark says
/// what those came to.
///
/// Thread-safe.
public final class DatabaseMark {
  private final Database database;

  /// The mark of a database.
  public DatabaseMark(Database database) {
    this.database = database;
  }

  /// Marks the database.
  ///
  /// @return the mark, to be compared with what {@link #take} says
  /// @throws dev.replistream.db.DatabaseUnavailableException when it does not answer, or is too
  ///   large to be looked through in four seconds (PostgreSQL)
  public String leave() {
    String name = UUID.randomUUID().toString();
    return database.inTransaction(session -> {
      PreparedStatement upsert =
          session.prepare(
              """
              INSERT INTO meta (name, content) VALUES ('mark', ?)
              ON CONFLICT (name) DO UPDATE SET content = excluded.content\
              """);
      upsert.setString(1, name);
      upsert.executeUpdate();
      return mark(session, name);
    });
  }

  /// Takes the mark out of the database. Call it before anything is written.
  ///
  /// @return the mark that the database deserves now; "" when there is none left, or it can't be
  ///   looked through
  /// @throws dev.replistream.db.DatabaseUnavailableException when it does not answer
  public String take() {
    String name =
        database.inTransaction(session -> {
          // one statement, so that of two processes one gets it
          PreparedStatement delete =
              session.prepare("DELETE FROM meta WHERE name = 'mark' RETURNING content");
          try (ResultSet row = delete.executeQuery()) {
            return row.next() ? row.getString(1) : "";
          }
        });
    if (name.isEmpty()) {
      return "";
    }
    try {
      return database.inSnapshot(session -> mark(session, name));
    } catch (DatabaseUnavailableException _) {
      return ""; // no reason not to start
    }
  }

  private static String mark(Session session, String name) throws SQLException {
    String epoch =
        first(
            session, "SELECT content FROM meta WHERE name = 'epoch'"); // an operator may change it
    return session.dialect() == Dialect.SQLITE
        ? epoch + " " + name
        : epoch
            + " "
            + name
            + " "
            + first(session, "SELECT coalesce(sum(version), 0) FROM space")
            + " "
            + first(session, "SELECT coalesce(sum(version), 0) FROM client_group")
            + " "
            + first(session, "SELECT count(*) FROM member");
  }

  private static String first(Session session, String sql) throws SQLException {
    try (ResultSet row = session.prepare(sql).executeQuery()) {
      return row.next() ? row.getString(1) : "";
    }
  }
}
