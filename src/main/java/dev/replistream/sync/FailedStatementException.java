package dev.replistream.sync;

import java.sql.SQLException;

/// A statement failed beneath a mutator. It passes through the mutator; one that catches it changes
/// nothing, as the transaction remembers.
final class FailedStatementException extends RuntimeException {
  private static final long serialVersionUID = 1;

  FailedStatementException(SQLException cause) {
    super("a statement failed", cause);
  }
}
