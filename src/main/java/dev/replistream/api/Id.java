package dev.replistream.api;

/// What the ids of users, rooms, clients and client groups look like, and a token's `sid`.
public final class Id {
  private static final int MAX_LENGTH = 128;

  private Id() {}

  /// Whether `text` can be such an id: 1 to 128 characters without control characters, and without
  /// half a surrogate pair, which UTF-8 can't carry.
  public static boolean isValid(String text) {
    return !text.isEmpty()
        && text.length() <= MAX_LENGTH
        && text.codePoints()
            .noneMatch(
                c -> Character.isISOControl(c) || Character.getType(c) == Character.SURROGATE);
  }

  /// Whether a room or a user may be made with this id: one that is valid, and neither `.` nor
  /// `..`, which no browser leaves as they are in a path (WHATWG URL, "double-dot URL path
  /// segment"). A former release has made such, so whoever looks for what is there asks {@link
  /// #isValid}.
  public static boolean mayBeMade(String text) {
    return isValid(text) && !text.equals(".") && !text.equals("..");
  }
}
