package dev.replistream.stream;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// How the events of a connection look as bytes, whole and ready to be written. Thread-safe, and
/// nobody writes to what it returns.
interface EventForm {
  /// The form of the WHATWG HTML standard, section "Server-sent events".
  EventForm EVENT_STREAM =
      new EventForm() {
        private static final byte[] PING = "data: ping\n\n".getBytes(StandardCharsets.US_ASCII);

        @Override
        public byte[] sync(Sync sync) {
          return sync.eventStream();
        }

        @Override
        public byte[] ping() {
          return PING;
        }
      };

  /// The event `sync`.
  byte[] sync(Sync sync);

  /// The event `ping`.
  byte[] ping();

  /// Takes what the transport itself has to say between events; null when that is nothing.
  default byte @Nullable [] takeControl() {
    return null;
  }
}
