package dev.replistream.data;

import dev.replistream.db.Database;
import dev.replistream.db.Session;
import java.security.SecureRandom;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HexFormat;

/// The name of a database's history, which each cookie carries. A database that was set back to a
/// backup gets another one: the same versions mean something else from then on. Thread-safe:
/// stateless.
public final class Epoch {
  private static final int BYTES = 8;

  private Epoch() {}

  /// An epoch that has ended, and the one that follows it.
  ///
  /// @param clientGroups how many the database has
  public record Change(String former, String present, long clientGroups) {}

  /// Gives a database that was set back a new epoch, in one transaction and in constant time. Nodes
  /// that run on it go by that from then on.
  ///
  /// @param isLate whether the service has run on the database since it was set back. What was
  ///   acknowledged since can't be told from what was lost then, so every client begins anew that
  ///   has anything acknowledged
  /// @throws dev.replistream.db.DatabaseUnavailableException when the database does not answer
  public static Change end(Database database, boolean isLate) {
    byte[] bytes = new byte[BYTES];
    new SecureRandom().nextBytes(bytes);
    String next = HexFormat.of().formatHex(bytes);
    return database.inTransaction(session -> {
      String former = first(session, "SELECT content FROM meta WHERE name = 'epoch'");
      if (isLate) {
        PreparedStatement insert =
            session.prepare(
                """
                INSERT INTO former_epoch (group_id, epoch, version) VALUES ('', ?, 0)
                ON CONFLICT DO NOTHING\
                """);
        insert.setString(1, former);
        insert.executeUpdate();
      }
      PreparedStatement update =
          session.prepare("UPDATE meta SET content = ? WHERE name = 'epoch'");
      update.setString(1, next);
      update.executeUpdate();
      long groups = Long.parseLong(first(session, "SELECT count(*) FROM client_group"));
      return new Change(former, next, groups);
    });
  }

  private static String first(Session session, String sql) throws SQLException {
    try (ResultSet row = session.prepare(sql).executeQuery()) {
      if (!row.next()) {
        throw new IllegalStateException("the database has no epoch");
      }
      return row.getString(1);
    }
  }
}
