package dev.replistream.rules;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A mutator that failed as a bug does, with what the one who wrote it needs to know. Like each bug
/// it is rolled back, acknowledged and logged; only in development mode the client is told more
/// than that it failed.
public final class MutatorFailedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final @Nullable String position;

  /// @param message what went wrong, which may hold what the client sent
  /// @param position where, such as `mutators.js:12:5`, if that is known
  public MutatorFailedException(String message, Optional<String> position) {
    super(message, null, false, false);
    this.position = position.orElse(null);
  }

  /// Where it failed, as file, line and column.
  public Optional<String> position() {
    return Optional.ofNullable(position);
  }
}
