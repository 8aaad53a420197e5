package dev.replistream.data;

/// The limits of rooms, which hold for requests and for mutators alike.
///
/// @param maxPerUser the most rooms that a user is a member of: the cookie of each of its pulls
///   lists them all
/// @param maxMembers the most members of a room: a push that writes in it reads and pokes them all
public record RoomSettings(int maxPerUser, int maxMembers) {
  /// The largest `maxPerUser`: a cookie that lists more rooms may be too large for a pull.
  public static final int MOST_PER_USER = 2_000;
}
