package dev.replistream.data;

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
import java.util.List;
import java.util.Optional;

/// The invitations to rooms. The room's lock is the business of the caller; the limits of an
/// invited user may be passed by a few where several rooms invite them in the same moment.
///
/// Whoever declines hears no more of the room until the invitation has expired, and its owners
/// learn of that neither from what they see nor from what counts against a limit. One that is
/// withdrawn stays unseen for a day, so that inviting somebody again and again pokes them once.
///
/// Confined to the transaction of its {@link Session}.
final class InvitationStore {
  private static final Duration WITHDRAWN_LIFE = Duration.ofDays(1);

  /// How many of one inviter's invitations one user can have.
  static final int MAX_BETWEEN_TWO = 10;

  private static final String SELECT =
      "SELECT room, user_id, role, invited_by, invited_at FROM invitation";
  private static final String SHOWN_TO_OWNERS = " withdrawn_at IS NULL AND invited_at > ?";
  private static final String OPEN = " declined_at IS NULL AND" + SHOWN_TO_OWNERS;
  private static final String COUNTED =
      " invited_at > ? AND (withdrawn_at IS NULL OR withdrawn_at > ?)";

  /// How many are removed in one transaction: no push waits for more.
  static final int BATCH = 500;

  private final Session session;
  private final long nowMillis;
  private final RoomSettings limits;
  private int work;

  InvitationStore(Session session, long nowMillis, RoomSettings limits) {
    this.session = session;
    this.nowMillis = nowMillis;
    this.limits = limits;
  }

  /// What has become of an invitation.
  ///
  /// @param isDeclined whether the invited user wants to hear of it no more
  /// @param isForgotten whether it was withdrawn so long ago that it counts for nothing
  private record State(Role role, boolean isDeclined, boolean isWithdrawn, boolean isForgotten) {}

