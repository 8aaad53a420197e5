package dev.replistream.data;

import dev.replistream.api.Id;
import dev.replistream.api.Member;
import dev.replistream.api.Membership;
import dev.replistream.api.Role;
import dev.replistream.api.Transaction;
import dev.replistream.data.RoomException.Reason;
import dev.replistream.db.Session;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
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
  private final InvitationStore invitations;
  private final LinkStore links;
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
    invitations = new InvitationStore(session, nowMillis, limits);
    links = new LinkStore(session, nowMillis, limits);
  }

  /// The limits that hold.
  public RoomSettings limits() {
    return limits;
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
    requireNewId(room);
    requireNewId(owner);
    if (exists(room)) {
      throw new RoomException(Reason.TAKEN); // without waiting for its writers
    }
    spaces.lock(Spaces.ofRoom(room));
    if (purge.isDeleted(room)) {
      purge.finish(room);
    }
    requireFewMembers(room, owner);
    PreparedStatement insert =
        session.prepare("INSERT INTO room (id, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING");
    insert.setString(1, room);
    insert.setLong(2, nowMillis);
    if (insert.executeUpdate() == 0) {
      throw new RoomException(Reason.TAKEN);
    }
    spaces.raise(Spaces.ofRoom(room));
    add(room, owner, Role.OWNER);
  }

  /// Deletes a room, its members and its entries, of which tombstones stay. Of a large room only
  /// some entries are purged now and the others by {@link RoomPurge#next}; nobody sees them any
  /// more.
  ///
  /// @return who was a member
  /// @throws RoomException when the caller is not an owner
  public Set<String> delete(String room, Actor caller) throws SQLException {
    requireOwner(room, caller);
    invitations.endAll(room);
    links.removeAll(room);
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

  /// What the transaction has done beside what it was asked for, in entries, invitations and links:
  /// those that ended with a room or with the rights of an owner, and a share of those that it
  /// counted.
  public int sideWork() {
    return purge.purged() + invitations.work() + links.work();
  }

  /// What became of a user whom an owner puts in a room.
  public enum Put {
    /// A member with another role, or the same one.
    CHANGED,
    /// A member.
    JOINED,
    /// Somebody who is invited, and hears of it the first time.
    INVITED
  }

  /// Gives a member another role, or asks somebody else to join. Where members are added without
  /// their consent, and for a caller without restriction, they join at once.
  ///
  /// @param invites is told before somebody is invited, and may throw
  /// @throws RoomException when the caller is not an owner, the user id is not one, the last owner
  ///   would be one no more, or what {@link #invite} or {@link #accept} throw it for
  public Put put(String room, Actor caller, String userId, Role role, Runnable invites)
      throws SQLException {
    requireId(userId);
    requireOwner(room, caller);
    Optional<Role> before = role(room, userId);
    if (before.isPresent()) {
      change(room, userId, before.get(), role);
      return Put.CHANGED;
    }
    requireNewId(userId);
    if (limits.isDirect() || caller.isUnrestricted()) {
      join(room, userId, role);
      return Put.JOINED;
    }
    invites.run();
    invite(room, userId, role, caller);
    return Put.INVITED;
  }

  private void change(String room, String userId, Role before, Role role) throws SQLException {
    if (before == role) {
      return;
    }
    if (before == Role.OWNER) {
      requireAnotherOwner(room, userId);
      endOffers(room, userId);
    }
    PreparedStatement update =
        session.prepare("UPDATE member SET role = ? WHERE room = ? AND user_id = ?");
    update.setString(1, role.label());
    update.setString(2, room);
    update.setString(3, userId);
    update.executeUpdate();
  }

  /// Ends the invitations and links of somebody who is no longer an owner: by these they could
  /// bring others in, or come back themselves.
  private void endOffers(String room, String userId) throws SQLException {
    invitations.withdrawAllBy(room, userId);
    links.removeAllBy(room, userId);
  }

  private void invite(String room, String userId, Role role, Actor caller) throws SQLException {
    if (invitations.invite(room, userId, role, caller.userId())) {
      spaces.concerns(userId);
    }
  }

  /// Invites somebody who is no member, or gives their invitation another role. They hear of it the
  /// first time.
  ///
  /// @throws RoomException when the caller is not an owner, the user id is not one, they are a
  ///   member, or the room has, or they have been sent, too many invitations
  public void invite(String room, Actor caller, String userId, Role role) throws SQLException {
    requireNewId(userId);
    requireOwner(room, caller);
    if (role(room, userId).isPresent()) {
      throw new RoomException(Reason.MEMBER_ALREADY);
    }
    invite(room, userId, role, caller);
  }

  /// The invitation to a room that its owners see.
  public Invitation invitation(String room, String userId) throws SQLException {
    return invitations.find(room, userId).orElseThrow();
  }

  /// The open invitations of a user, the newest first.
  public List<Invitation> invitations(String userId) throws SQLException {
    return invitations.ofUser(userId);
  }

  /// The invitations to a room, the newest first.
  ///
  /// @throws RoomException when the caller is not an owner
  public List<Invitation> invitationsTo(String room, Actor caller) throws SQLException {
    requireOwnerNow(room, caller);
    return invitations.ofRoom(room);
  }

  /// Joins a room that the user is invited to; does nothing for a member.
  ///
  /// @return whether the user is a member only now
  /// @throws RoomException when they are not invited, would be in too many rooms, or the room would
  ///   have too many members
  public boolean accept(String room, String userId) throws SQLException {
    if (!Id.isValid(room)) {
      throw new RoomException(Reason.NOT_INVITED);
    }
    Optional<Role> invited = invitations.acceptable(room, userId);
    if (invited.isPresent()) { // others wait for no writer of the room, nor one for them
      spaces.lock(Spaces.ofRoom(room));
      invited = invitations.acceptable(room, userId);
    }
    if (role(room, userId).isPresent()) { // looked at last, as who joins is invited no longer
      return false;
    }
    join(room, userId, invited.orElseThrow(() -> new RoomException(Reason.NOT_INVITED)));
    return true;
  }

  /// Declines an invitation: the user hears no more of the room until it has expired.
  ///
  /// @throws RoomException when they are not invited
  public void decline(String room, String userId) throws SQLException {
    if (!Id.isValid(room) || !invitations.decline(room, userId)) {
      throw new RoomException(Reason.NOT_INVITED);
    }
  }

  /// Takes an invitation back.
  ///
  /// @return whether the user was invited
  /// @throws RoomException when the caller is not an owner
  public boolean withdraw(String room, Actor caller, String userId) throws SQLException {
    requireOwner(room, caller);
    return Id.isValid(userId) && invitations.withdraw(room, userId);
  }

  /// Makes a link by which others may join a room.
  ///
  /// @param role what they become: no owners
  /// @param life how long it can be used, up to {@link Transaction#MAX_LINK_LIFE}
  /// @param uses how many may join by it, at least one
  /// @return its code, which nobody can read again
  /// @throws RoomException when the caller is not an owner, the room has too many links, or the
  ///   link is not like that
  public String createLink(String room, Actor caller, Role role, Duration life, int uses)
      throws SQLException {
    requireOwner(room, caller);
    if (role == Role.OWNER
        || !life.isPositive()
        || life.compareTo(Transaction.MAX_LINK_LIFE) > 0
        || uses < 1
        || uses > limits.maxMembers()) {
      throw new RoomException(Reason.BAD_LINK);
    }
    return links.create(room, role, caller.userId(), life, uses);
  }

  /// The link with a code that can be used; empty where there is none.
  public Optional<RoomLink> link(String code) throws SQLException {
    return links.find(code);
  }

  /// The links to a room that can be used, in the order of their ends.
  ///
  /// @throws RoomException when the caller is not an owner
  public List<RoomLink> links(String room, Actor caller) throws SQLException {
    requireOwnerNow(room, caller);
    return links.ofRoom(room);
  }

  /// Ends a link.
  ///
  /// @throws RoomException when the caller is not an owner, or there is no such link
  public void removeLink(String room, Actor caller, String id) throws SQLException {
    requireOwner(room, caller);
    if (!links.remove(room, id)) {
      throw new RoomException(Reason.NO_SUCH_LINK);
    }
  }

  /// Joins a room by a link's code; a member uses nothing of it up. Somebody who was invited to a
  /// higher role gets that one.
  ///
  /// @return whether the user is a member only now
  /// @throws RoomException when no link of that code can be used, the user would be in too many
  ///   rooms, or the room would have too many members
  public boolean joinBy(String code, String userId) throws SQLException {
    String room = links.find(code).map(RoomLink::room).orElseThrow(LinkStore::gone);
    spaces.lock(Spaces.ofRoom(room));
    RoomLink link = links.find(code).orElseThrow(LinkStore::gone); // as it is under the lock
    if (role(room, userId).isPresent()) {
      return false;
    }
    Optional<Role> invited = invitations.acceptable(room, userId);
    links.use(link);
    join(room, userId, invited.filter(role -> role.compareTo(link.role()) < 0).orElse(link.role()));
    return true;
  }

  /// Forgets some of the invitations and links that have expired.
  ///
  /// @return how many; 0 when there are no more
  public static int removeExpired(Session session, Instant now) throws SQLException {
    return InvitationStore.removeExpired(session, now) + LinkStore.removeExpired(session, now);
  }

  /// Removes a member from a room. An owner may remove anybody, other members only themselves.
  ///
  /// @return whether that user was a member
  /// @throws RoomException when the caller may not, or the last owner would go
  public boolean remove(String room, Actor caller, String userId) throws SQLException {
    if (caller.userId().equals(userId)) {
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
      endOffers(room, userId);
    }
    PreparedStatement delete = session.prepare("DELETE FROM member WHERE room = ? AND user_id = ?");
    delete.setString(1, room);
    delete.setString(2, userId);
    delete.executeUpdate();
    spaces.lose(userId, room);
    counts.remove(room, userId);
    return true;
  }

  /// Takes a user out of a room who is to be erased. A room in which there is nobody else goes with
  /// them; of one without another owner, whoever has been a writer the longest becomes one, or else
  /// a reader. Nothing is done to a room that they are not in.
  public void erase(String room, String userId) throws SQLException {
    Actor nobody = new Actor("", true);
    spaces.lock(Spaces.ofRoom(room));
    if (role(room, userId).isEmpty()) {
      return; // who was seen there before the lock has left, or the room is gone
    }
    if (counts.members(room) == 1) {
      delete(room, nobody);
      return;
    }
    if (role(room, userId).equals(Optional.of(Role.OWNER)) && !hasAnotherOwner(room, userId)) {
      Member heir = heir(room, userId);
      change(room, heir.userId(), heir.role(), Role.OWNER);
    }
    remove(room, nobody, userId);
  }

  private Member heir(String room, String userId) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT user_id, role, since FROM member WHERE room = ? AND user_id <> ?
            ORDER BY CASE role WHEN 'writer' THEN 0 ELSE 1 END, since, user_id LIMIT 1\
            """);
    select.setString(1, room);
    select.setString(2, userId);
    try (ResultSet row = select.executeQuery()) {
      row.next();
      return member(row);
    }
  }

  private void join(String room, String userId, Role role) throws SQLException {
    requireFewMembers(room, userId);
    add(room, userId, role);
  }

  /// Both limits hold under a race: the room is locked, and so is the user from here on.
  private void requireFewMembers(String room, String userId) throws SQLException {
    if (counts.members(room) >= limits.maxMembers()) {
      throw new RoomException(Reason.TOO_MANY_MEMBERS);
    }
    spaces.lock(Spaces.ofUser(userId));
    if (counts.rooms(userId) >= limits.maxPerUser()) {
      throw new RoomException(Reason.TOO_MANY_ROOMS);
    }
  }

  private void add(String room, String userId, Role role) throws SQLException {
    counts.add(room, userId);
    spaces.join(userId, room);
    PreparedStatement insert =
        session.prepare("INSERT INTO member (room, user_id, role, since) VALUES (?, ?, ?, ?)");
    insert.setString(1, room);
    insert.setString(2, userId);
    insert.setString(3, role.label());
    insert.setLong(4, nowMillis);
    insert.executeUpdate();
    invitations.remove(room, userId);
  }

  /// What `caller` may do in `room`, which stays so to the end of the transaction: without
  /// restriction what an owner may.
  ///
  /// @throws RoomException when the caller is not a member, or there is no such room
  public Role requireMember(String room, Actor caller) throws SQLException {
    if (!Id.isValid(room)) {
      throw new RoomException(Reason.NOT_A_MEMBER);
    }
    if (caller.isUnrestricted()) {
      spaces.lock(Spaces.ofRoom(room));
    } else if (!spaces.lockForMember(room, caller.userId())) {
      throw new RoomException(Reason.NOT_A_MEMBER);
    }
    return right(room, caller).orElseThrow(() -> new RoomException(Reason.NOT_A_MEMBER));
  }

  /// What `caller` may do in `room` at this moment; empty for one who may do nothing.
  public Optional<Role> right(String room, Actor caller) throws SQLException {
    if (!caller.isUnrestricted()) {
      return role(room, caller.userId());
    }
    return exists(room) ? Optional.of(Role.OWNER) : Optional.empty();
  }

  /// Whether there is such a room: one without members was deleted.
  public boolean exists(String room) throws SQLException {
    if (!Id.isValid(room)) {
      return false;
    }
    PreparedStatement select = session.prepare("SELECT 1 FROM member WHERE room = ? LIMIT 1");
    select.setString(1, room);
    try (ResultSet row = select.executeQuery()) {
      return row.next();
    }
  }

  private void requireOwner(String room, Actor caller) throws SQLException {
    if (requireMember(room, caller) != Role.OWNER) {
      throw new RoomException(Reason.NOT_AN_OWNER);
    }
  }

  /// Without a lock, which a snapshot can't take.
  private void requireOwnerNow(String room, Actor caller) throws SQLException {
    Role right = right(room, caller).orElseThrow(() -> new RoomException(Reason.NOT_A_MEMBER));
    if (right != Role.OWNER) {
      throw new RoomException(Reason.NOT_AN_OWNER);
    }
  }

  private void requireAnotherOwner(String room, String userId) throws SQLException {
    if (!hasAnotherOwner(room, userId)) {
      throw new RoomException(Reason.LAST_OWNER);
    }
  }

  private boolean hasAnotherOwner(String room, String userId) throws SQLException {
    PreparedStatement select =
        session.prepare(
            "SELECT 1 FROM member WHERE room = ? AND role = 'owner' AND user_id <> ? LIMIT 1");
    select.setString(1, room);
    select.setString(2, userId);
    try (ResultSet row = select.executeQuery()) {
      return row.next();
    }
  }

  /// An id of a room or a member that there is not yet.
  private static void requireNewId(String id) {
    if (!Id.mayBeMade(id)) {
      throw new RoomException(Reason.BAD_ID);
    }
  }

  private static void requireId(String id) {
    if (!Id.isValid(id)) {
      throw new RoomException(Reason.BAD_ID);
    }
  }

  static Role role(String label) {
    return Role.of(label)
        .orElseThrow(() -> new IllegalStateException("no role of a member: " + label));
  }
}
