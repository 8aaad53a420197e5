package dev.replistream.db;

/// A database that can't be used, which stops the start. Its message is one line that names the
/// configuration key and says what is wrong; it never holds a password.
public final class DatabaseStartException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final String reason;

  /// @param reason what is wrong with the database
  DatabaseStartException(String reason) {
    this("replistream.db.url", reason);
  }

  private DatabaseStartException(String key, String reason) {
    super(key + ": " + reason.strip().replaceAll("\\s*\\R\\s*", " "), null, false, false);
    this.reason = reason;
  }

  /// The same about a database whose place another key says.
  DatabaseStartException under(String key) {
    return new DatabaseStartException(key, reason);
  }
}
