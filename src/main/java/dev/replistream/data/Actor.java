package dev.replistream.data;

/// Who looks at a room or changes it, and whether its rules hold for them. Immutable.
///
/// @param isUnrestricted whether they need no role in the room: a backend service, or an
///   application's rule that says so
public record Actor(String userId, boolean isUnrestricted) {
  /// A user with their own rights.
  public static Actor of(String userId) {
    return new Actor(userId, false);
  }
}