  private Optional<State> state(String room, String userId) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT role, declined_at, withdrawn_at FROM invitation
            WHERE room = ? AND user_id = ? AND invited_at > ?\
            """);
    select.setString(1, room);
    select.setString(2, userId);
    select.setLong(3, expiredMillis());
    try (ResultSet row = select.executeQuery()) {
      return row.next()
          ? Optional.of(
              new State(
                  RoomStore.role(row.getString(1)),
                  row.getObject(2) != null,
                  row.getObject(3) != null,
                  row.getObject(3) != null && row.getLong(3) <= forgottenMillis()))
          : Optional.empty();
    }
  }

  private long expiredMillis() {
    return nowMillis - Transaction.INVITATION_LIFE.toMillis();
  }

  private long forgottenMillis() {
    return nowMillis - WITHDRAWN_LIFE.toMillis();
  }

  /// Invites a user, or gives their invitation another role.
  ///
  /// @return whether they are to hear of it: it is their first one to the room
  /// @throws RoomException when the room has, or the user has been sent, too many
  boolean invite(String room, String userId, Role role, String invitedBy) throws SQLException {
    Optional<State> before = state(room, userId);
    boolean isNew = before.isEmpty() || before.get().isForgotten;
    if (isNew) {
      requireFew(room, userId, invitedBy);
    }
    PreparedStatement upsert =
        session.prepare(
            """
            INSERT INTO invitation (room, user_id, role, invited_by, invited_at)
            VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (room, user_id) DO UPDATE SET role = excluded.role,
            invited_by = excluded.invited_by, withdrawn_at = NULL,
            declined_at = CASE WHEN invitation.invited_at > ? THEN invitation.declined_at END,
            invited_at = CASE WHEN invitation.withdrawn_at IS NULL AND invitation.invited_at > ?
            THEN invitation.invited_at ELSE excluded.invited_at END\
            """);
    upsert.setString(1, room);
    upsert.setString(2, userId);
    upsert.setString(3, role.label());
    upsert.setString(4, invitedBy);
    upsert.setLong(5, nowMillis);
    upsert.setLong(6, expiredMillis());
    upsert.setLong(7, expiredMillis());
    upsert.executeUpdate();
    return isNew && !before.map(State::isDeclined).orElse(false);
  }

  private void requireFew(String room, String userId, String invitedBy) throws SQLException {
    if (counted("room = ?", room) >= limits.maxInvitations()
        || counted("invited_by = ?", invitedBy) >= limits.maxInvitations()) {
      throw new RoomException(Reason.TOO_MANY_INVITATIONS);
    }
    PreparedStatement ofUser =
        session.prepare("SELECT COUNT(*) FROM invitation WHERE user_id = ? AND" + OPEN);
    ofUser.setString(1, userId);
    ofUser.setLong(2, expiredMillis());
    if (counted("invited_by = ? AND user_id = ?", invitedBy, userId) >= MAX_BETWEEN_TWO
        || count(ofUser) >= limits.maxInvitationsPerUser()) {
      throw new RoomException(Reason.INVITED_TOO_OFTEN);
    }
  }

  private int counted(String which, String... of) throws SQLException {
    PreparedStatement select =
        session.prepare("SELECT COUNT(*) FROM invitation WHERE " + which + " AND" + COUNTED);
    for (int i = 0; i < of.length; i++) {
      select.setString(i + 1, of[i]);
    }
    select.setLong(of.length + 1, expiredMillis());
    select.setLong(of.length + 2, forgottenMillis());
    return count(select);
  }

  private int count(PreparedStatement select) throws SQLException {
    try (ResultSet row = select.executeQuery()) {
      row.next();
      int count = row.getInt(1);
      work += count / 4;
      return count;
    }
  }

  /// The role of an invitation that its user can accept, also one that they declined before.
  Optional<Role> acceptable(String room, String userId) throws SQLException {
    return state(room, userId).filter(each -> !each.isWithdrawn).map(State::role);
  }

  /// The user is a member now.
  void remove(String room, String userId) throws SQLException {
    PreparedStatement delete =
        session.prepare("DELETE FROM invitation WHERE room = ? AND user_id = ?");
    delete.setString(1, room);
    delete.setString(2, userId);
    delete.executeUpdate();
  }

  /// Declines an invitation.
  ///
  /// @return whether there was one to decline
  boolean decline(String room, String userId) throws SQLException {
    return end("declined_at", OPEN, room, userId);
  }

  /// Takes an invitation back.
  ///
  /// @return whether there was one to withdraw
  boolean withdraw(String room, String userId) throws SQLException {
    return end("withdrawn_at", SHOWN_TO_OWNERS, room, userId);
  }

  /// Notes in a column that an invitation ends now.
  ///
  /// @param which those that may
  private boolean end(String column, String which, String room, String userId) throws SQLException {
    PreparedStatement update =
        session.prepare(
            "UPDATE invitation SET %s = ? WHERE room = ? AND user_id = ? AND%s"
                .formatted(column, which));
    update.setLong(1, nowMillis);
    update.setString(2, room);
    update.setString(3, userId);
    update.setLong(4, expiredMillis());
    return update.executeUpdate() > 0;
  }

  /// Withdraws those made by somebody who is no longer an owner.
  void withdrawAllBy(String room, String invitedBy) throws SQLException {
    PreparedStatement update =
        session.prepare(
            """
            UPDATE invitation SET withdrawn_at = ?
            WHERE room = ? AND invited_by = ? AND withdrawn_at IS NULL\
            """);
    update.setLong(1, nowMillis);
    update.setString(2, room);
    update.setString(3, invitedBy);
    work += update.executeUpdate();
  }

  /// The room is deleted. Another one may take its id, whose invitations are not to be hidden since
  /// somebody declined one to this room.
  void endAll(String room) throws SQLException {
    PreparedStatement update =
        session.prepare(
            "UPDATE invitation SET withdrawn_at = ?, declined_at = NULL WHERE room = ?");
    update.setLong(1, nowMillis);
    update.setString(2, room);
    work += update.executeUpdate();
  }

  /// How many ended with a room or with the rights of who sent them, and a quarter of those that
  /// were counted.
  int work() {
    return work;
  }

  /// The open ones of a user, the newest first.
  List<Invitation> ofUser(String userId) throws SQLException {
    PreparedStatement select = session.prepare(SELECT + " WHERE user_id = ? AND" + OPEN);
    select.setString(1, userId);
    select.setLong(2, expiredMillis());
    return list(select);
  }

  /// An invitation that is not withdrawn.
  Optional<Invitation> find(String room, String userId) throws SQLException {
    PreparedStatement select =
        session.prepare(SELECT + " WHERE room = ? AND user_id = ? AND" + SHOWN_TO_OWNERS);
    select.setString(1, room);
    select.setString(2, userId);
    select.setLong(3, expiredMillis());
    return list(select).stream().findFirst();
  }

  /// Those of a room that are not withdrawn, the newest first; also those that were declined, as
  /// its owners are not told.
  List<Invitation> ofRoom(String room) throws SQLException {
    PreparedStatement select = session.prepare(SELECT + " WHERE room = ? AND" + SHOWN_TO_OWNERS);
    select.setString(1, room);
    select.setLong(2, expiredMillis());
    return list(select);
  }

  private static List<Invitation> list(PreparedStatement select) throws SQLException {
    List<Invitation> invitations = new ArrayList<>();
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        invitations.add(
            new Invitation(
                row.getString(1),
                row.getString(2),
                RoomStore.role(row.getString(3)),
                row.getString(4),
                Instant.ofEpochMilli(row.getLong(5))));
      }
    }
    invitations.sort(
        Comparator.comparing(Invitation::invitedAt)
            .reversed()
            .thenComparing(Invitation::room)
            .thenComparing(Invitation::userId));
    return invitations;
  }

  /// Forgets some of those that can be accepted no more.
  ///
  /// @return how many; less than {@link #BATCH} when there are no more
  static int removeExpired(Session session, Instant now) throws SQLException {
    int expired =
        remove(
            session,
            "invited_at <= ? ORDER BY invited_at LIMIT ?",
            now.minus(Transaction.INVITATION_LIFE),
            BATCH);
    return expired
        + remove(
            session,
            "withdrawn_at <= ? AND declined_at IS NULL ORDER BY withdrawn_at LIMIT ?",
            now.minus(WITHDRAWN_LIFE),
            BATCH - expired);
  }

  private static int remove(Session session, String which, Instant until, int max)
      throws SQLException {
    PreparedStatement delete =
        session.prepare(
            """
            DELETE FROM invitation WHERE (room, user_id) IN
            (SELECT room, user_id FROM invitation WHERE %s)\
            """
                .formatted(which));
    delete.setLong(1, until.toEpochMilli());
    delete.setInt(2, max);
    return delete.executeUpdate();
  }
}
