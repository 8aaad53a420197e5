package dev.replistream;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/// A client of one WebSocket that sends any bytes, good or bad, and reads frame by frame. Confined
/// to one thread, except for {@link #close} and {@link #reset}.
public final class WebSocketClient implements AutoCloseable {
  public static final int CONTINUATION = 0x0;
  public static final int TEXT = 0x1;
  public static final int BINARY = 0x2;
  public static final int CLOSE = 0x8;
  public static final int PING = 0x9;
  public static final int PONG = 0xa;

  private static final int TWO_BYTES = 126;

  /// The key of the examples of RFC 6455.
  private static final String KEY = "dGhlIHNhbXBsZSBub25jZQ==";

  private final HttpConnection connection;
  private final String head;
  private ByteBuffer unread = ByteBuffer.allocate(0);
  private final byte[] buffer = new byte[8192];
  private boolean ended;

  /// A frame of the server.
  ///
  /// @param payload its characters are bytes (ISO 8859-1)
  public record Frame(int opcode, String payload) {}

  /// Sends a whole request over `connection` and reads the head of the response.
  public WebSocketClient(HttpConnection connection, HttpRequest request) {
    this(connection, request.toBytes());
  }

  /// Sends a whole request, and whatever comes behind it, and reads the head of the response.
  public WebSocketClient(HttpConnection connection, byte[] request) {
    this.connection = connection;
    this.head = connection.send(request).head();
  }

  /// A request of the route with what makes it a handshake.
  ///
  /// @param query with its question mark, or nothing
  public static HttpRequest handshake(String query) {
    return HttpRequest.api("GET", "/ws" + query)
        .with("Upgrade", "websocket")
        .with("Connection", "Upgrade")
        .with("Sec-WebSocket-Key", KEY)
        .with("Sec-WebSocket-Version", "13");
  }

  /// The head of the response.
  public String head() {
    return head;
  }

  /// Sends bytes as they are.
  public WebSocketClient send(byte[] bytes) {
    connection.send(bytes);
    return this;
  }

  /// Sends a whole, masked frame.
  public WebSocketClient send(int opcode, byte[] payload) {
    return send(frame(0x80 | opcode, payload));
  }

  /// Sends a whole, masked frame of ASCII.
  public WebSocketClient send(int opcode, String payload) {
    return send(opcode, payload.getBytes(StandardCharsets.US_ASCII));
  }

  /// Sends a close frame.
  public WebSocketClient sendClose(int code, String reason) {
    byte[] text = reason.getBytes(StandardCharsets.UTF_8);
    return send(
        CLOSE, ByteBuffer.allocate(2 + text.length).putShort((short) code).put(text).array());
  }

  /// A masked frame.
  ///
  /// @param kind the first byte
  public static byte[] frame(int kind, byte[] payload) {
    byte[] mask = ByteBuffer.allocate(4).putInt(ThreadLocalRandom.current().nextInt()).array();
    byte[] masked = new byte[payload.length];
    for (int i = 0; i < masked.length; i++) {
      masked[i] = (byte) (payload[i] ^ mask[i & 3]);
    }
    ByteArrayOutputStream frame = new ByteArrayOutputStream();
    frame.write(kind);
    if (payload.length < 126) {
      frame.write(0x80 | payload.length);
    } else if (payload.length < 65_536) {
      frame.write(0x80 | 126);
      frame.writeBytes(ByteBuffer.allocate(2).putShort((short) payload.length).array());
    } else {
      frame.write(0x80 | 127);
      frame.writeBytes(ByteBuffer.allocate(8).putLong(payload.length).array());
    }
    frame.writeBytes(mask);
    frame.writeBytes(masked);
    return frame.toByteArray();
  }

  /// The next frame.
  ///
  /// @throws AssertionError when the connection ends before, or none comes in time
  public Frame next() {
    Frame frame = next(HttpConnection.PATIENCE);
    if (frame == null) {
      throw new AssertionError((ended ? "the end" : "no frame") + " after " + head);
    }
    return frame;
  }

