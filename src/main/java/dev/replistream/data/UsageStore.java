package dev.replistream.data;

import dev.replistream.db.Session;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// What spaces take of the disk, for those who look at it. Confined to the snapshot of its {@link
/// Session}.
public final class UsageStore {
  private final Session session;

  /// What spaces take, as a snapshot has it.
  public UsageStore(Session session) {
    this.session = session;
  }

  /// What a user takes, with all client records.
  ///
  /// @return bytes
  public long ofUser(String userId) throws SQLException {
    PreparedStatement select =
        session.prepare(
            "SELECT entry_bytes + tombstone_bytes + client_bytes FROM space WHERE id = ?");
    select.setString(1, Spaces.ofUser(userId));
    try (ResultSet row = select.executeQuery()) {
      return row.next() ? row.getLong(1) : 0;
    }
  }

  /// What each room of a user takes, in the order of the bytes of their ids.
  ///
  /// @return bytes by room
  public SequencedMap<String, Long> ofRoomsOf(String userId) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT m.room, s.entry_bytes + s.tombstone_bytes FROM member m
            JOIN space s ON s.id = 'r/' || m.room WHERE m.user_id = ? ORDER BY m.room\
            """);
    select.setString(1, userId);
    SequencedMap<String, Long> rooms = new LinkedHashMap<>();
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        rooms.put(row.getString(1), row.getLong(2));
      }
    }
    return rooms;
  }

  /// What the largest users, or rooms, take; deleted rooms are among them while they have
  /// tombstones.
  ///
  /// @param isRooms whether rooms are meant, and no users
  /// @return bytes, the most first
  public List<Long> largest(boolean isRooms, int count) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT entry_bytes + tombstone_bytes + client_bytes AS bytes FROM space
            WHERE id LIKE ? ORDER BY bytes DESC LIMIT ?\
            """);
    select.setString(1, isRooms ? "r/%" : "u/%");
    select.setInt(2, count);
    List<Long> largest = new ArrayList<>();
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        largest.add(row.getLong(1));
      }
    }
    return largest;
  }
}
