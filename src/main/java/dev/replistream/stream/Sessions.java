package dev.replistream.stream;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.replistream.api.JsonValue;
import dev.replistream.json.Json;
import dev.replistream.nodes.Nodes;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// The open connections of users, on whichever nodes they are. Thread-safe.
public final class Sessions {
  private static final Logger LOGGER = System.getLogger(Sessions.class.getName());
  private static final String LIST = "sessions";
  private static final String END = "end-session";
  private static final String ENDED = "ended";

  private final SseManager manager;
  private final Nodes nodes;
  private final Clock clock;

  /// The connections that `manager` and the other nodes know of. From now on this node answers the
  /// others.
  public Sessions(SseManager manager, Nodes nodes, Clock clock) {
    this.manager = manager;
    this.nodes = nodes;
    this.clock = clock;
    nodes.answer(LIST, userId -> Json.writeText(json -> writeAll(json, here(userId))));
    nodes.answer(
        END,
        text -> {
          List<JsonValue> parts = JsonValue.parse(text).asElements();
          return manager.end(parts.getFirst().asText(), parts.getLast().asText()) ? ENDED : "";
        });
  }

  /// An open connection, as its user is shown it.
  ///
  /// @param id its name
  /// @param transport {@link Transport#label}
  /// @param device what the user knows it by
  /// @param connectedAt since when it is open
  /// @param lastWriteAt when something was last written to it
  record Session(
      String id, String transport, String device, Instant connectedAt, Instant lastWriteAt) {
    private void write(JsonGenerator json) throws IOException {
      json.writeStartObject();
      json.writeStringField("id", id);
      json.writeStringField("transport", transport);
      json.writeStringField("device", device);
      json.writeStringField("connectedAt", Json.timestamp(connectedAt));
      json.writeStringField("lastWriteAt", Json.timestamp(lastWriteAt));
      json.writeEndObject();
    }

    private static Session of(JsonValue json) {
      return new Session(
          json.get("id").asText(),
          json.get("transport").asText(),
          json.get("device").asText(),
          Instant.parse(json.get("connectedAt").asText()),
          Instant.parse(json.get("lastWriteAt").asText()));
    }
  }

  /// Writes an array of them.
  static void writeAll(JsonGenerator json, List<Session> sessions) throws IOException {
    json.writeStartArray();
    for (Session session : sessions) {
      session.write(json);
    }
    json.writeEndArray();
  }

  /// The connections of a user, the oldest first by the clocks of their nodes; without those of
  /// nodes that don't answer within a second.
  List<Session> of(String userId) {
    List<Session> all = new ArrayList<>(here(userId));
    for (String answer : nodes.ask(userId, LIST, userId).texts()) {
      try {
        all.addAll(JsonValue.parse(answer).asElements().stream().map(Session::of).toList());
      } catch (RuntimeException e) { // of another release
        LOGGER.log(Level.DEBUG, "event=answer-unknown", e);
      }
    }
    all.sort(Comparator.comparing(Session::connectedAt)); // those of this node keep their order
    return all;
  }

  private List<Session> here(String userId) {
    long nowNanos = System.nanoTime();
    Instant now = clock.instant();
    return manager.open(userId).stream()
        .map(connection ->
            new Session(
                connection.id(),
                connection.transport().label(),
                connection.device(),
                millis(now.minusNanos(nowNanos - connection.openedNanoTime())),
                millis(now.minusNanos(nowNanos - connection.lastWriteNanoTime()))))
        .toList();
  }

  private static Instant millis(Instant instant) {
    return instant.truncatedTo(ChronoUnit.MILLIS); // as the answers of other nodes have it
  }

  /// What became of a connection that was to end.
  enum End {
    /// This call ended it: its client is told not to come back.
    ENDED,
    /// No node that can be asked holds such a connection of the user, or something else ended it
    /// first.
    UNKNOWN,
    /// A node that may have it did not answer.
    UNANSWERED
  }

  /// Ends an open connection of a user.
  End end(String userId, String id) {
    if (manager.end(userId, id)) {
      return End.ENDED;
    }
    Nodes.Answers answers =
        nodes.ask(userId, END, JsonValue.array(JsonValue.of(userId), JsonValue.of(id)).toJson());
    if (answers.texts().contains(ENDED)) {
      return End.ENDED;
    }
    return answers.isComplete() ? End.UNKNOWN : End.UNANSWERED;
  }
}
