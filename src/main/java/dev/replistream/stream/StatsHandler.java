package dev.replistream.stream;

import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.http.Json;
import dev.replistream.http.Routes;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Clock;

/// `GET /stats`: how many connections the caller and everybody have. Thread-safe.
public final class StatsHandler implements Handler {
  private final Authenticator authenticator;
  private final SseManager manager;
  private final Clock clock;

  /// A handler that counts what `manager` knows.
  public StatsHandler(Authenticator authenticator, SseManager manager, Clock clock) {
    this.authenticator = authenticator;
    this.manager = manager;
    this.clock = clock;
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    Routes.sendJson(
        response,
        Json.write(json -> {
          json.writeStartObject();
          json.writeStringField("userId", caller.userId());
          json.writeNumberField("userConnections", manager.connections(caller.userId()));
          json.writeNumberField("totalConnections", manager.connections());
          json.writeStringField("timestamp", Json.timestamp(clock.instant()));
          json.writeEndObject();
        }));
  }
}
