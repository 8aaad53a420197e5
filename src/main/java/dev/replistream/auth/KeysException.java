package dev.replistream.auth;

/// Keys that can't be used, which stops the start. Its message is one line that names the
/// configuration key and says what to change; it never holds a secret.
public final class KeysException extends RuntimeException {
  /// An exception with its one line.
  public KeysException(String message) {
    super(message, null, false, false);
  }
}
