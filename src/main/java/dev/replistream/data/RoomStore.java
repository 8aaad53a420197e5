package dev.replistream.data;

import dev.replistream.api.Id;
import dev.replistream.api.Member;
import dev.replistream.api.Membership;
import dev.replistream.api.Role;
import dev.replistream.data.RoomException.Reason;
import dev.replistream.db.Session;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The rooms and their members, and the rules for changing them.
///
/// Every change locks the space of its room first, and whoever writes in a room does so too before
/// it looks at roles: a role that was read under that lock stays true to the end of the
/// transaction.
///
/// Confined to the transaction of its {@link Session}.
public final class RoomStore {
  private final Session session;
  private final Spaces spaces;
  private final RoomPurge purge;
  private final MemberCounts counts;
  private final long nowMillis;
  private final RoomSettings limits;

  /// The rooms as a transaction sees them.
  ///
  /// @param spaces the spaces of the same transaction
  /// @param now when members join and entries are deleted
  public RoomStore(Session session, Spaces spaces, Instant now, RoomSettings limits) {
    this.session = session;
    this.spaces = spaces;
    purge = new RoomPurge(session, spaces, now);
    counts = new MemberCounts(session);
    this.nowMillis = now.toEpochMilli();
    this.limits = limits;
  }

  /// What a user may do in a room; empty for one who is not a member.
  public Optional<Role> role(String room, String userId) throws SQLException {
    return member(room, userId).map(Member::role);
  }

  /// A user as a member of a room; empty for one who is not.
  public Optional<Member> member(String room, String userId) throws SQLException {
    if (!Id.isValid(room) || !Id.isValid(userId)) {
      return Optional.empty(); // PostgreSQL fails at what can't be an id
    }
    PreparedStatement select =
        session.prepare("SELECT user_id, role, since FROM member WHERE room = ? AND user_id = ?");
    select.setString(1, room);
    select.setString(2, userId);
    try (ResultSet row = select.executeQuery()) {
      return row.next() ? Optional.of(member(row)) : Optional.empty();
    }
  }

  private static Member member(ResultSet row) throws SQLException {
    return new Member(
        row.getString(1), role(row.getString(2)), Instant.ofEpochMilli(row.getLong(3)));
  }

