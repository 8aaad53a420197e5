package dev.replistream.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// One keep-alive connection with one request at a time on it. Confined to the loop's thread.
final class KeepAlive implements Loop.Client {
  private final ResponseReader responses = new ResponseReader();
  private @Nullable SelectionKey key;
  private boolean isWaiting;
  private int answered;
  private int failed;

  /// A request.
  ///
  /// @param token the caller's
  /// @param body in ASCII
  static byte[] request(String method, String path, String token, String body) {
    return """
    %s %s HTTP/1.1\r
    Host: localhost\r
    Authorization: Bearer %s\r
    Content-Length: %d\r
    \r
    %s\
    """
        .formatted(method, path, token, body.length(), body)
        .getBytes(StandardCharsets.US_ASCII);
  }

  /// Whether a request may be sent: the connection is up, and the last one has its answer.
  boolean isFree() {
    return key != null && !isWaiting;
  }

  /// Sends a request; only while {@link #isFree}.
  void send(byte[] request) {
    SelectionKey current = key;
    if (current == null || isWaiting) {
      throw new IllegalStateException("a request is on its way already");
    }
    isWaiting = true;
    try {
      Loop.send(current, request);
    } catch (IOException _) {
      Loop.hangUp(current);
      ended();
    }
  }

  /// How many requests got the answer 200.
  int answered() {
    return answered;
  }

  /// How many requests got another answer, or none because the connection ended.
  int failed() {
    return failed;
  }

  @Override
  public void connected(SelectionKey connected) {
    key = connected;
  }

  @Override
  public void received(SelectionKey from, ByteBuffer bytes, long nanoTime) throws IOException {
    int status = responses.read(bytes);
    if (status < 0) {
      return;
    }
    isWaiting = false;
    if (status == 200) {
      answered++;
    } else {
      failed++;
    }
  }

  @Override
  public void ended() {
    key = null;
    failed++;
  }
}
