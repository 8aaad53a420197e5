package dev.replistream.db;

/// The database could not do it now and may later: it is away, too busy, not set up as it has to
/// be, or the transaction lost against others again and again. Nothing of the work was kept, but
/// for one case: where the connection broke, or the disk failed, in the very moment of the commit,
/// nobody knows. Whoever does the work again must find out first what was done, as Replicache does
/// by last mutation ids.
public final class DatabaseUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final boolean mayBeCommitted;

  /// @param message what was missing, when the database itself was not even asked
  public DatabaseUnavailableException(String message) {
    super(message);
    mayBeCommitted = false;
  }

  /// @param cause what the database said; for the log, never for a client
  public DatabaseUnavailableException(String message, Throwable cause) {
    this(message, cause, false);
  }

  /// @param cause what the database said; for the log, never for a client
  /// @param mayBeCommitted whether the commit was sent, so that nobody knows whether the work was
  ///   kept
  public DatabaseUnavailableException(String message, Throwable cause, boolean mayBeCommitted) {
    super(message, cause);
    this.mayBeCommitted = mayBeCommitted;
  }

  /// Whether the work may have been kept all the same.
  public boolean mayBeCommitted() {
    return mayBeCommitted;
  }
}
