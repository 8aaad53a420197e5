package dev.replistream.api;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A mutation that can never succeed: what it did is rolled back, the client is told that it was
/// processed, and code and message are told to its author and logged.
public final class RejectedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final @Nullable String code;

  /// @param message why, for the author of the mutation, who is told the code `rejected`, and for
  ///   the log; at most 1,024 characters of it are told
  public RejectedException(String message) {
    super(message);
    code = null;
  }

  /// @param code names the reason for programs, such as `sold-out`; at most 128 characters of it
  ///   are told
  /// @param message why, for the author of the mutation and for the log; at most 1,024 characters
  ///   of it are told
  public RejectedException(String code, String message) {
    super(message);
    this.code = code;
  }

  /// What the service itself rejects.
  public RejectedException(RejectionCode code) {
    this(code.code(), code.message());
  }

  /// What the service itself rejects.
  ///
  /// @param message why, in more words than the code has
  public RejectedException(RejectionCode code, String message) {
    this(code.code(), message);
  }

  /// What names the reason for programs, if it has a name.
  public Optional<String> code() {
    return Optional.ofNullable(code);
  }
}
