package dev.replistream.data;

/// Limits of rooms for tests.
public final class RoomLimits {
  private static final int MANY = 1_000;

  private RoomLimits() {}

  /// Limits of rooms whose owners add members without asking them.
  public static RoomSettings direct(int maxPerUser, int maxMembers) {
    return new RoomSettings(maxPerUser, maxMembers, MANY, MANY, MANY, true);
  }

  /// Limits of rooms whose members are asked.
  public static RoomSettings consent(int maxPerUser, int maxMembers) {
    return new RoomSettings(maxPerUser, maxMembers, MANY, MANY, MANY, false);
  }
}
