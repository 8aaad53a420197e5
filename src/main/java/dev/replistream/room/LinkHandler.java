package dev.replistream.room;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.replistream.api.Role;
import dev.replistream.api.Transaction;
import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.data.RoomLink;
import dev.replistream.data.RoomSettings;
import dev.replistream.http.Bodies;
import dev.replistream.http.RateLimit;
import dev.replistream.http.Routes;
import dev.replistream.json.Json;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/// The routes of links by which users join rooms. A code stands in bodies only, never in a URL, so
/// that it reaches no log. Thread-safe.
public final class LinkHandler {
  private final Authenticator authenticator;
  private final Rooms rooms;
  private final Bodies bodies;
  private final RateLimit changes;

  /// @param bodies how much of a body is read
  /// @param changes how often a user may change rooms in a second
  public LinkHandler(Authenticator authenticator, Rooms rooms, Bodies bodies, RateLimit changes) {
    this.authenticator = authenticator;
    this.rooms = rooms;
    this.bodies = bodies;
    this.changes = changes;
  }

  /// `POST /rooms/{room}/links`
  public void create(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    changes.take(caller.userId());
    String room = request.path().pathParameters().get("room");
    Fields fields = Fields.of(bodies.read(request, caller.userId()), "role", "expiresIn", "uses");
    RoomSettings limits = rooms.limits();
    Role role = fields.role();
    if (role == Role.OWNER) {
      throw RoomProblems.ownersByLink();
    }
    Duration life =
        Duration.ofSeconds(
            fields
                .number("expiresIn", 1, (int) Transaction.MAX_LINK_LIFE.toSeconds())
                .orElse((int) Transaction.LINK_LIFE.toSeconds()));
    int uses = fields.number("uses", 1, limits.maxMembers()).orElse(limits.linkUses());
    Rooms.Made made =
        rooms.orProblem(() -> rooms.createLink(room, Rooms.actor(caller), role, life, uses));
    response.status(Status.CREATED_201);
    Routes.sendJson(
        response,
        Json.write(json -> {
          json.writeStartObject();
          json.writeStringField("code", made.code());
          writeFields(made.link(), json);
          json.writeEndObject();
        }));
  }

  /// `GET /rooms/{room}/links`
  public void list(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    String room = request.path().pathParameters().get("room");
    List<RoomLink> links = rooms.orProblem(() -> rooms.links(room, Rooms.actor(caller)));
    Routes.sendJson(
        response,
        Json.write(json -> {
          json.writeStartObject();
          json.writeArrayFieldStart("links");
          for (RoomLink link : links) {
            json.writeStartObject();
            writeFields(link, json);
            json.writeEndObject();
          }
          json.writeEndArray();
          json.writeEndObject();
        }));
  }

  /// `DELETE /rooms/{room}/links/{id}`
  public void remove(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    changes.take(caller.userId());
    String room = request.path().pathParameters().get("room");
    String id = request.path().pathParameters().get("id");
    rooms.orProblem(() -> {
      rooms.removeLink(room, Rooms.actor(caller), id);
      return room;
    });
    response.status(Status.NO_CONTENT_204).send();
  }

  /// `POST /join`
  public void join(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    changes.take(caller.userId());
    String code = Fields.of(bodies.read(request, caller.userId()), "code").text("code");
    Rooms.Joined joined = rooms.orProblem(() -> rooms.joinBy(code, caller.userId()));
    MemberHandler.sendJoined(response, joined);
  }

  private static void writeFields(RoomLink link, JsonGenerator json) throws IOException {
    json.writeStringField("id", link.id());
    json.writeStringField("room", link.room());
    json.writeStringField("role", link.role().label());
    json.writeStringField("createdBy", link.createdBy());
    json.writeStringField("expiresAt", Json.timestamp(link.expiresAt()));
    json.writeNumberField("uses", link.usesLeft());
  }
}
