package dev.replistream.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

/// Finds the events in the bytes of one stream, wherever the network cut them. Confined to one
/// thread.
///
/// It knows the lines that the service writes and no more: `data:` with one of three values, after
/// a response's head.
final class EventLines {
  /// What a line says.
  enum Event {
    /// The response is no stream: its status is not 200.
    REFUSED,
    /// The stream is open.
    CONNECTED,
    /// Nothing happened for a while.
    PING,
    /// Something is to be pulled.
    SYNC
  }

  private static final byte[] STATUS = ascii("HTTP/1.1 ");
  private static final byte[] STATUS_OK = ascii("HTTP/1.1 200 ");
  private static final byte[] CONNECTED = ascii("data: connected");
  private static final byte[] PING = ascii("data: ping");
  private static final byte[] SYNC = ascii("data: sync");

  // longer than any line of interest; the rest of a longer one is dropped
  private final byte[] line = new byte[24];
  private int length;

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /// Reads all of `bytes` and reports each event that they complete.
  void read(ByteBuffer bytes, Consumer<Event> events) {
    while (bytes.hasRemaining()) {
      byte b = bytes.get();
      if (b == '\n') {
        report(events);
        length = 0;
      } else if (length < line.length) {
        line[length++] = b;
      }
    }
  }

  private void report(Consumer<Event> events) {
    if (is(SYNC)) {
      events.accept(Event.SYNC);
    } else if (is(PING)) {
      events.accept(Event.PING);
    } else if (is(CONNECTED)) {
      events.accept(Event.CONNECTED);
    } else if (startsWith(STATUS) && !startsWith(STATUS_OK)) {
      events.accept(Event.REFUSED);
    }
  }

  private boolean is(byte[] text) {
    return length == text.length && startsWith(text);
  }

  private boolean startsWith(byte[] text) {
    return length >= text.length && Arrays.equals(line, 0, text.length, text, 0, text.length);
  }
}
