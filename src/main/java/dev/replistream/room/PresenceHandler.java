package dev.replistream.room;

import dev.replistream.api.Member;
import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.data.Actor;
import dev.replistream.http.Routes;
import dev.replistream.json.Json;
import dev.replistream.nodes.Present;
import dev.replistream.presence.Presence;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;
import java.util.Map;

/// `GET /rooms/{room}/presence`: which members of a room are present, to its members. Thread-safe.
public final class PresenceHandler implements Handler {
  private final Authenticator authenticator;
  private final Rooms rooms;
  private final Presence presence;

  /// A handler that tells what `presence` knows.
  public PresenceHandler(Authenticator authenticator, Rooms rooms, Presence presence) {
    this.authenticator = authenticator;
    this.rooms = rooms;
    this.presence = presence;
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    String room = request.path().pathParameters().get("room");
    List<String> members =
        rooms.orProblem(() -> rooms.members(room, Actor.of(caller.userId()))).stream()
            .map(Member::userId)
            .toList();
    Map<String, Present> present = presence.of(members);
    Routes.sendJson(
        response,
        Json.write(json -> {
          json.writeStartObject();
          json.writeStringField("room", room);
          json.writeArrayFieldStart("users");
          for (String userId : members) {
            Present user = present.get(userId);
            if (user != null) {
              json.writeStartObject();
              json.writeStringField("userId", userId);
              json.writeNumberField("sessions", user.sessions());
              json.writeStringField("since", Json.timestamp(user.since()));
              json.writeEndObject();
            }
          }
          json.writeEndArray();
          json.writeEndObject();
        }));
  }
}
