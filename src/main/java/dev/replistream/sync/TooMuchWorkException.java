package dev.replistream.sync;

import dev.replistream.api.RejectionCode;

/// A mutation would do more than one may. It passes through the mutator; one that catches it
/// changes nothing, as the transaction remembers.
final class TooMuchWorkException extends RuntimeException {
  private static final long serialVersionUID = 1;

  TooMuchWorkException() {
    super(RejectionCode.TOO_MUCH_WORK.message());
  }
}
