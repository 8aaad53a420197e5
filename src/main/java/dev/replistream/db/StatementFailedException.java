package dev.replistream.db;

import java.sql.SQLException;

/// The database refused a statement for what it was given: a constraint, or a value that does not
/// fit. Trying again would not help. Its work was rolled back.
public final class StatementFailedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /// @param cause what the database said; for the log, never for a client
  public StatementFailedException(SQLException cause) {
    super(cause.getMessage(), cause);
  }
}
