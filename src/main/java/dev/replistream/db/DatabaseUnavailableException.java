package dev.replistream.db;

/// The database could not do it now and may later: it is away, too busy, or the transaction lost
/// against others again and again. Nothing of the work was kept.
public final class DatabaseUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /// @param cause what the database said; for the log, never for a client
  public DatabaseUnavailableException(String message, Throwable cause) {
    super(message, cause);
  }
}
