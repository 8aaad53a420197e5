package dev.replistream.stream;

import dev.replistream.http.wire.TakenSocket;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.function.Consumer;

/// A WebSocket that is opened to be closed: a browser does not show a page why a handshake failed,
/// but with which code a WebSocket was closed. Confined to the connection's own thread.
final class RefusedWebSocket implements Consumer<TakenSocket> {
  private final byte[] bytes;
  private final Duration patience;

  /// @param head the response's head
  /// @param code with which it is closed
  /// @param absence how long to stay away besides the usual time
  /// @param settings when to come back
  RefusedWebSocket(byte[] head, int code, Duration absence, StreamSettings settings) {
    this.bytes =
        SseSession.concat(head, WebSocketFrames.close(code, SseSession.retry(settings, absence)));
    this.patience = settings.writeTimeout();
  }

  @Override
  public void accept(TakenSocket socket) {
    ClosingHandshake closing = new ClosingHandshake();
    WebSocketReader reader = new WebSocketReader(new UntilClosed(closing));
    socket.watch(reader::read, _ -> closing.over());
    try {
      socket.write(bytes);
      closing.await(patience);
    } catch (UncheckedIOException _) {
      // the client has left
    }
  }

  private record UntilClosed(ClosingHandshake closing) implements WebSocketReader.Listener {
    @Override
    public void pinged(byte[] payload) {}

    @Override
    public void closed(int code) {
      closing.over();
    }

    @Override
    public void failed(int code) {
      closing.over();
    }
  }
}
