package dev.replistream.sync;

import dev.replistream.api.Key;
import dev.replistream.data.Spaces;
import dev.replistream.data.StorageSettings;
import dev.replistream.data.Usage;
import dev.replistream.db.Database;
import dev.replistream.db.Session;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/// Removes the tombstones of entries that were deleted long ago, the oldest of a space that has
/// very many, and those of deleted rooms where these have very many together, in small
/// transactions, and notes in each space how far that went: a cookie from before it gets the whole
/// view. Thread-safe, also where several nodes do it.
final class Tombstones {
  /// How many are removed in one transaction: no push waits for more.
  static final int BATCH = 500;

  /// The share of a space's limit from which on its oldest tombstones are removed, and the one that
  /// is left then.
  private static final int SHARE = 8;

  private static final int SHARE_LEFT = 16;

  private static final int SPACES_PER_LOOK = 500;

  private static final String DELETED_ROOMS =
      """
      FROM space s WHERE s.id LIKE 'r/%' AND s.tombstone_bytes > 0
      AND NOT EXISTS (SELECT 1 FROM room r WHERE r.id = substr(s.id, 3))\
      """;

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

  /// Removes the oldest tombstones of each space whose tombstones take more than an eighth of its
  /// limit, until they take half of that.
  ///
  /// @param stop is asked after each transaction
  /// @return how many
  int removeOldest(StorageSettings limits, BooleanSupplier stop) {
    int removed = 0;
    int removedBefore;
    List<String> spaces;
    do {
      removedBefore = removed;
      spaces = findCrowded(limits);
      for (String space : spaces) {
        removed += removeOldest(space, limits.limit(space) / SHARE_LEFT, stop);
        if (stop.getAsBoolean()) {
          return removed;
        }
      }
    } while (spaces.size() == SPACES_PER_LOOK && removed > removedBefore);
    return removed;
  }

  private List<String> findCrowded(StorageSettings limits) {
    return database.inSnapshot(session -> {
      PreparedStatement select =
          session.prepare(
              """
              SELECT id FROM space WHERE tombstone_bytes > CASE WHEN id LIKE 'r/%' THEN ? ELSE ? END
              LIMIT ?\
              """);
      select.setLong(1, share(limits.perRoom()));
      select.setLong(2, share(limits.perUser()));
      select.setInt(3, SPACES_PER_LOOK);
      List<String> found = new ArrayList<>();
      try (ResultSet row = select.executeQuery()) {
        while (row.next()) {
          found.add(row.getString(1));
        }
      }
      return found;
    });
  }

  /// Removes the tombstones of deleted rooms where these take more together than one room may,
  /// until they take half of that; those of the largest go first, as few former members see it.
  ///
  /// @param stop is asked after each transaction
  /// @return how many
  int removeOfDeletedRooms(StorageSettings limits, BooleanSupplier stop) {
    long tooMuch = ofDeletedRooms() - limits.perRoom();
    if (limits.perRoom() == 0 || tooMuch <= 0) {
      return 0;
    }
    tooMuch += limits.perRoom() / 2;
    int removed = 0;
    Map<String, Long> rooms;
    do {
      rooms = findDeletedRooms();
      for (Map.Entry<String, Long> room : rooms.entrySet()) {
        removed += removeOldest(room.getKey(), 0, stop);
        tooMuch -= room.getValue();
        if (tooMuch <= 0 || stop.getAsBoolean()) {
          return removed;
        }
      }
    } while (rooms.size() == SPACES_PER_LOOK);
    return removed;
  }

  private long ofDeletedRooms() {
    return database.inSnapshot(session -> {
      try (ResultSet row =
          session
              .prepare("SELECT CAST(SUM(s.tombstone_bytes) AS BIGINT) " + DELETED_ROOMS)
              .executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    });
  }

  private Map<String, Long> findDeletedRooms() {
    return database.inSnapshot(session -> {
      PreparedStatement select =
          session.prepare(
              "SELECT s.id, s.tombstone_bytes "
                  + DELETED_ROOMS
                  + " ORDER BY s.tombstone_bytes DESC LIMIT ?");
      select.setInt(1, SPACES_PER_LOOK);
      Map<String, Long> found = new LinkedHashMap<>();
      try (ResultSet row = select.executeQuery()) {
        while (row.next()) {
          found.put(row.getString(1), row.getLong(2));
        }
      }
      return found;
    });
  }

  private static long share(long limit) {
    return limit == 0 ? Long.MAX_VALUE : limit / SHARE;
  }

  /// Removes the oldest tombstones of a space until they take no more than `left` bytes.
  private int removeOldest(String space, long left, BooleanSupplier stop) {
    int removed = 0;
    int batch;
    do {
      batch = database.inTransaction(session -> removeOldest(session, space, left));
      removed += batch;
    } while (batch > 0 && !stop.getAsBoolean());
    return removed;
  }

  private static int removeOldest(Session session, String space, long left) throws SQLException {
    Spaces spaces = new Spaces(session);
    spaces.lock(space);
    long tooMuch = spaces.usage(space).tombstones() - left;
    PreparedStatement select =
        session.prepare(
            "SELECT died, key FROM tombstone WHERE space = ? ORDER BY died, key LIMIT ?");
    select.setString(1, space);
    select.setInt(2, BATCH);
    List<Tombstone> oldest = new ArrayList<>();
    try (ResultSet row = select.executeQuery()) {
      while (tooMuch > 0 && row.next()) {
        Tombstone tombstone = new Tombstone(Key.ofBytes(row.getBytes(2)), row.getLong(1));
        oldest.add(tombstone);
        tooMuch -= Usage.ofTombstone(tombstone.key).total();
      }
    }
    return remove(session, spaces, space, oldest);
  }

  private static int remove(Session session, String space, List<Tombstone> tombstones)
      throws SQLException {
    Spaces spaces = new Spaces(session);
    spaces.lock(space); // before its entries, as a push does
    return remove(session, spaces, space, tombstones);
  }

  /// Removes those that no other node has removed.
  private static int remove(
      Session session, Spaces spaces, String space, List<Tombstone> tombstones)
      throws SQLException {
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
        spaces.count(space, Usage.ofTombstone(tombstone.key).negated());
        compacted = Math.max(compacted, tombstone.died);
      }
    }
    PreparedStatement update =
        session.prepare("UPDATE space SET compacted = ? WHERE id = ? AND compacted < ?");
    update.setLong(1, compacted);
    update.setString(2, space);
    update.setLong(3, compacted);
    update.executeUpdate();
    spaces.saveUsage();
    return removed;
  }
}
