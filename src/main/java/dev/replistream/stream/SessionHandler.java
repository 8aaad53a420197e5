package dev.replistream.stream;

import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.http.Problem;
import dev.replistream.http.Routes;
import dev.replistream.http.Unavailable;
import dev.replistream.json.Json;
import dev.replistream.stream.Sessions.Session;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;

/// The routes below `/sessions`: a user's own open connections. Thread-safe.
public final class SessionHandler {
  private final Authenticator authenticator;
  private final Sessions sessions;

  /// A handler that knows what `sessions` knows.
  public SessionHandler(Authenticator authenticator, Sessions sessions) {
    this.authenticator = authenticator;
    this.sessions = sessions;
  }

  /// `GET /sessions`
  public void list(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    List<Session> open = sessions.of(caller.userId());
    Routes.sendJson(
        response,
        Json.write(json -> {
          json.writeStartObject();
          json.writeFieldName("sessions");
          Sessions.writeAll(json, open);
          json.writeEndObject();
        }));
  }

  /// `DELETE /sessions/{id}`
  public void end(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    switch (sessions.end(caller.userId(), request.path().pathParameters().get("id"))) {
      case ENDED -> response.status(Status.NO_CONTENT_204).send();
      case UNKNOWN ->
          throw Problem.of(
                  Status.NOT_FOUND_404,
                  "You have no open connection of that id: GET /api/v1/replicache/sessions lists"
                      + " them.")
              .toException();
      case UNANSWERED ->
          throw Unavailable.problem(
              "The connection is not on this node, and not all others answer now; come again.");
    }
  }
}
