package dev.replistream;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Reads an event stream as the WHATWG HTML standard says, sections 9.2.5 "Parsing an event stream"
/// and 9.2.6 "Interpreting an event stream", from bytes that come in pieces of any size.
///
/// Confined to one thread.
public final class EventStreamParser {
  private static final String BYTE_ORDER_MARK = "\uFEFF";

  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private final StringBuilder data = new StringBuilder();
  private String type = "";
  private String idBuffer = "";
  private String lastEventId = "";
  private long reconnectionMillis = -1;
  private boolean isFirstLine = true;
  private boolean afterCarriageReturn;

  /// Takes bytes in.
  ///
  /// @return the events that these bytes completed
  public List<ServerSentEvent> feed(byte[] bytes, int offset, int length) {
    List<ServerSentEvent> events = new ArrayList<>();
    for (int i = offset; i < offset + length; i++) {
      byte b = bytes[i];
      if (b == '\n' && afterCarriageReturn) {
        afterCarriageReturn = false;
      } else if (b == '\n' || b == '\r') {
        afterCarriageReturn = b == '\r';
        endOfLine(events);
      } else {
        afterCarriageReturn = false;
        line.write(b);
      }
    }
    return events;
  }

  /// How long the stream told its client to wait before it reconnects, in milliseconds; -1 when it
  /// did not.
  public long reconnectionMillis() {
    return reconnectionMillis;
  }

  private void endOfLine(List<ServerSentEvent> events) {
    String text = line.toString(StandardCharsets.UTF_8);
    line.reset();
    if (isFirstLine && text.startsWith(BYTE_ORDER_MARK)) {
      text = text.substring(1);
    }
    isFirstLine = false;
    if (text.isEmpty()) {
      dispatch(events);
    } else {
      int colon = text.indexOf(':');
      if (colon > 0) {
        String value = text.substring(colon + 1);
        field(text.substring(0, colon), value.startsWith(" ") ? value.substring(1) : value);
      } else if (colon < 0) {
        field(text, "");
      }
    }
  }

  private void field(String name, String value) {
    switch (name) {
      case "event" -> type = value;
      case "data" -> data.append(value).append('\n');
      case "id" -> {
        if (value.indexOf('\0') < 0) {
          idBuffer = value;
        }
      }
      case "retry" -> {
        if (value.matches("[0-9]{1,18}")) {
          reconnectionMillis = Long.parseLong(value);
        }
      }
      default -> {} // as the standard has it
    }
  }

  private void dispatch(List<ServerSentEvent> events) {
    lastEventId = idBuffer;
    if (!data.isEmpty()) {
      data.setLength(data.length() - 1);
      events.add(
          new ServerSentEvent(type.isEmpty() ? "message" : type, data.toString(), lastEventId));
    }
    data.setLength(0);
    type = "";
  }
}
