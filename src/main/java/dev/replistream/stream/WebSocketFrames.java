package dev.replistream.stream;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// The frames that this server sends over a WebSocket: each a whole message of less than 64 KiB, or
/// a control frame of at most 125 bytes, not masked (RFC 6455, section 5). Stateless.
final class WebSocketFrames {
  /// The codes of RFC 6455, section 7.4.1, and those of this server from 4000 on.
  static final int GOING_AWAY = 1001;

  static final int PROTOCOL_ERROR = 1002;
  static final int UNSUPPORTED_DATA = 1003;

  /// Stands for a close frame without a code and is never sent.
  static final int NO_CODE = 1005;

  static final int INVALID_UTF_8 = 1007;
  static final int MESSAGE_TOO_BIG = 1009;
  static final int INTERNAL_ERROR = 1011;
  static final int TRY_AGAIN_LATER = 1013;

  /// The token is no good any more: as 401 is in HTTP.
  static final int UNAUTHORIZED = 4401;

  /// The client is not to come back: as 204 is in HTTP.
  static final int ENDED = 4204;

  /// The most that a control frame of anybody holds, and a frame whose length is one byte.
  static final int MAX_PAYLOAD_BYTES = 125;

  /// The most that a frame holds whose length is two more bytes.
  private static final int MAX_MESSAGE_BYTES = 0xffff;

  private static final byte TWO_BYTES = 126;

  private static final int FINAL = 0x80;

  private WebSocketFrames() {}

  /// A message, which is short and ASCII.
  static byte[] text(String text) {
    return frame(WebSocketReader.TEXT, text.getBytes(StandardCharsets.US_ASCII));
  }

  /// A message of a word in ASCII and of text in UTF-8.
  static byte[] text(String word, byte[] text) {
    byte[] begin = word.getBytes(StandardCharsets.US_ASCII);
    return frame(
        WebSocketReader.TEXT,
        ByteBuffer.allocate(begin.length + text.length).put(begin).put(text).array());
  }

  /// The answer to a ping that had this payload.
  static byte[] pong(byte[] payload) {
    return frame(WebSocketReader.PONG, payload);
  }

  /// The end, for a reason of at most 123 bytes of ASCII.
  static byte[] close(int code, String reason) {
    if (code == NO_CODE) {
      return frame(WebSocketReader.CLOSE, new byte[0]);
    }
    byte[] text = reason.getBytes(StandardCharsets.US_ASCII);
    return frame(
        WebSocketReader.CLOSE,
        ByteBuffer.allocate(2 + text.length).putShort((short) code).put(text).array());
  }

  private static byte[] frame(int opcode, byte[] payload) {
    if (payload.length > (opcode == WebSocketReader.TEXT ? MAX_MESSAGE_BYTES : MAX_PAYLOAD_BYTES)) {
      throw new IllegalArgumentException("a frame of %s bytes".formatted(payload.length));
    }
    boolean isShort = payload.length <= MAX_PAYLOAD_BYTES;
    ByteBuffer frame =
        ByteBuffer.allocate((isShort ? 2 : 4) + payload.length).put((byte) (FINAL | opcode));
    if (isShort) {
      frame.put((byte) payload.length);
    } else {
      frame.put(TWO_BYTES).putShort((short) payload.length);
    }
    return frame.put(payload).array();
  }
}
