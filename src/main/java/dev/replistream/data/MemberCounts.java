package dev.replistream.data;

import dev.replistream.db.Session;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/// How many members each room has, and in how many rooms each user is: kept with every change of a
/// member, in its transaction, so that nobody has to count them. The counts of a room are read and
/// changed under the lock of its space, and those of a user under that of the private one.
///
/// Confined to the transaction of its {@link Session}.
final class MemberCounts {
  private final Session session;

  MemberCounts(Session session) {
    this.session = session;
  }

  /// How many members a room has.
  long members(String room) throws SQLException {
    return count(Spaces.ofRoom(room));
  }

  /// How many rooms a user is in.
  long rooms(String userId) throws SQLException {
    return count(Spaces.ofUser(userId));
  }

  private long count(String space) throws SQLException {
    PreparedStatement select = session.prepare("SELECT members FROM member_count WHERE space = ?");
    select.setString(1, space);
    try (ResultSet row = select.executeQuery()) {
      return row.next() ? row.getLong(1) : 0;
    }
  }

  /// A user becomes a member of a room.
  void add(String room, String userId) throws SQLException {
    PreparedStatement upsert =
        session.prepare(
            """
            INSERT INTO member_count (space, members) VALUES (?, 1), (?, 1)
            ON CONFLICT (space) DO UPDATE SET members = member_count.members + 1\
            """);
    upsert.setString(1, Spaces.ofRoom(room));
    upsert.setString(2, Spaces.ofUser(userId));
    upsert.executeUpdate();
  }

  /// A user has left a room.
  void remove(String room, String userId) throws SQLException {
    PreparedStatement update =
        session.prepare("UPDATE member_count SET members = members - 1 WHERE space IN (?, ?)");
    update.setString(1, Spaces.ofRoom(room));
    update.setString(2, Spaces.ofUser(userId));
    update.executeUpdate();
  }

  /// All members of a room have left it. Call it before they are deleted, with all their private
  /// spaces locked.
  void removeAll(String room) throws SQLException {
    PreparedStatement update =
        session.prepare(
            """
            UPDATE member_count SET members = members - 1
            WHERE space IN (SELECT 'u/' || user_id FROM member WHERE room = ?)\
            """);
    update.setString(1, room);
    update.executeUpdate();
    PreparedStatement delete = session.prepare("DELETE FROM member_count WHERE space = ?");
    delete.setString(1, Spaces.ofRoom(room));
    delete.executeUpdate();
  }
}
