package dev.replistream.api;

/// A mutation that can never succeed: what it did is rolled back, the client is told that it was
/// processed, and the reason is logged.
public final class RejectedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /// @param reason why, for the log: no user content
  public RejectedException(String reason) {
    super(reason);
  }
}