  /// The members of a room, in the order of the bytes of their ids.
  public List<Member> members(String room) throws SQLException {
    PreparedStatement select =
        session.prepare("SELECT user_id, role, since FROM member WHERE room = ?");
    select.setString(1, room);
    List<Member> members = new ArrayList<>();
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        members.add(member(row));
      }
    }
    members.sort(Comparator.comparing(member -> Spaces.ofUser(member.userId()), Spaces.PRECEDENCE));
    return members;
  }

  /// The ids of a room's members.
  public Set<String> memberIds(String room) throws SQLException {
    return memberIds(session, room);
  }

  /// Who may read a space: the user whose private space it is, or the members of the room.
  static Set<String> readers(Session session, String space) throws SQLException {
    Optional<String> room = Spaces.room(space);
    return room.isPresent()
        ? memberIds(session, room.get())
        : Set.of(Spaces.user(space).orElseThrow());
  }

  private static Set<String> memberIds(Session session, String room) throws SQLException {
    PreparedStatement select = session.prepare("SELECT user_id FROM member WHERE room = ?");
    select.setString(1, room);
    Set<String> ids = new HashSet<>();
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        ids.add(row.getString(1));
      }
    }
    return ids;
  }

  /// The rooms of a user, in the order of the bytes of their ids.
  public List<Membership> memberships(String userId) throws SQLException {
    PreparedStatement select = session.prepare("SELECT room, role FROM member WHERE user_id = ?");
    select.setString(1, userId);
    List<Membership> memberships = new ArrayList<>();
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        memberships.add(new Membership(row.getString(1), role(row.getString(2))));
      }
    }
    memberships.sort(Comparator.comparing(each -> Spaces.ofRoom(each.room()), Spaces.PRECEDENCE));
    return memberships;
  }

  /// The rooms of a user with more about them, in the order of the bytes of their ids.
  public List<Room> rooms(String userId) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT room.id, member.role, room.created_at FROM member
            JOIN room ON room.id = member.room WHERE member.user_id = ? ORDER BY room.id\
            """);
    select.setString(1, userId);
    List<Room> rooms = new ArrayList<>();
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        rooms.add(
            new Room(
                row.getString(1), role(row.getString(2)), Instant.ofEpochMilli(row.getLong(3))));
      }
    }
    return rooms;
  }

  /// Creates a room with its owner.
  ///
  /// @throws RoomException when the id is not one or taken, or the owner is in too many rooms
  public void create(String room, String owner) throws SQLException {
    requireId(room);
    spaces.lock(Spaces.ofRoom(room));
    if (purge.isDeleted(room)) {
      purge.finish(room);
    }
    PreparedStatement insert =
        session.prepare("INSERT INTO room (id, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING");
    insert.setString(1, room);
    insert.setLong(2, nowMillis);
    if (insert.executeUpdate() == 0) {
      throw new RoomException(Reason.TAKEN);
    }
    spaces.raise(Spaces.ofRoom(room));
    join(room, owner, Role.OWNER);
  }

  /// Deletes a room, its members and its entries, of which tombstones stay. Of a large room only
  /// some entries are purged now and the others by {@link RoomPurge#next}; nobody sees them any
  /// more.
  ///
  /// @return who was a member
  /// @throws RoomException when the caller is not an owner
  public Set<String> delete(String room, String caller) throws SQLException {
    requireOwner(room, caller);
    Set<String> lost = memberIds(room);
    purge.begin(room); // raises the version of the space, by which the members lose it
    spaces.loseAll(room, lost);
    counts.removeAll(room);
    PreparedStatement delete = session.prepare("DELETE FROM member WHERE room = ?");
    delete.setString(1, room);
    delete.executeUpdate();
    return lost;
  }

  /// Whether a room of this id was deleted and has entries left that are to be purged.
  public boolean isBeingPurged(String room) throws SQLException {
    return Id.isValid(room) && purge.isDeleted(room);
  }

  /// How many entries of deleted rooms the transaction has purged.
  public int purged() {
    return purge.purged();
  }

  /// Adds a member, or gives it another role.
  ///
  /// @return whether the user is a member only now
  /// @throws RoomException when the caller is not an owner, the user id is not one, the user would
  ///   be in too many rooms, the room would have too many members, or the last owner would be one
  ///   no more
  public boolean put(String room, String caller, String userId, Role role) throws SQLException {
    requireId(userId);
    requireOwner(room, caller);
    Optional<Role> before = role(room, userId);
    if (before.isEmpty()) {
      join(room, userId, role);
      return true;
    }
    if (before.get() == Role.OWNER && role != Role.OWNER) {
      requireAnotherOwner(room, userId);
    }
    PreparedStatement update =
        session.prepare("UPDATE member SET role = ? WHERE room = ? AND user_id = ?");
    update.setString(1, role.label());
    update.setString(2, room);
    update.setString(3, userId);
    update.executeUpdate();
    return false;
  }

  /// Takes a member out of a room; an owner may take out anybody, others themselves.
  ///
  /// @return whether that user was a member
  /// @throws RoomException when the caller may not, or the last owner would go
  public boolean remove(String room, String caller, String userId) throws SQLException {
    if (caller.equals(userId)) {
      requireMember(room, caller);
    } else {
      requireOwner(room, caller);
    }
    Optional<Role> before = role(room, userId);
    if (before.isEmpty()) {
      return false;
    }
    if (before.get() == Role.OWNER) {
      requireAnotherOwner(room, userId);
    }
    PreparedStatement delete = session.prepare("DELETE FROM member WHERE room = ? AND user_id = ?");
    delete.setString(1, room);
    delete.setString(2, userId);
    delete.executeUpdate();
    spaces.lose(userId, room);
    counts.remove(room, userId);
    return true;
  }

  /// Both limits hold under a race: the room is locked, and so is the user from here on.
  private void join(String room, String userId, Role role) throws SQLException {
    if (counts.members(room) >= limits.maxMembers()) {
      throw new RoomException(Reason.TOO_MANY_MEMBERS);
    }
    spaces.lock(Spaces.ofUser(userId));
    if (counts.rooms(userId) >= limits.maxPerUser()) {
      throw new RoomException(Reason.TOO_MANY_ROOMS);
    }
    counts.add(room, userId);
    spaces.join(userId, room);
    PreparedStatement insert =
        session.prepare("INSERT INTO member (room, user_id, role, since) VALUES (?, ?, ?, ?)");
    insert.setString(1, room);
    insert.setString(2, userId);
    insert.setString(3, role.label());
    insert.setLong(4, nowMillis);
    insert.executeUpdate();
  }

  /// What `caller` may do in `room`, which stays so to the end of the transaction.
  ///
  /// @throws RoomException when the caller is not a member
  public Role requireMember(String room, String caller) throws SQLException {
    if (!Id.isValid(room)) {
      throw new RoomException(Reason.NOT_A_MEMBER);
    }
    spaces.lock(Spaces.ofRoom(room));
    return role(room, caller).orElseThrow(() -> new RoomException(Reason.NOT_A_MEMBER));
  }

  private void requireOwner(String room, String caller) throws SQLException {
    if (requireMember(room, caller) != Role.OWNER) {
      throw new RoomException(Reason.NOT_AN_OWNER);
    }
  }

  private void requireAnotherOwner(String room, String userId) throws SQLException {
    PreparedStatement select =
        session.prepare(
            "SELECT 1 FROM member WHERE room = ? AND role = 'owner' AND user_id <> ? LIMIT 1");
    select.setString(1, room);
    select.setString(2, userId);
    try (ResultSet row = select.executeQuery()) {
      if (!row.next()) {
        throw new RoomException(Reason.LAST_OWNER);
      }
    }
  }

  private static void requireId(String id) {
    if (!Id.isValid(id)) {
      throw new RoomException(Reason.BAD_ID);
    }
  }

  private static Role role(String label) {
    return Role.of(label)
        .orElseThrow(() -> new IllegalStateException("no role of a member: " + label));
  }
}
