package dev.replistream.stream;

import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.auth.Caller.Credential;
import dev.replistream.http.Routes;
import dev.replistream.http.wire.Takeover;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Clock;
import java.time.Duration;

/// `GET /ws`: the stream over a WebSocket, for where something on the way holds answers back.
/// Thread-safe.
public final class WebSocketHandler implements Handler {
  private final Authenticator authenticator;
  private final SseManager manager;
  private final FeedSources sources;
  private final StreamSettings settings;
  private final StreamMetrics metrics;
  private final Clock clock;

  /// A handler that registers with `manager`, within the same limits as streams.
  public WebSocketHandler(
      Authenticator authenticator,
      SseManager manager,
      FeedSources sources,
      StreamSettings settings,
      StreamMetrics metrics,
      Clock clock) {
    this.authenticator = authenticator;
    this.manager = manager;
    this.sources = sources;
    this.settings = settings;
    this.metrics = metrics;
    this.clock = clock;
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    byte[] head = WebSocketHandshake.accept(request); // before a ticket is used up
    String device = Device.of(request);
    FeedSources.Wish wish = sources.wish(request, Transport.WEBSOCKET);
    Caller caller = authenticator.streamCaller(request);
    Connection connection =
        new Connection(
            caller,
            Transport.WEBSOCKET,
            device,
            Duration.between(clock.instant(), caller.expiresAt()));
    SseManager.Admission admission = manager.register(connection);
    if (admission != SseManager.Admission.ADMITTED) {
      authenticator.giveBack(request, caller);
      refuse(request, response, caller, head, admission);
      return;
    }
    WebSocketSession session =
        new WebSocketSession(
            connection, head, StreamHandler.lastEventId(request), manager, settings, metrics);
    StreamHandler.start(manager, response, connection, sources.open(wish, connection), session);
  }

  /// An API client gets a status, which a browser would keep to itself: it gets a WebSocket that is
  /// closed at once.
  private void refuse(
      ServerRequest request,
      ServerResponse response,
      Caller caller,
      byte[] head,
      SseManager.Admission admission) {
    boolean drains = admission == SseManager.Admission.DRAINING;
    if (caller.credential() == Credential.HEADER && !drains) {
      Routes.send(request, response, StreamHandler.refusal(admission, settings));
    } else {
      Takeover.start(
          response,
          new RefusedWebSocket(
              head,
              drains ? WebSocketFrames.GOING_AWAY : WebSocketFrames.TRY_AGAIN_LATER,
              manager.absence(admission),
              settings));
    }
  }
}
