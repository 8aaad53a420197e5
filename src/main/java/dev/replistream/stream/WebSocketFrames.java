package dev.replistream.stream;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// The frames that this server sends over a WebSocket: each a whole message or a control frame of
/// at most 125 bytes, not masked (RFC 6455, section 5). Stateless.
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

  /// The most that one frame of this server holds, and a control frame of anybody.
  static final int MAX_PAYLOAD_BYTES = 125;

  private static final int FINAL = 0x80;

  private WebSocketFrames() {}

  /// A message, which is short and ASCII.
  static byte[] text(String text) {
    return frame(WebSocketReader.TEXT, text.getBytes(StandardCharsets.US_ASCII));
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
    if (payload.length > MAX_PAYLOAD_BYTES) {
      throw new IllegalArgumentException("a frame of %s bytes".formatted(payload.length));
    }
    return ByteBuffer.allocate(2 + payload.length)
        .put((byte) (FINAL | opcode))
        .put((byte) payload.length)
        .put(payload)
        .array();
  }
}
