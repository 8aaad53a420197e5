package dev.replistream.room;

import dev.replistream.api.JsonValue;
import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.data.Room;
import dev.replistream.http.Bodies;
import dev.replistream.http.RateLimit;
import dev.replistream.http.Routes;
import dev.replistream.json.Json;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Clock;
import java.util.List;

/// The routes below `/rooms` that are about whole rooms. Thread-safe.
public final class RoomHandler {
  private final Authenticator authenticator;
  private final Rooms rooms;
  private final Clock clock;
  private final Bodies bodies;
  private final RateLimit changes;
  private final RateLimit pokes;

  /// @param bodies how much of a body is read
  /// @param changes how often a user may change rooms in a second
  /// @param pokes how many a user may poke in a second, who is no backend service
  public RoomHandler(
      Authenticator authenticator,
      Rooms rooms,
      Clock clock,
      Bodies bodies,
      RateLimit changes,
      RateLimit pokes) {
    this.authenticator = authenticator;
    this.rooms = rooms;
    this.clock = clock;
    this.bodies = bodies;
    this.changes = changes;
    this.pokes = pokes;
  }

  /// `POST /rooms`: for the caller, or by a backend service for somebody else.
  public void create(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    changes.take(caller.userId());
    Fields fields = Fields.of(bodies.read(request, caller.userId()), "id", "owner");
    String id = fields.text("id");
    String owner = fields.optionalText("owner").orElse(caller.userId());
    if (!owner.equals(caller.userId()) && !caller.has(Caller.WRITE_SCOPE)) {
      throw Caller.needsScope("Creating a room for somebody else", Caller.WRITE_SCOPE);
    }
    Room room = rooms.orProblem(() -> rooms.create(id, owner));
    response.status(Status.CREATED_201);
    Routes.sendJson(
        response,
        JsonValue.object()
            .with("id", room.id())
            .with("owner", owner)
            .with("createdAt", Json.timestamp(room.createdAt()))
            .build()
            .toBytes());
  }

  /// `GET /rooms`
  public void list(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    List<Room> mine = rooms.orProblem(() -> rooms.list(caller.userId()));
    Routes.sendJson(
        response,
        Json.write(json -> {
          json.writeStartObject();
          json.writeArrayFieldStart("rooms");
          for (Room room : mine) {
            json.writeStartObject();
            json.writeStringField("id", room.id());
            json.writeStringField("role", room.role().label());
            json.writeStringField("createdAt", Json.timestamp(room.createdAt()));
            json.writeEndObject();
          }
          json.writeEndArray();
          json.writeEndObject();
        }));
  }

  /// `DELETE /rooms/{room}`
  public void delete(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    changes.take(caller.userId());
    String room = request.path().pathParameters().get("room");
    rooms.orProblem(() -> {
      rooms.delete(room, Rooms.actor(caller));
      return room;
    });
    response.status(Status.NO_CONTENT_204).send();
  }

  /// `POST /rooms/{room}/poke`. A body says nothing. It counts as a poke of each member.
  public void poke(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    boolean isLimited = !caller.has(Caller.POKE_SCOPE);
    if (isLimited) {
      pokes.take(caller.userId());
    }
    String room = request.path().pathParameters().get("room");
    bodies.read(request, caller.userId());
    Rooms.Poked poked = rooms.orProblem(() -> rooms.poke(room, caller.userId()));
    if (isLimited) {
      pokes.spend(caller.userId(), poked.members() - 1);
    }
    Routes.sendJson(
        response,
        Json.write(json -> {
          json.writeStartObject();
          json.writeBooleanField("success", true);
          json.writeStringField("room", room);
          json.writeNumberField("clientsNotified", poked.notified());
          json.writeStringField("timestamp", Json.timestamp(clock.instant()));
          json.writeEndObject();
        }));
  }
}
