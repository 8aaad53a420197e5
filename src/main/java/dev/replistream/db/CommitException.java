package dev.replistream.db;

import java.sql.SQLException;

/// The commit itself failed: it was sent, and what became of it is told by the cause, if at all.
final class CommitException extends SQLException {
  private static final long serialVersionUID = 1;

  CommitException(SQLException cause) {
    super(cause.getMessage(), cause.getSQLState(), cause.getErrorCode(), cause);
  }
}
