package dev.replistream.sync;

/// A mutation would do more than one may. It passes through the mutator; one that catches it
/// changes nothing, as the transaction remembers.
final class TooMuchWorkException extends RuntimeException {
  private static final long serialVersionUID = 1;

  TooMuchWorkException() {
    super("it does more than one mutation may: split it");
  }
}
