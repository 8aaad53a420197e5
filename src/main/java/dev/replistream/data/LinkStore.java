package dev.replistream.data;

import dev.replistream.api.Id;
import dev.replistream.api.Role;
import dev.replistream.data.RoomException.Reason;
import dev.replistream.db.Session;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/// The links by which users join rooms. A code is 128 random bits, and only its SHA-256 is kept:
/// whoever reads the database, or a backup of it, can join nothing. The room's lock is the business
/// of the caller.
///
/// Confined to the transaction of its {@link Session}.
final class LinkStore {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();
  private static final int CODE_BYTES = 16;
  private static final int MAX_CODE_LENGTH = 100;

  private static final String SELECT =
      "SELECT id, room, role, created_by, expires_at, uses_left FROM room_link ";

  private final Session session;
  private final long nowMillis;
  private final RoomSettings limits;
  private int work;

  LinkStore(Session session, long nowMillis, RoomSettings limits) {
    this.session = session;
    this.nowMillis = nowMillis;
    this.limits = limits;
  }

  /// Makes a link.
  ///
  /// @return its code, which is told once
  /// @throws RoomException when the room has too many
  String create(String room, Role role, String createdBy, Duration life, int uses)
      throws SQLException {
    int links = ofRoom(room).size();
    work += links / 4;
    if (links >= limits.maxLinks()) {
      throw new RoomException(Reason.TOO_MANY_LINKS);
    }
    byte[] random = new byte[CODE_BYTES];
    RANDOM.nextBytes(random);
    String code = BASE64.encodeToString(random);
    PreparedStatement insert =
        session.prepare(
            """
            INSERT INTO room_link (id, room, role, created_by, expires_at, uses_left)
            VALUES (?, ?, ?, ?, ?, ?)\
            """);
    insert.setString(1, id(code));
    insert.setString(2, room);
    insert.setString(3, role.label());
    insert.setString(4, createdBy);
    insert.setLong(5, nowMillis + life.toMillis());
    insert.setInt(6, uses);
    insert.executeUpdate();
    return code;
  }

  /// The answer to a code that no link has.
  static RoomException gone() {
    return new RoomException(Reason.NO_SUCH_LINK);
  }

  /// The id of the link with a code.
  static String id(String code) {
    try {
      return BASE64.encodeToString(
          MessageDigest.getInstance("SHA-256").digest(code.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // each Java has it
    }
  }

  /// The link with a code, while it can be used.
  Optional<RoomLink> find(String code) throws SQLException {
    if (code.length() > MAX_CODE_LENGTH) {
      return Optional.empty();
    }
    PreparedStatement select = session.prepare(SELECT + "WHERE id = ? AND expires_at > ?");
    select.setString(1, id(code));
    select.setLong(2, nowMillis);
    return list(select).stream().findFirst();
  }

  /// Somebody joins by it; the last use ends it.
  void use(RoomLink link) throws SQLException {
    PreparedStatement use =
        session.prepare(
            link.usesLeft() > 1
                ? "UPDATE room_link SET uses_left = uses_left - 1 WHERE id = ?"
                : "DELETE FROM room_link WHERE id = ?");
    use.setString(1, link.id());
    use.executeUpdate();
  }

  /// Those of a room that can be used.
  List<RoomLink> ofRoom(String room) throws SQLException {
    PreparedStatement select =
        session.prepare(SELECT + "WHERE room = ? AND expires_at > ? ORDER BY expires_at, id");
    select.setString(1, room);
    select.setLong(2, nowMillis);
    return list(select);
  }

  private static List<RoomLink> list(PreparedStatement select) throws SQLException {
    List<RoomLink> links = new ArrayList<>();
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        links.add(
            new RoomLink(
                row.getString(1),
                row.getString(2),
                RoomStore.role(row.getString(3)),
                row.getString(4),
                Instant.ofEpochMilli(row.getLong(5)),
                row.getInt(6)));
      }
    }
    return links;
  }

  /// Ends a link.
  ///
  /// @return whether there was one
  boolean remove(String room, String id) throws SQLException {
    if (!Id.isValid(id)) {
      return false; // PostgreSQL fails at what can't be an id
    }
    PreparedStatement delete = session.prepare("DELETE FROM room_link WHERE room = ? AND id = ?");
    delete.setString(1, room);
    delete.setString(2, id);
    return delete.executeUpdate() > 0;
  }

  /// Ends those made by somebody who is no longer an owner.
  void removeAllBy(String room, String createdBy) throws SQLException {
    PreparedStatement delete =
        session.prepare("DELETE FROM room_link WHERE room = ? AND created_by = ?");
    delete.setString(1, room);
    delete.setString(2, createdBy);
    work += delete.executeUpdate();
  }

  /// The room is deleted.
  void removeAll(String room) throws SQLException {
    PreparedStatement delete = session.prepare("DELETE FROM room_link WHERE room = ?");
    delete.setString(1, room);
    work += delete.executeUpdate();
  }

  /// How many ended with a room or with the rights of who made them, and a quarter of those that
  /// were counted.
  int work() {
    return work;
  }

  /// Forgets some of those that have expired.
  ///
  /// @return how many; less than {@link InvitationStore#BATCH} when there are no more
  static int removeExpired(Session session, Instant now) throws SQLException {
    PreparedStatement delete =
        session.prepare(
            """
            DELETE FROM room_link WHERE id IN
            (SELECT id FROM room_link WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)\
            """);
    delete.setLong(1, now.toEpochMilli());
    delete.setInt(2, InvitationStore.BATCH);
    return delete.executeUpdate();
  }
}
