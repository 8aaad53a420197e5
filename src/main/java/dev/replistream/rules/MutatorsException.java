package dev.replistream.rules;

/// The application's mutators can't be used as they are. The service does not start, and the
/// message says in one line what to change.
public final class MutatorsException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /// @param message what to change, in one line
  public MutatorsException(String message) {
    super(message);
  }

  /// @param message what to change, in one line
  public MutatorsException(String message, Throwable cause) {
    super(message, cause);
  }
}
