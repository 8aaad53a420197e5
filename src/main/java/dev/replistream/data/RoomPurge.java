package dev.replistream.data;

import dev.replistream.db.Session;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// How the entries of a deleted room become tombstones: some at a time, as a room may have more of
/// them than one statement gets through in its time. Nobody sees those that are left, since a room
/// without members is in no client view; till the last of them is purged the room's row stays.
///
/// Confined to the transaction of its {@link Session}.
public final class RoomPurge {
  /// How many entries one statement purges, which takes a fraction of a second.
  public static final int BATCH = 5_000;

  private static final String SIZES = "COUNT(*), SUM(octet_length(key)), SUM(octet_length(value))";

  private final Session session;
  private final Spaces spaces;
  private final long nowMillis;
  private int purged;

  /// A purge in a transaction.
  ///
  /// @param spaces the spaces of the same transaction
  /// @param now when the entries are deleted
  public RoomPurge(Session session, Spaces spaces, Instant now) {
    this.session = session;
    this.spaces = spaces;
    this.nowMillis = now.toEpochMilli();
  }

  /// Some of the deleted rooms that have entries left.
  ///
  /// @param max how many at most
  public static List<String> pending(Session session, int max) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT r.id FROM room r
            WHERE NOT EXISTS (SELECT 1 FROM member m WHERE m.room = r.id) LIMIT ?\
            """);
    select.setInt(1, max);
    List<String> rooms = new ArrayList<>();
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        rooms.add(row.getString(1));
      }
    }
    return rooms;
  }

  /// Purges the next batch of a deleted room; with its last one the room is forgotten.
  ///
  /// @return how many entries: {@link #BATCH} when there may be more
  public int next(String room) throws SQLException {
    spaces.lock(Spaces.ofRoom(room));
    int batch = isDeleted(room) ? purgeOrForget(room) : 0; // another one may have taken the id
    spaces.saveUsage();
    return batch;
  }

  /// Purges the first batch of a room whose members have just gone. The caller holds its lock.
  void begin(String room) throws SQLException {
    spaces.leaveBehind(Spaces.ofRoom(room));
    purgeOrForget(room);
  }

  /// Purges all that is left of a deleted room, so that its id can be taken. The caller holds its
  /// lock.
  void finish(String room) throws SQLException {
    while (purgeOrForget(room) == BATCH) {
      // till none is left
    }
  }

  /// How many entries this has purged.
  int purged() {
    return purged;
  }

  /// Whether the room was deleted and has entries left. The caller holds its lock.
  boolean isDeleted(String room) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT 1 FROM room r
            WHERE r.id = ? AND NOT EXISTS (SELECT 1 FROM member m WHERE m.room = r.id)\
            """);
    select.setString(1, room);
    try (ResultSet row = select.executeQuery()) {
      return row.next();
    }
  }

  private int purgeOrForget(String room) throws SQLException {
    int batch = purge(Spaces.ofRoom(room));
    purged += batch;
    if (batch < BATCH) {
      PreparedStatement delete = session.prepare("DELETE FROM room WHERE id = ?");
      delete.setString(1, room);
      delete.executeUpdate();
    }
    return batch;
  }

  /// The oldest come first. What was born with the version of its death was in nobody's view, and
  /// gets no tombstone; it is deleted at once, as there is no more of it than this transaction has
  /// written.
  private int purge(String space) throws SQLException {
    long version = spaces.raise(space);
    deleteUnseen(space, version);
    Last last = last(space);
    PreparedStatement count =
        session.prepare(
            "SELECT " + SIZES + " FROM entry WHERE space = ? AND (version, key) <= (?, ?)");
    last.set(count, 1, space);
    Usage sizes = sizes(count);
    spaces.count(space, new Usage(-sizes.entries(), sizes.tombstones(), 0));
    PreparedStatement purge =
        session.prepare(
            """
            INSERT INTO tombstone (space, died, key, born, changed_at)
            SELECT space, ?, key, born, ? FROM entry WHERE space = ? AND (version, key) <= (?, ?)\
            """);
    purge.setLong(1, version);
    purge.setLong(2, nowMillis);
    last.set(purge, 3, space);
    int batch = purge.executeUpdate();
    PreparedStatement delete =
        session.prepare("DELETE FROM entry WHERE space = ? AND (version, key) <= (?, ?)");
    last.set(delete, 1, space);
    delete.executeUpdate();
    return batch;
  }

  private void deleteUnseen(String space, long version) throws SQLException {
    PreparedStatement count =
        session.prepare(
            "SELECT " + SIZES + " FROM entry WHERE space = ? AND version = ? AND born = ?");
    PreparedStatement delete =
        session.prepare("DELETE FROM entry WHERE space = ? AND version = ? AND born = ?");
    for (PreparedStatement each : List.of(count, delete)) {
      each.setString(1, space);
      each.setLong(2, version);
      each.setLong(3, version);
    }
    spaces.count(space, new Usage(-sizes(count).entries(), 0, 0));
    delete.executeUpdate();
  }

  /// What the entries of a query are, and their tombstones would be.
  private static Usage sizes(PreparedStatement select) throws SQLException {
    try (ResultSet row = select.executeQuery()) {
      row.next();
      long tombstones = Usage.ROW_BYTES * row.getLong(1) + row.getLong(2);
      return new Usage(tombstones + row.getLong(3), tombstones, 0);
    }
  }

  /// The last entry of a batch, in the order of versions and keys. Both statements find the batch
  /// by it: joined by its keys, PostgreSQL may compare each with each, while it knows nothing of
  /// the tables.
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  private record Last(long version, byte[] key) {
    void set(PreparedStatement statement, int from, String space) throws SQLException {
      statement.setString(from, space);
      statement.setLong(from + 1, version);
      statement.setBytes(from + 2, key);
    }
  }

  private Last last(String space) throws SQLException {
    PreparedStatement select =
        session.prepare(
            "SELECT version, key FROM entry WHERE space = ? ORDER BY version, key LIMIT 1 OFFSET ?");
    select.setString(1, space);
    select.setInt(2, BATCH - 1);
    try (ResultSet row = select.executeQuery()) {
      return row.next()
          ? new Last(row.getLong(1), row.getBytes(2))
          : new Last(Long.MAX_VALUE, new byte[0]); // there are fewer: all of them
    }
  }
}
