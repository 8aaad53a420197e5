package dev.replistream.stream;

import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.http.Routes;
import dev.replistream.json.Json;
import dev.replistream.nodes.Nodes;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Clock;

/// `GET /stats`: how many connections the caller and everybody have. Thread-safe.
public final class StatsHandler implements Handler {
  private final Authenticator authenticator;
  private final Nodes nodes;
  private final Clock clock;

  /// A handler that counts what all `nodes` hold.
  public StatsHandler(Authenticator authenticator, Nodes nodes, Clock clock) {
    this.authenticator = authenticator;
    this.nodes = nodes;
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
          json.writeNumberField("userConnections", nodes.connections(caller.userId()));
          json.writeNumberField("totalConnections", nodes.connections());
          json.writeStringField("timestamp", Json.timestamp(clock.instant()));
          json.writeEndObject();
        }));
  }
}
