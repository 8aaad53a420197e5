package dev.replistream.sync;

import dev.replistream.api.Key;
import dev.replistream.data.Spaces;
import dev.replistream.db.Database;
import dev.replistream.db.Session;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/// Removes the tombstones of entries that were deleted long ago, in small transactions, and notes
/// in each space how far that went: a cookie from before it gets the whole view. Thread-safe, also
/// where several nodes do it.
final class Tombstones {
  /// How many are removed in one transaction: no push waits for more.
  static final int BATCH = 500;

  private final Database database;

  Tombstones(Database database) {
    this.database = database;
  }

  private record Tombstone(Key key, long died) {}

  /// Removes what was deleted before a time.
  ///
  /// @param stop is asked after each transaction
  /// @return how many
  int remove(Instant deletedBefore, BooleanSupplier stop) {
    int removed = 0;
    int found;
    do {
      found = 0;
      for (Map.Entry<String, List<Tombstone>> space : find(deletedBefore).entrySet()) {
        found += space.getValue().size();
        removed +=
            database.inTransaction(session -> remove(session, space.getKey(), space.getValue()));
        if (stop.getAsBoolean()) {
          return removed;
        }
      }
    } while (found == BATCH);
    return removed;
  }

  private Map<String, List<Tombstone>> find(Instant deletedBefore) {
    return database.inSnapshot(session -> {
      PreparedStatement select =
          session.prepare(
              """
              SELECT space, key, died FROM tombstone WHERE changed_at < ?
              ORDER BY changed_at LIMIT ?\
              """);
      select.setLong(1, deletedBefore.toEpochMilli());
      select.setInt(2, BATCH);
      Map<String, List<Tombstone>> found = new HashMap<>();
      try (ResultSet row = select.executeQuery()) {
        while (row.next()) {
          found
              .computeIfAbsent(row.getString(1), _ -> new ArrayList<>())
              .add(new Tombstone(Key.ofBytes(row.getBytes(2)), row.getLong(3)));
        }
      }
      return found;
    });
  }

  /// Removes those that no other node has removed.
  private static int remove(Session session, String space, List<Tombstone> tombstones)
      throws SQLException {
    new Spaces(session).lock(space); // before its entries, as a push does
    int removed = 0;
    long compacted = 0;
    for (Tombstone tombstone : tombstones) {
      PreparedStatement delete =
          session.prepare("DELETE FROM tombstone WHERE space = ? AND died = ? AND key = ?");
      delete.setString(1, space);
      delete.setLong(2, tombstone.died);
      delete.setBytes(3, tombstone.key.bytes());
      if (delete.executeUpdate() > 0) {
        removed++;
        compacted = Math.max(compacted, tombstone.died);
      }
    }
    PreparedStatement update =
        session.prepare("UPDATE space SET compacted = ? WHERE id = ? AND compacted < ?");
    update.setLong(1, compacted);
    update.setString(2, space);
    update.setLong(3, compacted);
    update.executeUpdate();
    return removed;
  }
}
