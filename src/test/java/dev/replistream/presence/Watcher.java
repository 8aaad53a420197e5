package dev.replistream.presence;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpRequest;
import dev.replistream.ServerSentEvent;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonReader;
import java.io.StringReader;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// A stream that asked for presence. Confined to one thread, except for {@link #close}.
final class Watcher implements AutoCloseable {
  private final StreamClient stream;
  private final String connectedId;
  private int lists;

  /// A list as it was told.
  ///
  /// @param users who is named, and since when
  record Told(String room, int count, Map<String, Instant> users) {
    static Told of(ServerSentEvent event) {
      assertThat(event.type()).as(event.toString()).isEqualTo("presence");
      assertThat(event.data()).doesNotContain("\n");
      try (JsonReader reader = Json.createReader(new StringReader(event.data()))) {
        JsonObject list = reader.readObject();
        assertThat(list.keySet()).containsExactly("room", "count", "users");
        Map<String, Instant> users = new LinkedHashMap<>();
        list.getJsonArray("users")
            .getValuesAs(JsonObject.class)
            .forEach(user ->
                users.put(user.getString("userId"), Instant.parse(user.getString("since"))));
        return new Told(list.getString("room"), list.getInt("count"), users);
      }
    }

    Set<String> userIds() {
      return users.keySet();
    }
  }

  Watcher(ServiceClient client, String userId) {
    this(client.open(request(client, userId)));
  }

  Watcher(StreamClient stream) {
    this.stream = stream;
    connectedId = stream.expect("connected").lastEventId();
  }

  static HttpRequest request(ServiceClient client, String userId) {
    return HttpRequest.api("GET", "/stream?presence=1").by(client.token(userId));
  }

  StreamClient stream() {
    return stream;
  }

  /// The id that the stream began with.
  String connectedId() {
    return connectedId;
  }

  /// How many lists have been read.
  int lists() {
    return lists;
  }

  /// The next event, whatever it is.
  ServerSentEvent event() {
    return Objects.requireNonNull(stream.next(), "the stream has ended");
  }

  /// The next list; pings, and syncs of the rooms that the user joins or leaves, are passed over.
  Told next() {
    long deadline = System.nanoTime() + HttpConnection.PATIENCE.toNanos();
    while (true) {
      ServerSentEvent event = event();
      assertThat(deadline - System.nanoTime()).as("no list in time, but " + event).isPositive();
      if (event.type().equals("presence")) {
        lists++;
        return Told.of(event);
      }
      assertThat(event.data()).isIn("sync", "ping");
    }
  }

  /// The next list, which has to be of these users.
  Told expect(String room, String... userIds) {
    Told told = next();
    assertThat(told.room()).as(told.toString()).isEqualTo(room);
    assertThat(told.userIds()).as(told.toString()).containsExactly(userIds);
    assertThat(told.count()).isEqualTo(userIds.length);
    return told;
  }

  /// Reads lists till one of these users in this room comes.
  Told await(String room, String... userIds) {
    long deadline = System.nanoTime() + HttpConnection.PATIENCE.toNanos();
    Told told = next();
    while (!told.room().equals(room) || !told.userIds().equals(Set.of(userIds))) {
      assertThat(deadline - System.nanoTime()).as("the last was " + told).isPositive();
      told = next();
    }
    return told;
  }

  @Override
  public void close() {
    stream.close();
  }
}
