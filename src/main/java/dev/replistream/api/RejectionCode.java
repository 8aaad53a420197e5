package dev.replistream.api;

import java.util.Locale;

/// Why the service itself refuses a mutation. The codes stay the same in all releases, and more may
/// come; a rule that rejects gives codes of its own.
public enum RejectionCode {
  /// The server has no mutator of that name.
  UNKNOWN_MUTATOR("no such mutator"),
  /// The arguments are not what the mutator needs, or nest too deep.
  BAD_ARGUMENTS("the arguments are not what the mutator needs"),
  /// The arguments are longer than `sync.max-args`, or the mutation than `sync.max-body`.
  ARGUMENTS_TOO_LARGE("the arguments are too long"),
  /// A value is longer than `sync.max-value`.
  VALUE_TOO_LARGE("the value has too many bytes"),
  /// A value has a number that JavaScript reads as infinity.
  BAD_VALUE("the value has a number beyond 1.8e308"),
  /// A key is longer than 1,024 bytes in UTF-8.
  KEY_TOO_LONG("the key has too many bytes"),
  /// The space where the mutation writes is full.
  STORAGE_FULL("the space is full"),
  /// The mutation does more than one may.
  TOO_MUCH_WORK("it does more than one mutation may: split it"),
  /// The caller is not a member of the room, which may not exist.
  NOT_A_MEMBER("the user is no member of the room, or there is no such room"),
  /// The caller's role in the room does not allow it.
  FORBIDDEN("the user's role in the room does not allow this"),
  /// An id of a room or user is not one.
  BAD_ID("an id has 1 to 128 characters, and no control characters"),
  /// There is a room of that id already.
  TAKEN("the id of the room is taken"),
  /// The user who is meant is not a member of the room.
  NO_SUCH_MEMBER("that user is no member of the room: invite them"),
  /// The room would be left without an owner.
  LAST_OWNER("the room would be left without an owner"),
  /// A user would be in too many rooms.
  TOO_MANY_ROOMS("a user would be in too many rooms"),
  /// A room would have too many members.
  TOO_MANY_MEMBERS("the room would have too many members"),
  /// The caller has no invitation to the room.
  NOT_INVITED("the user has no invitation to the room"),
  /// The user who is meant has no invitation to the room.
  NO_SUCH_INVITATION("that user has no invitation to the room"),
  /// The user who is meant is a member already.
  MEMBER_ALREADY("that user is a member of the room already"),
  /// A room would have too many invitations.
  TOO_MANY_INVITATIONS("the room would have too many invitations"),
  /// A user would have too many invitations.
  INVITED_TOO_OFTEN("that user would have too many invitations"),
  /// A room would have too many links.
  TOO_MANY_LINKS("the room would have too many links"),
  /// A link's role, lifetime or number of uses is one that no link may have.
  BAD_LINK("a link makes readers or writers, for up to 30 days and a number of users"),
  /// There is no such link, or it can be used no more.
  NO_SUCH_LINK("there is no such link, or it has ended"),
  /// A rule has rejected the mutation, and gave no code.
  REJECTED("a rule has rejected the mutation"),
  /// The mutator has a bug, or was stopped by a limit.
  FAILED("The mutator failed.");

  private final String message;

  RejectionCode(String message) {
    this.message = message;
  }

  /// The code as clients are told, such as `not-a-member`.
  public String code() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /// What it means, where nothing more is known.
  public String message() {
    return message;
  }
}
