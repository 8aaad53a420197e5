package dev.replistream.data;

import dev.replistream.api.Transaction;

/// The limits of rooms, which hold for requests and for mutators alike.
///
/// @param maxPerUser how many rooms a user may be a member of: the cookie of each of the user's
///   pulls lists them all
/// @param maxMembers how many members a room may have: a push that writes in it reads and pokes
///   them all
/// @param maxInvitations the most invitations to a room, and the most by one user, that nobody has
///   accepted; one that is withdrawn counts for a day more
/// @param maxInvitationsPerUser the most invitations that a user has to answer
/// @param maxLinks the most links to a room that can be used
/// @param isDirect whether an owner adds members without their consent
public record RoomSettings(
    int maxPerUser,
    int maxMembers,
    int maxInvitations,
    int maxInvitationsPerUser,
    int maxLinks,
    boolean isDirect) {
  /// The largest `maxPerUser`: a cookie that lists more rooms may be too large for a pull.
  public static final int MOST_PER_USER = 2_000;

  /// How many may join by a link where nothing else is said.
  public int linkUses() {
    return Math.min(Transaction.LINK_USES, maxMembers);
  }
}
