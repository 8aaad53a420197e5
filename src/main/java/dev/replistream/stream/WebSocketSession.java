package dev.replistream.stream;

import static java.util.Objects.requireNonNull;

import dev.replistream.http.wire.TakenSocket;
import dev.replistream.poke.EventId;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import org.jspecify.annotations.Nullable;

/// One open WebSocket from its first event, `connected`, to the answer to its close frame. Its
/// events are text frames of a name, and of an id where the client asked for ids.
///
/// What the client sends is read on the thread that watches all clients.
final class WebSocketSession implements Session, EventForm, WebSocketReader.Listener {
  private static final byte[] SYNC = WebSocketFrames.text("sync");
  private static final byte[] PING = WebSocketFrames.text("ping");
  private static final AtomicReferenceFieldUpdater<WebSocketSession, byte @Nullable []> PONG =
      AtomicReferenceFieldUpdater.newUpdater(WebSocketSession.class, byte[].class, "pong");

  private final Connection connection;
  private final SseManager manager;
  private final StreamSettings settings;
  private final StreamMetrics metrics;
  private final boolean tellsIds;
  private byte @Nullable [] head;
  private @Nullable String lastEventId;
  private @Nullable ClosingHandshake closing;
  private volatile byte @Nullable [] pong;
  // how to answer a client that closed or broke the rules
  private volatile int answerCode = WebSocketFrames.NO_CODE;

  /// @param head the response's head, which goes out with the first event
  /// @param lastEventId what the client saw last, which may be empty, if it wants to know of ids
  WebSocketSession(
      Connection connection,
      byte[] head,
      @Nullable String lastEventId,
      SseManager manager,
      StreamSettings settings,
      StreamMetrics metrics) {
    this.connection = connection;
    this.head = head;
    this.lastEventId = lastEventId;
    this.tellsIds = lastEventId != null;
    this.manager = manager;
    this.settings = settings;
    this.metrics = metrics;
  }

  @Override
  public void accept(TakenSocket socket, Feeds feeds) {
    ClosingHandshake handshake = new ClosingHandshake();
    closing = handshake;
    connection.serve(socket, this, feeds, manager, metrics, settings.pingInterval());
    handshake.await(settings.writeTimeout());
  }

  @Override
  public void watch(TakenSocket socket) {
    socket.watch(new WebSocketReader(this)::read, this::ended);
  }

  private void ended(TakenSocket.End end) {
    connection.end(CloseReason.of(end));
    requireNonNull(closing).over();
  }

  @Override
  public @Nullable String lastEventId() {
    return lastEventId;
  }

  @Override
  public byte[] first(EventId id) {
    byte[] connected = WebSocketFrames.text(tellsIds ? "connected " + id : "connected");
    byte[] first = SseSession.concat(requireNonNull(head), connected);
    head = null; // it is not to be kept while the stream is open
    lastEventId = null;
    return first;
  }

  @Override
  public byte[] sync(SyncEvent sync) {
    return tellsIds ? sync.textFrame() : SYNC;
  }

  @Override
  public byte[] ping() {
    return PING;
  }

  @Override
  public byte[] presence(byte[] json) {
    throw new UnsupportedOperationException("presence is told on streams only");
  }

  @Override
  public byte[] rejected(byte[] json) {
    return WebSocketFrames.text("rejected ", json);
  }

  @Override
  public byte[] mutation(byte[] json) {
    return WebSocketFrames.text("mutation ", json);
  }

  @Override
  public byte @Nullable [] takeControl() {
    return PONG.getAndSet(this, null);
  }

  @Override
  public byte[] farewell(CloseReason reason) {
    return switch (reason) {
      case CLIENT_CLOSED, PROTOCOL_ERROR -> WebSocketFrames.close(answerCode, "");
      case TOKEN_EXPIRED ->
          WebSocketFrames.close(WebSocketFrames.UNAUTHORIZED, "the token has expired");
      case REVOKED -> WebSocketFrames.close(WebSocketFrames.UNAUTHORIZED, "the token was revoked");
      case ENDED -> WebSocketFrames.close(WebSocketFrames.ENDED, "ended by its user");
      case DRAINED -> WebSocketFrames.close(WebSocketFrames.GOING_AWAY, SseSession.retry(settings));
      // to those who are gone the write fails, whatever it is
      case FAILED, STALLED, VANISHED ->
          WebSocketFrames.close(WebSocketFrames.INTERNAL_ERROR, "the server failed");
    };
  }

  /// Of pings that come faster than their answers go out only the newest is answered, as RFC 6455,
  /// section 5.5.3, allows.
  @Override
  public void pinged(byte[] payload) {
    if (PONG.getAndSet(this, WebSocketFrames.pong(payload)) == null) {
      connection.offerControl();
    }
  }

  @Override
  public void closed(int code) {
    answerCode = code;
    connection.end(CloseReason.CLIENT_CLOSED);
    requireNonNull(closing).over();
  }

  @Override
  public void failed(int code) {
    answerCode = code;
    if (!connection.end(CloseReason.PROTOCOL_ERROR)) {
      requireNonNull(closing).over();
    }
  }
}
