package dev.replistream.sync;

import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.data.StorageSettings;
import dev.replistream.data.UsageStore;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.http.Routes;
import dev.replistream.http.Unavailable;
import dev.replistream.json.Json;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.Map;
import java.util.SequencedMap;

/// `GET /usage`: what the caller and the caller's rooms take of the disk, and their limits.
/// Thread-safe.
public final class UsageHandler implements Handler {
  private final Authenticator authenticator;
  private final Database database;
  private final StorageSettings limits;

  /// A handler that looks into `database`.
  public UsageHandler(Authenticator authenticator, Database database, StorageSettings limits) {
    this.authenticator = authenticator;
    this.database = database;
    this.limits = limits;
  }

  /// What a user and the user's rooms take, in bytes.
  private record Taken(long bytes, SequencedMap<String, Long> rooms) {}

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    Taken taken = taken(caller.userId());
    Routes.sendJson(
        response,
        Json.write(json -> {
          json.writeStartObject();
          json.writeStringField("userId", caller.userId());
          json.writeNumberField("bytes", taken.bytes);
          json.writeNumberField("limit", limits.perUser());
          json.writeArrayFieldStart("rooms");
          for (Map.Entry<String, Long> room : taken.rooms.entrySet()) {
            json.writeStartObject();
            json.writeStringField("id", room.getKey());
            json.writeNumberField("bytes", room.getValue());
            json.writeNumberField("limit", limits.perRoom());
            json.writeEndObject();
          }
          json.writeEndArray();
          json.writeEndObject();
        }));
  }

  private Taken taken(String userId) {
    try {
      return database.inSnapshot(session -> {
        UsageStore usage = new UsageStore(session);
        return new Taken(usage.ofUser(userId), usage.ofRoomsOf(userId));
      });
    } catch (DatabaseUnavailableException _) {
      throw Unavailable.problem();
    }
  }
}
