package dev.replistream.api;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A mutation that can never succeed: what it did is rolled back, the client is told that it was
/// processed, and the reason is logged.
public final class RejectedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final @Nullable String code;

  /// @param reason why, for the log: no user content
  public RejectedException(String reason) {
    super(reason);
    code = null;
  }

  /// @param code names the reason for programs, such as `storage-full`: it stays the same in all
  ///   releases
  /// @param reason why, for the log: no user content
  public RejectedException(String code, String reason) {
    super(reason);
    this.code = code;
  }

  /// What names the reason for programs, if it has a name.
  public Optional<String> code() {
    return Optional.ofNullable(code);
  }
}
