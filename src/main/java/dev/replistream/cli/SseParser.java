package dev.replistream.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads the format of event streams (WHATWG HTML, "Server-sent events", "Parsing an event stream"
/// and "Interpreting an event stream"), however the network cuts it.
///
/// An event goes to the consumer as soon as the byte that completes it is read: a carriage return
/// ends a line without waiting for the line feed that may follow. Confined to one thread.
final class SseParser {
  /// How long the data of one event may be, and one line.
  static final int MAX_EVENT_BYTES = 1 << 20;

  private static final Pattern DIGITS = Pattern.compile("0*([0-9]+)");
  private static final int MAX_DIGITS = 18; // what a long holds for certain

  private final Consumer<ServerSentEvent> events;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream(128);
  private boolean firstLine = true;
  private boolean afterCarriageReturn;

  private final StringBuilder data = new StringBuilder();
  private String type = "";
  private Optional<String> id = Optional.empty();
  private Optional<Duration> retry = Optional.empty();

  private String lastEventId;
  private Optional<Duration> reconnectionTime = Optional.empty();

  /// @param lastEventId what {@link #lastEventId} says until the stream says otherwise
  /// @param events gets each event, on the thread that feeds the bytes
  SseParser(String lastEventId, Consumer<ServerSentEvent> events) {
    this.lastEventId = lastEventId;
    this.events = events;
  }

  /// What a client that reconnects sends as `Last-Event-ID`; empty when there is nothing to send.
  String lastEventId() {
    return lastEventId;
  }

  /// The last `retry:`, also where no event came with it.
  Optional<Duration> reconnectionTime() {
    return reconnectionTime;
  }

  /// Reads the next bytes of the stream.
  ///
  /// @throws IOException when an event is larger than {@link #MAX_EVENT_BYTES}
  void feed(byte[] bytes, int offset, int length) throws IOException {
    for (int i = offset; i < offset + length; i++) {
      byte b = bytes[i];
      if (b == '\n' && afterCarriageReturn) {
        afterCarriageReturn = false;
        continue;
      }
      afterCarriageReturn = b == '\r';
      if (b == '\r' || b == '\n') {
        endLine();
      } else {
        if (line.size() + data.length() >= MAX_EVENT_BYTES) {
          throw new IOException("an event is larger than 1 MiB");
        }
        line.write(b);
      }
    }
  }

  private void endLine() {
    // neither byte of a line's end occurs within a character, so lines can be decoded one by one
    String text = line.toString(StandardCharsets.UTF_8);
    line.reset();
    if (firstLine && text.startsWith("\uFEFF")) {
      text = text.substring(1);
    }
    firstLine = false;
    if (text.isEmpty()) {
      dispatch();
      return;
    }
    int colon = text.indexOf(':');
    if (colon < 0) {
      field(text, "");
    } else if (colon > 0) { // a line that begins with a colon is a comment
      int start = text.startsWith(" ", colon + 1) ? colon + 2 : colon + 1;
      field(text.substring(0, colon), text.substring(start));
    }
  }

  private void field(String name, String value) {
    switch (name) {
      case "data" -> data.append(value).append('\n');
      case "event" -> type = value;
      case "id" -> {
        if (value.indexOf('\0') < 0) {
          id = Optional.of(value);
        }
      }
      case "retry" -> {
        Matcher digits = DIGITS.matcher(value);
        if (digits.matches()) {
          String number = digits.group(1);
          long millis = number.length() > MAX_DIGITS ? Long.MAX_VALUE : Long.parseLong(number);
          retry = Optional.of(Duration.ofMillis(millis));
          reconnectionTime = retry;
        }
      }
      default -> {} // unknown fields are ignored
    }
  }

  private void dispatch() {
    lastEventId = id.orElse(lastEventId);
    Optional<ServerSentEvent> event =
        data.isEmpty()
            ? Optional.empty()
            : Optional.of(
                new ServerSentEvent(
                    id,
                    type.isEmpty() ? "message" : type,
                    data.substring(0, data.length() - 1),
                    retry));
    data.setLength(0);
    type = "";
    id = Optional.empty();
    retry = Optional.empty();
    event.ifPresent(events);
  }
}
