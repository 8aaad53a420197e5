package dev.replistream.stream;

import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.http.Json;
import dev.replistream.http.Routes;
import dev.replistream.poke.PokeBus;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Clock;

/// `GET /stats`: how many connections the caller and everybody have. Thread-safe.
public final class StatsHandler implements Handler {
  private final Authenticator authenticator;
  private final PokeBus bus;
  private final Clock clock;

  /// A handler that counts what `bus` knows of.
  public StatsHandler(Authenticator authenticator, PokeBus bus, Clock clock) {
    this.authenticator = authenticator;
    this.bus = bus;
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
          json.writeNumberField("userConnections", bus.connections(caller.userId()));
          json.writeNumberField("totalConnections", bus.connections());
          json.writeStringField("timestamp", Json.timestamp(clock.instant()));
          json.writeEndObject();
        }));
  }
}
