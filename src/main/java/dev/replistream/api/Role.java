package dev.replistream.api;

import java.util.Locale;
import java.util.Optional;

/// What a member may do in a room. Each role may do what those after it may.
public enum Role {
  /// May change the room and its members.
  OWNER,
  /// May write entries.
  WRITER,
  /// May only read entries.
  READER;

  private final String label = name().toLowerCase(Locale.ROOT);

  /// The role as it stands in JSON and in the database, such as `owner`.
  public String label() {
    return label;
  }

  /// The role that {@link #label} names.
  public static Optional<Role> of(String label) {
    for (Role role : values()) {
      if (role.label.equals(label)) {
        return Optional.of(role);
      }
    }
    return Optional.empty();
  }

  /// Whether this role may write entries.
  public boolean writes() {
    return this != READER;
  }
}
