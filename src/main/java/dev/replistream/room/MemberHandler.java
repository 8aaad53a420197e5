package dev.replistream.room;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.replistream.api.Member;
import dev.replistream.api.Role;
import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.http.Bodies;
import dev.replistream.http.RateLimit;
import dev.replistream.http.Routes;
import dev.replistream.json.Json;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.util.List;

/// The routes below `/rooms/{room}/members`. Thread-safe.
public final class MemberHandler {
  private final Authenticator authenticator;
  private final Rooms rooms;
  private final Bodies bodies;
  private final RateLimit changes;

  /// @param bodies how much of a body is read
  /// @param changes how often a user may change rooms in a second
  public MemberHandler(Authenticator authenticator, Rooms rooms, Bodies bodies, RateLimit changes) {
    this.authenticator = authenticator;
    this.rooms = rooms;
    this.bodies = bodies;
    this.changes = changes;
  }

  /// `GET /rooms/{room}/members`
  public void list(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    String room = request.path().pathParameters().get("room");
    List<Member> members =
        RoomProblems.orProblem(rooms.limits(), () -> rooms.members(room, caller.userId()));
    Routes.sendJson(
        response,
        Json.write(json -> {
          json.writeStartObject();
          json.writeArrayFieldStart("members");
          for (Member member : members) {
            write(member, json);
          }
          json.writeEndArray();
          json.writeEndObject();
        }));
  }

  /// `PUT /rooms/{room}/members/{userId}`
  public void put(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    changes.take(caller.userId());
    String room = request.path().pathParameters().get("room");
    String userId = request.path().pathParameters().get("userId");
    Role role =
        Role.of(RoomHandler.text(bodies.read(request, caller.userId()), "role"))
            .orElseThrow(RoomProblems::unknownRole);
    Rooms.Joined joined =
        RoomProblems.orProblem(
            rooms.limits(), () -> rooms.put(room, caller.userId(), userId, role));
    response.status(joined.isNew() ? Status.CREATED_201 : Status.OK_200);
    Routes.sendJson(response, Json.write(json -> write(joined.member(), json)));
  }

  /// `DELETE /rooms/{room}/members/{userId}`
  public void remove(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    changes.take(caller.userId());
    String room = request.path().pathParameters().get("room");
    String userId = request.path().pathParameters().get("userId");
    RoomProblems.orProblem(
        rooms.limits(),
        () -> {
          rooms.remove(room, caller.userId(), userId);
          return userId;
        });
    response.status(Status.NO_CONTENT_204).send();
  }

  private static void write(Member member, JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("userId", member.userId());
    json.writeStringField("role", member.role().label());
    json.writeStringField("since", Json.timestamp(member.since()));
    json.writeEndObject();
  }
}
