package dev.replistream.room;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.replistream.api.Member;
import dev.replistream.api.Role;
import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.data.Invitation;
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
  private final RateLimit invitations;

  /// @param bodies how much of a body is read
  /// @param changes how often a user may change rooms in a second
  /// @param invitations how often a user may invite somebody in a second
  public MemberHandler(
      Authenticator authenticator,
      Rooms rooms,
      Bodies bodies,
      RateLimit changes,
      RateLimit invitations) {
    this.authenticator = authenticator;
    this.rooms = rooms;
    this.bodies = bodies;
    this.changes = changes;
    this.invitations = invitations;
  }

  /// `GET /rooms/{room}/members`
  public void list(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    String room = request.path().pathParameters().get("room");
    List<Member> members = rooms.orProblem(() -> rooms.members(room, Rooms.actor(caller)));
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

  /// `PUT /rooms/{room}/members/{userId}`: 200 with a member who was one already, 201 with one who
  /// is only now, 202 with an invitation.
  public void put(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    changes.take(caller.userId());
    String room = request.path().pathParameters().get("room");
    String userId = request.path().pathParameters().get("userId");
    Role role = Fields.of(bodies.read(request, caller.userId()), "role").role();
    Rooms.Put put =
        rooms.orProblem(() ->
            rooms.put(
                room, Rooms.actor(caller), userId, role, () -> invitations.take(caller.userId())));
    switch (put) {
      case Rooms.Joined(_, Member member, boolean isNew) -> {
        response.status(isNew ? Status.CREATED_201 : Status.OK_200);
        Routes.sendJson(response, Json.write(json -> write(member, json)));
      }
      case Rooms.Invited(Invitation invitation) -> {
        response.status(Status.ACCEPTED_202);
        Routes.sendJson(response, Json.write(json -> InvitationHandler.write(invitation, json)));
      }
    }
  }

  /// `DELETE /rooms/{room}/members/{userId}`
  public void remove(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    changes.take(caller.userId());
    String room = request.path().pathParameters().get("room");
    String userId = request.path().pathParameters().get("userId");
    rooms.orProblem(() -> {
      rooms.remove(room, Rooms.actor(caller), userId);
      return userId;
    });
    response.status(Status.NO_CONTENT_204).send();
  }

  /// Answers somebody who has joined a room: 201, or 200 where they were a member before.
  static void sendJoined(ServerResponse response, Rooms.Joined joined) {
    response.status(joined.isNew() ? Status.CREATED_201 : Status.OK_200);
    Routes.sendJson(
        response,
        Json.write(json -> {
          json.writeStartObject();
          json.writeStringField("room", joined.room());
          writeFields(joined.member(), json);
          json.writeEndObject();
        }));
  }

  private static void write(Member member, JsonGenerator json) throws IOException {
    json.writeStartObject();
    writeFields(member, json);
    json.writeEndObject();
  }

  private static void writeFields(Member member, JsonGenerator json) throws IOException {
    json.writeStringField("userId", member.userId());
    json.writeStringField("role", member.role().label());
    json.writeStringField("since", Json.timestamp(member.since()));
  }
}
