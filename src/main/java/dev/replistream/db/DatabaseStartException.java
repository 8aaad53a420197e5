package dev.replistream.db;

/// A database that can't be used, which stops the start. Its message is one line that names the
/// configuration key and says what is wrong; it never holds a password.
public final class DatabaseStartException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private static final String KEY = "replistream.db.url: ";

  /// @param reason what is wrong with the database that the key names
  DatabaseStartException(String reason) {
    super(KEY + reason.strip().replaceAll("\\s*\\R\\s*", " "), null, false, false);
  }
}
