package dev.replistream.data;

import dev.replistream.db.Session;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What is kept of a user, and goes with them: bit by bit, so that nobody waits for all of it.
/// Confined to the transaction of its {@link Session}.
///
/// What stays is the number of the private space, with the user's id: it must never go back, or a
/// client with an old cookie would be told that the database was set back.
public final class UserErasure {
  /// How much goes in one transaction.
  private static final int BATCH = 1_000;

  /// How many lines of the journal are looked at in one transaction.
  private static final int LINES = 10_000;

  /// After so many bytes of lines there are enough for one transaction.
  private static final long LINE_BYTES = 8 << 20;

  /// No byte of UTF-8.
  private static final byte[] BEHIND_ALL_KEYS = {(byte) 0xff};

  private final Session session;
  private final Spaces spaces;
  private final String userId;

  /// @param spaces those of the same transaction
  public UserErasure(Session session, Spaces spaces, String userId) {
    this.session = session;
    this.spaces = spaces;
    this.userId = userId;
  }

  /// One of the rooms of the user.
  public Optional<String> room() throws SQLException {
    PreparedStatement select =
        session.prepare("SELECT room FROM member WHERE user_id = ? ORDER BY room LIMIT 1");
    select.setString(1, userId);
    try (ResultSet row = select.executeQuery()) {
      return row.next() ? Optional.of(row.getString(1)) : Optional.empty();
    }
  }

  /// Deletes some entries of the private space, and what is known of deleted ones.
  ///
  /// @return whether there may be more
  public boolean deleteEntries() throws SQLException {
    String space = Spaces.ofUser(userId);
    spaces.raise(space);
    EntryStore.followIndex(session);
    PreparedStatement delete =
        session.prepare(
            """
            DELETE FROM entry WHERE space = ? AND key <= coalesce(
            (SELECT key FROM entry WHERE space = ? ORDER BY key LIMIT 1 OFFSET ?), ?)\
            """);
    delete.setString(1, space);
    delete.setString(2, space);
    delete.setInt(3, BATCH - 1);
    delete.setBytes(4, BEHIND_ALL_KEYS);
    int entries = delete.executeUpdate();
    delete =
        session.prepare(
            """
            DELETE FROM tombstone WHERE space = ? AND died <= (SELECT max(died) FROM
            (SELECT died FROM tombstone WHERE space = ? ORDER BY died LIMIT ?) AS first)\
            """);
    delete.setString(1, space);
    delete.setString(2, space);
    delete.setInt(3, BATCH);
    int tombstones = delete.executeUpdate(); // more where one transaction deleted more
    if (entries == BATCH || tombstones >= BATCH) {
      return true;
    }
    PreparedStatement update =
        session.prepare(
            "UPDATE space SET compacted = version, entry_bytes = 0, tombstone_bytes = 0 WHERE id = ?");
    update.setString(1, space);
    update.executeUpdate();
    spaces.concerns(userId);
    return false;
  }

  /// Some client groups of the user.
  public List<String> clientGroups() throws SQLException {
    PreparedStatement select =
        session.prepare("SELECT id FROM client_group WHERE user_id = ? LIMIT ?");
    select.setString(1, userId);
    select.setInt(2, BATCH);
    List<String> groups = new ArrayList<>();
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        groups.add(row.getString(1));
      }
    }
    return groups;
  }

  /// Deletes a client group with its clients.
  public void deleteClientGroup(String group) throws SQLException {
    for (String each :
        List.of(
            "DELETE FROM client_group WHERE id = ?", // first, as a push locks it first
            "DELETE FROM client WHERE group_id = ?",
            "DELETE FROM folded_client WHERE group_id = ?",
            "DELETE FROM former_epoch WHERE group_id = ?")) {
      PreparedStatement delete = session.prepare(each);
      delete.setString(1, group);
      delete.executeUpdate();
    }
  }

  /// Deletes what is told to the user and by the user, beside rooms.
  public void deleteMessages() throws SQLException {
    for (String each :
        List.of(
            "DELETE FROM rejection WHERE user_id = ?",
            "DELETE FROM idempotency WHERE user_id = ?",
            "DELETE FROM invitation WHERE user_id = ?",
            "DELETE FROM invitation WHERE invited_by = ?",
            "DELETE FROM room_link WHERE created_by = ?",
            "UPDATE space SET client_bytes = 0 WHERE id = 'u/' || ?",
            "DELETE FROM member_count WHERE members = 0 AND space = 'u/' || ?")) {
      PreparedStatement delete = session.prepare(each);
      delete.setString(1, userId);
      delete.executeUpdate();
    }
  }

  /// Deletes lines of the journal: the user's own, and those that are about their private space,
  /// though others have written there.
  ///
  /// @param from behind which number it looks
  /// @return behind which it is to look the next time; empty where there are no more
  public Optional<Long> deleteLines(long from) throws SQLException {
    EntryStore.followIndex(session);
    byte[] named = JournalStore.naming(userId);
    PreparedStatement select =
        session.prepare(
            "SELECT seq, user_id, content FROM journal WHERE seq > ? ORDER BY seq LIMIT ?");
    select.setFetchSize(EntryStore.ROWS_AT_ONCE);
    select.setLong(1, from);
    select.setInt(2, LINES);
    List<Long> about = new ArrayList<>();
    long last = from;
    long bytes = 0;
    try (ResultSet row = select.executeQuery()) {
      while (bytes < LINE_BYTES && row.next()) {
        last = row.getLong(1);
        byte[] content = row.getBytes(3);
        bytes += content.length;
        if (row.getString(2).equals(userId) || JournalStore.has(content, named)) {
          about.add(last);
        }
      }
    }
    PreparedStatement delete = session.prepare("DELETE FROM journal WHERE seq = ?");
    for (long seq : about) {
      delete.setLong(1, seq);
      delete.addBatch();
    }
    delete.executeBatch();
    return last == from ? Optional.empty() : Optional.of(last);
  }
}
