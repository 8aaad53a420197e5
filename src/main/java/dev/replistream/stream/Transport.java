package dev.replistream.stream;

import java.util.Locale;

/// How a connection carries its events.
enum Transport {
  /// Server-sent events over HTTP/1.1.
  SSE,
  /// Text frames over a WebSocket (RFC 6455).
  WEBSOCKET;

  private final String label = name().toLowerCase(Locale.ROOT);

  /// The transport as it stands in logs and metrics.
  String label() {
    return label;
  }
}
