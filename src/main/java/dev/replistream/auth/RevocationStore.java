package dev.replistream.auth;

import dev.replistream.auth.Revocation.Kind;
import dev.replistream.db.Database;
import dev.replistream.db.Dialect;
import dev.replistream.db.Session;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The revocations in the database. Each has a version, counted under the lock of one row, so that
/// versions follow the order of commits and nobody who has seen one misses an earlier one.
/// Thread-safe.
final class RevocationStore {
  private final Database database;
  private final int max;

  /// @param max how many are kept
  RevocationStore(Database database, int max) {
    this.database = database;
    this.max = max;
  }

  /// Revocations that were read.
  ///
  /// @param version the highest of theirs
  record Page(List<Revocation> revocations, long version) {
    Page {
      revocations = List.copyOf(revocations);
    }
  }

  /// Whether other processes may write here too.
  boolean isShared() {
    return database.inSnapshot(Session::dialect) == Dialect.POSTGRESQL;
  }

  /// Those that hold and have a version above `version`, in the order of their versions.
  Page newerThan(long version, Instant now) {
    return database.inSnapshot(session -> {
      var select =
          session.prepare(
              """
              SELECT kind, subject, revoked_at, expires_at, version FROM revocation
              WHERE version > ? AND expires_at > ? ORDER BY version\
              """);
      select.setLong(1, version);
      select.setLong(2, now.toEpochMilli());
      List<Revocation> revocations = new ArrayList<>();
      long last = version;
      try (ResultSet row = select.executeQuery()) {
        while (row.next()) {
          revocations.add(
              new Revocation(
                  Kind.valueOf(row.getString(1).toUpperCase(Locale.ROOT)),
                  row.getString(2),
                  Instant.ofEpochMilli(row.getLong(3)),
                  Instant.ofEpochMilli(row.getLong(4))));
          last = row.getLong(5);
        }
      }
      return new Page(revocations, last);
    });
  }

  /// Keeps a revocation, in place of an older one of the same subject, and forgets those that have
  /// lapsed.
  ///
  /// @return whether there was room for it
  boolean add(Revocation revocation) {
    return database.inTransaction(session -> {
      session.prepare("UPDATE revocation_version SET version = version + 1").executeUpdate();
      removeExpired(session, revocation.revokedAt());
      if (count(session, revocation) >= max) {
        return false;
      }
      var insert =
          session.prepare(
              """
              INSERT INTO revocation (kind, subject, revoked_at, expires_at, version)
              SELECT ?, ?, ?, ?, version FROM revocation_version WHERE true
              ON CONFLICT (kind, subject) DO UPDATE SET version = excluded.version,
                revoked_at = CASE WHEN excluded.revoked_at > revocation.revoked_at
                  THEN excluded.revoked_at ELSE revocation.revoked_at END,
                expires_at = CASE WHEN excluded.expires_at > revocation.expires_at
                  THEN excluded.expires_at ELSE revocation.expires_at END\
              """);
      insert.setString(1, label(revocation.kind()));
      insert.setString(2, revocation.subject());
      insert.setLong(3, revocation.revokedAt().toEpochMilli());
      insert.setLong(4, revocation.expiresAt().toEpochMilli());
      insert.executeUpdate();
      return true;
    });
  }

  /// Forgets those that have lapsed.
  void removeExpired(Instant now) {
    database.inTransaction(session -> removeExpired(session, now));
  }

  private static int removeExpired(Session session, Instant now) throws SQLException {
    var delete = session.prepare("DELETE FROM revocation WHERE expires_at <= ?");
    delete.setLong(1, now.toEpochMilli());
    return delete.executeUpdate();
  }

  /// How many there are of other subjects.
  private static int count(Session session, Revocation revocation) throws SQLException {
    var count =
        session.prepare("SELECT count(*) FROM revocation WHERE NOT (kind = ? AND subject = ?)");
    count.setString(1, label(revocation.kind()));
    count.setString(2, revocation.subject());
    try (ResultSet row = count.executeQuery()) {
      row.next();
      return row.getInt(1);
    }
  }

  private static String label(Kind kind) {
    return kind.name().toLowerCase(Locale.ROOT);
  }
}
