package dev.replistream.rules.http;

import java.io.IOException;

/// A request to the application has brought no answer that can be used. The message is for the log:
/// it has nothing of what the application sent.
final class CallFailedException extends IOException {
  private static final long serialVersionUID = 1;

  private final String kind;

  /// @param kind one of those that the metrics know
  CallFailedException(String kind, String message) {
    super(message);
    this.kind = kind;
  }

  String kind() {
    return kind;
  }
}
