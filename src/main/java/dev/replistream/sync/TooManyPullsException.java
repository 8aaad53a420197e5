package dev.replistream.sync;

/// A user has so many pulls under way that one more has to come again.
final class TooManyPullsException extends RuntimeException {
  private static final long serialVersionUID = 1;

  TooManyPullsException(String message) {
    super(message);
  }
}
