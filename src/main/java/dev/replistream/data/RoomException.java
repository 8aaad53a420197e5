package dev.replistream.data;

import java.util.Locale;

/// A change of a room that its rules forbid. It has no stack trace: it is an answer, not a bug.
public final class RoomException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /// Which rule.
  public enum Reason {
    /// An id is not 1 to 128 characters, has control characters or half a surrogate pair.
    BAD_ID,
    /// There is a room of that id already.
    TAKEN,
    /// The caller is not a member, and so must not learn whether the room exists.
    NOT_A_MEMBER,
    /// The caller is a member who may not do this.
    NOT_AN_OWNER,
    /// The caller is a member who may only read.
    NOT_A_WRITER,
    /// The user whom the caller means is not a member.
    NO_SUCH_MEMBER,
    /// The room would be left without an owner.
    LAST_OWNER,
    /// A user would be in too many rooms.
    TOO_MANY_ROOMS,
    /// A room would have too many members.
    TOO_MANY_MEMBERS,
    /// The caller has no invitation to the room; for whom it does not exist.
    NOT_INVITED,
    /// The user whom the caller means has no invitation to the room.
    NO_SUCH_INVITATION,
    /// The user whom the caller means is a member and can't be invited.
    MEMBER_ALREADY,
    /// A room would have more invitations than one may have.
    TOO_MANY_INVITATIONS,
    /// The invited user has as many invitations as one may have, in all or from the caller.
    INVITED_TOO_OFTEN,
    /// A room would have more links than one may have.
    TOO_MANY_LINKS,
    /// A link makes readers or writers, and has a lifetime and a number of uses with limits.
    BAD_LINK,
    /// There is no link of that code or id, or it can be used no more.
    NO_SUCH_LINK;

    /// The reason as it stands in the log.
    public String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  private final Reason reason;

  /// An exception for one broken rule.
  public RoomException(Reason reason) {
    super(reason.label(), null, false, false);
    this.reason = reason;
  }

  /// Which rule.
  public Reason reason() {
    return reason;
  }
}
