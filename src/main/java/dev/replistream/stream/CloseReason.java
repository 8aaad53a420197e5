package dev.replistream.stream;

import dev.replistream.http.wire.TakenSocket;
import java.util.Locale;

/// Why a connection ended: one of these for every end, in the log and as a metric's label.
enum CloseReason {
  /// The client closed it, or its network reset it.
  CLIENT_CLOSED,
  /// The client did not read for the write timeout.
  STALLED,
  /// The client's host stopped answering: TCP keepalive or retransmission gave up.
  VANISHED,
  /// The caller's token reached its `exp`.
  TOKEN_EXPIRED,
  /// Its user ended it from elsewhere, and its client was told not to come back.
  ENDED,
  /// The caller's token was revoked.
  REVOKED,
  /// The client broke the rules of its transport.
  PROTOCOL_ERROR,
  /// The server is shutting down and sent the client elsewhere.
  DRAINED,
  /// The server failed; its log has the reason.
  FAILED;

  private final String label = name().toLowerCase(Locale.ROOT).replace('_', '-');

  /// The reason as it stands in logs and metrics, such as `client-closed`.
  String label() {
    return label;
  }

  /// Why a connection ends of which this was seen.
  static CloseReason of(TakenSocket.End end) {
    return switch (end) {
      case CLOSED -> CLIENT_CLOSED;
      case OVERDUE -> STALLED;
      case VANISHED -> VANISHED;
    };
  }
}
