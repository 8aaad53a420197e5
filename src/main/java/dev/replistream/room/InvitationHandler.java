package dev.replistream.room;

import com.fasterxml.jackson.core.JsonGenerator;
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

/// The routes of invitations, for who was invited and for who invites. Thread-safe.
public final class InvitationHandler {
  private final Authenticator authenticator;
  private final Rooms rooms;
  private final Bodies bodies;
  private final RateLimit changes;

  /// @param bodies how much of a body is read
  /// @param changes how often a user may change rooms in a second
  public InvitationHandler(
      Authenticator authenticator, Rooms rooms, Bodies bodies, RateLimit changes) {
    this.authenticator = authenticator;
    this.rooms = rooms;
    this.bodies = bodies;
    this.changes = changes;
  }

  /// `GET /invitations`: those of the caller.
  public void list(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    send(response, rooms.orProblem(() -> rooms.invitations(caller.userId())));
  }

  /// `GET /rooms/{room}/invitations`: those to a room, for its owners.
  public void listOfRoom(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    String room = request.path().pathParameters().get("room");
    send(response, rooms.orProblem(() -> rooms.invitationsTo(room, Rooms.actor(caller))));
  }

  /// `POST /rooms/{room}/join`: accepts an invitation. A body says nothing.
  public void join(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    changes.take(caller.userId());
    String room = request.path().pathParameters().get("room");
    bodies.read(request, caller.userId());
    Rooms.Joined joined = rooms.orProblem(() -> rooms.accept(room, caller.userId()));
    MemberHandler.sendJoined(response, joined);
  }

  /// `DELETE /invitations/{room}`: declines one.
  public void decline(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    changes.take(caller.userId());
    String room = request.path().pathParameters().get("room");
    rooms.orProblem(() -> {
      rooms.decline(room, caller.userId());
      return room;
    });
    response.status(Status.NO_CONTENT_204).send();
  }

  /// `DELETE /rooms/{room}/invitations/{userId}`: takes one back.
  public void withdraw(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    changes.take(caller.userId());
    String room = request.path().pathParameters().get("room");
    String userId = request.path().pathParameters().get("userId");
    rooms.orProblem(() -> {
      rooms.withdraw(room, Rooms.actor(caller), userId);
      return room;
    });
    response.status(Status.NO_CONTENT_204).send();
  }

  private static void send(ServerResponse response, List<Invitation> invitations) {
    Routes.sendJson(
        response,
        Json.write(json -> {
          json.writeStartObject();
          json.writeArrayFieldStart("invitations");
          for (Invitation invitation : invitations) {
            write(invitation, json);
          }
          json.writeEndArray();
          json.writeEndObject();
        }));
  }

  static void write(Invitation invitation, JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("room", invitation.room());
    json.writeStringField("userId", invitation.userId());
    json.writeStringField("role", invitation.role().label());
    json.writeStringField("invitedBy", invitation.invitedBy());
    json.writeStringField("invitedAt", Json.timestamp(invitation.invitedAt()));
    json.writeEndObject();
  }
}
