package dev.replistream.http;

/// So much of the same kind is under way that one more has to come again. The message is for the
/// caller: it says what there is too much of.
public final class TooMuchAtOnceException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /// @param message for the caller
  public TooMuchAtOnceException(String message) {
    super(message);
  }
}