  private @Nullable Frame next(Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (!isWhole() && !ended && deadline - System.nanoTime() > 0) {
      int count = connection.read(buffer, Duration.ofNanos(deadline - System.nanoTime()));
      ended = count < 0;
      if (count > 0) {
        unread =
            ByteBuffer.allocate(unread.remaining() + count)
                .put(unread)
                .put(buffer, 0, count)
                .flip();
      }
    }
    return isWhole() ? take() : null;
  }

  private boolean isWhole() {
    int head = unread.remaining() < 2 || unread.get(unread.position() + 1) < TWO_BYTES ? 2 : 4;
    if (unread.remaining() < head) {
      return false;
    }
    int length =
        head == 2 ? unread.get(unread.position() + 1) : unread.getChar(unread.position() + 2);
    return unread.remaining() >= head + length;
  }

  /// Takes a frame, which has to be whole, unmasked, and no longer than this server's are.
  private Frame take() {
    int kind = unread.get() & 0xff;
    int length = unread.get();
    if (length == TWO_BYTES) {
      length = unread.getChar();
      if (length <= 125) {
        throw new AssertionError("a length in more bytes than it needs: " + length);
      }
    }
    if (length < 0 || (kind & 0xf0) != 0x80) {
      throw new AssertionError("not one of this server's frames: " + kind + " " + length);
    }
    byte[] payload = new byte[length];
    unread.get(payload);
    return new Frame(kind & 0x0f, new String(payload, StandardCharsets.ISO_8859_1));
  }

  /// The next event, or null when none comes in time or the connection has ended.
  public @Nullable ServerSentEvent poll(Duration timeout) {
    Frame frame = next(timeout);
    if (frame == null) {
      return null;
    }
    if (frame.opcode() != TEXT) {
      throw new AssertionError("expected text but got " + frame);
    }
    String[] nameAndId = frame.payload().split(" ", 2);
    return new ServerSentEvent("message", nameAndId[0], nameAndId.length > 1 ? nameAndId[1] : "");
  }

  /// The next event, which has to be `data`.
  public ServerSentEvent expect(String data) {
    ServerSentEvent event = poll(HttpConnection.PATIENCE);
    if (event == null || !event.data().equals(data)) {
      throw new AssertionError("expected " + data + " but got " + event + " after " + head);
    }
    return event;
  }

  /// The next frame, which has to be this one.
  public void expect(int opcode, String payload) {
    Frame frame = next();
    if (!frame.equals(new Frame(opcode, payload))) {
      throw new AssertionError("expected " + opcode + " " + payload + " but got " + frame);
    }
  }

  /// The reason of a close frame with this code, which has to be the next but for events.
  public String expectClose(int code) {
    Frame frame = next();
    while (frame.opcode() == TEXT) {
      frame = next();
    }
    byte[] payload = frame.payload().getBytes(StandardCharsets.ISO_8859_1);
    if (frame.opcode() != CLOSE
        || payload.length < 2
        || (ByteBuffer.wrap(payload).getShort() & 0xffff) != code) {
      throw new AssertionError("expected the close code " + code + " but got " + frame);
    }
    return frame.payload().substring(2);
  }

  /// Waits for the end of the connection, before which there may be no other frame.
  public void expectEnd(Duration timeout) {
    Frame frame = next(timeout);
    if (frame != null || !ended) {
      throw new AssertionError("expected the end within " + timeout + " but got " + frame);
    }
  }

  /// Sends a FIN and no close frame, and reads on.
  public void halfClose() {
    connection.halfClose();
  }

  /// Closes with a FIN and without a close frame.
  @Override
  public void close() {
    connection.close();
  }

  /// Closes with a RST.
  public void reset() {
    connection.reset();
  }
}
