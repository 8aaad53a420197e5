package dev.replistream;

/// A setting that stops the start. Its message is one line that names the key and says what to
/// change; it never holds the value of a secret.
public final class SettingsException extends RuntimeException {
  /// An exception with its one line.
  public SettingsException(String message) {
    super(message, null, false, false);
  }
}
