package dev.replistream.stream;

import static dev.replistream.stream.WebSocketFrames.INVALID_UTF_8;
import static dev.replistream.stream.WebSocketFrames.MAX_PAYLOAD_BYTES;
import static dev.replistream.stream.WebSocketFrames.MESSAGE_TOO_BIG;
import static dev.replistream.stream.WebSocketFrames.NO_CODE;
import static dev.replistream.stream.WebSocketFrames.PROTOCOL_ERROR;
import static dev.replistream.stream.WebSocketFrames.UNSUPPORTED_DATA;

import java.nio.ByteBuffer;

/// Reads what a client sends over a WebSocket, in whatever pieces it comes, and tells of pings and
/// of the end: RFC 6455, section 5. Text is looked at, since it has to be text, and dropped; it is
/// never kept, so that between frames and within messages there is no buffer.
///
/// Confined to one thread at a time.
final class WebSocketReader {
  static final int CONTINUATION = 0x0;
  static final int TEXT = 0x1;
  static final int BINARY = 0x2;
  static final int CLOSE = 0x8;
  static final int PING = 0x9;
  static final int PONG = 0xa;

  /// The longest message, in bytes and with all its fragments: clients have no messages to send
  /// here.
  static final int MAX_MESSAGE_BYTES = 1024;

  private static final byte[] NOTHING = {};

  /// Who is told, on the thread that reads.
  interface Listener {
    /// The client wants to see this payload again.
    void pinged(byte[] payload);

    /// The client closes, with this code or {@link WebSocketFrames#NO_CODE}. Nothing follows.
    void closed(int code);

    /// The client broke the rule that has this code. What follows is not read.
    void failed(int code);
  }

  /// What the next byte is.
  private enum Part {
    KIND,
    LENGTH,
    MORE_LENGTH,
    MASK,
    PAYLOAD,
    /// Nobody is interested.
    NONE
  }

  private final Listener listener;
  private final Utf8Check text = new Utf8Check();
  private Part next = Part.KIND;
  // the frame under way
  private int opcode;
  private boolean isFinal;
  private long length;
  private int mask;
  private byte[] control = NOTHING;
  private int position; // in the part, or in the payload
  // the message under way
  private boolean isInMessage;
  private int messageBytes;

  WebSocketReader(Listener listener) {
    this.listener = listener;
  }

  /// Reads all of `bytes`.
  void read(ByteBuffer bytes) {
    while (bytes.hasRemaining() && next != Part.NONE) {
      take(bytes.get() & 0xff);
    }
  }

  private void take(int octet) {
    switch (next) {
      case KIND -> kind(octet);
      case LENGTH -> length(octet);
      case MORE_LENGTH -> moreLength(octet);
      case MASK -> mask(octet);
      case PAYLOAD -> payload(octet ^ ((mask >>> (24 - 8 * (position & 3))) & 0xff));
      case NONE -> {}
    }
  }

  private void kind(int octet) {
    isFinal = (octet & 0x80) != 0;
    opcode = octet & 0x0f;
    boolean isReserved = (octet & 0x70) != 0;
    boolean isInPlace =
        switch (opcode) {
          case CONTINUATION -> isInMessage;
          case TEXT, BINARY -> !isInMessage;
          case CLOSE, PING, PONG -> isFinal;
          default -> false;
        };
    if (isReserved || !isInPlace) {
      fail(PROTOCOL_ERROR);
    } else if (opcode == BINARY) {
      fail(UNSUPPORTED_DATA);
    } else {
      next = Part.LENGTH;
    }
  }

  private boolean isControl() {
    return opcode >= CLOSE;
  }

  private void length(int octet) {
    boolean isMasked = (octet & 0x80) != 0;
    length = octet & 0x7f;
    if (!isMasked || (isControl() && length > MAX_PAYLOAD_BYTES)) {
      fail(PROTOCOL_ERROR);
    } else if (length > MAX_PAYLOAD_BYTES) {
      position = length == 126 ? 2 : 8;
      length = 0;
      mask = position; // how long the length is, till the mask is read
      next = Part.MORE_LENGTH;
    } else {
      lengthRead();
    }
  }

  private void moreLength(int octet) {
    length = (length << 8) | octet;
    if (--position > 0) {
      return;
    }
    boolean isShortest = length > (mask == 2 ? MAX_PAYLOAD_BYTES : 0xffff);
    if (isShortest) { // and a length of 63 bits, or else it is below 0
      lengthRead();
    } else {
      fail(PROTOCOL_ERROR);
    }
  }

  private void lengthRead() {
    if (!isControl() && length > MAX_MESSAGE_BYTES - messageBytes) {
      fail(MESSAGE_TOO_BIG);
    } else {
      position = 0;
      mask = 0;
      next = Part.MASK;
    }
  }

  private void mask(int octet) {
    mask = (mask << 8) | octet;
    if (++position < 4) {
      return;
    }
    position = 0;
    control = isControl() ? new byte[(int) length] : NOTHING;
    next = Part.PAYLOAD;
    if (length == 0) {
      endFrame();
    }
  }

  private void payload(int octet) {
    if (isControl()) {
      control[position] = (byte) octet;
    } else if (!text.accepts(octet)) {
      fail(INVALID_UTF_8);
      return;
    }
    position++;
    if (position == length) {
      endFrame();
    }
  }

  private void endFrame() {
    next = Part.KIND;
    byte[] payload = control;
    control = NOTHING;
    switch (opcode) {
      case PING -> listener.pinged(payload);
      case PONG -> {}
      case CLOSE -> close(payload);
      default -> endFragment();
    }
  }

  private void endFragment() {
    isInMessage = !isFinal;
    messageBytes = isFinal ? 0 : messageBytes + (int) length;
    if (isFinal && !text.isWhole()) {
      fail(INVALID_UTF_8);
    }
  }

  private void close(byte[] payload) {
    if (payload.length == 0) {
      next = Part.NONE;
      listener.closed(NO_CODE);
      return;
    }
    int code = payload.length == 1 ? 0 : ByteBuffer.wrap(payload).getShort() & 0xffff;
    if (!mayBeSent(code)) {
      fail(PROTOCOL_ERROR);
    } else if (!isText(payload, 2)) {
      fail(INVALID_UTF_8);
    } else {
      next = Part.NONE;
      listener.closed(code);
    }
  }

  /// Whether a close frame may hold this code: RFC 6455, section 7.4.2, and what has been
  /// registered since, up to 1014.
  private static boolean mayBeSent(int code) {
    return (code >= 1000 && code <= 1003)
        || (code >= 1007 && code <= 1014)
        || (code >= 3000 && code <= 4999);
  }

  private static boolean isText(byte[] bytes, int from) {
    Utf8Check check = new Utf8Check();
    for (int i = from; i < bytes.length; i++) {
      if (!check.accepts(bytes[i] & 0xff)) {
        return false;
      }
    }
    return check.isWhole();
  }

  private void fail(int code) {
    next = Part.NONE;
    control = NOTHING;
    listener.failed(code);
  }
}
