package dev.replistream.stream;

import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.http.Json;
import dev.replistream.http.Problem;
import dev.replistream.http.Routes;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Clock;
import java.time.Instant;
import java.util.List;

/// The routes below `/sessions`: a user's own open connections on this node. Thread-safe.
public final class SessionHandler {
  private final Authenticator authenticator;
  private final SseManager manager;
  private final Clock clock;

  /// A handler that knows what `manager` knows.
  public SessionHandler(Authenticator authenticator, SseManager manager, Clock clock) {
    this.authenticator = authenticator;
    this.manager = manager;
    this.clock = clock;
  }

  /// `GET /sessions`
  public void list(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    List<Connection> open = manager.open(caller.userId());
    Instant now = clock.instant();
    long nowNanos = System.nanoTime();
    Routes.sendJson(
        response,
        Json.write(json -> {
          json.writeStartObject();
          json.writeArrayFieldStart("sessions");
          for (Connection connection : open) {
            json.writeStartObject();
            json.writeStringField("id", connection.id());
            json.writeStringField("transport", connection.transport().label());
            json.writeStringField("device", connection.device());
            json.writeStringField(
                "connectedAt",
                Json.timestamp(now.minusNanos(nowNanos - connection.openedNanoTime())));
            json.writeStringField(
                "lastWriteAt",
                Json.timestamp(now.minusNanos(nowNanos - connection.lastWriteNanoTime())));
            json.writeEndObject();
          }
          json.writeEndArray();
          json.writeEndObject();
        }));
  }

  /// `DELETE /sessions/{id}`
  public void end(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    if (!manager.end(caller.userId(), request.path().pathParameters().get("id"))) {
      throw Problem.of(
              Status.NOT_FOUND_404,
              "You have no open connection of that id: GET /api/v1/replicache/sessions lists them.")
          .toException();
    }
    response.status(Status.NO_CONTENT_204).send();
  }
}
