package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.ServiceClient;
import dev.replistream.api.JsonValue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;

/// One client of one client group of a user, as Replicache's client behaves towards a server: it
/// numbers its mutations, sends the bodies that the client sends, and applies patches. Confined to
/// one thread.
public final class Replica {
  private static final AtomicInteger IDS = new AtomicInteger();

  public final String userId;
  final String groupId;
  public final String clientId;
  private final ServiceClient service;
  private final Map<String, JsonValue> view = new TreeMap<>();
  private final Map<String, Long> acknowledged = new TreeMap<>();
  private JsonValue cookie = JsonValue.ofNull();
  private long lastId;

  private Replica(ServiceClient service, String userId, String groupId) {
    this(service, userId, groupId, "client" + IDS.incrementAndGet());
  }

  private Replica(ServiceClient service, String userId, String groupId, String clientId) {
    this.clientId = clientId;
    this.service = service;
    this.userId = userId;
    this.groupId = groupId;
  }

  /// The first client of a new client group.
  public static Replica of(ServiceClient service, String userId) {
    return new Replica(service, userId, "group" + IDS.incrementAndGet());
  }

  /// Another client of this one's group, with what that has persisted: another tab.
  Replica tab() {
    Replica tab = new Replica(service, userId, groupId);
    tab.take(this);
    return tab;
  }

  /// This client at another service, with what it has persisted.
  public Replica at(ServiceClient other) {
    Replica moved = new Replica(other, userId, groupId, clientId);
    moved.take(this);
    moved.lastId = lastId;
    return moved;
  }

  /// The first client of a new group that begins with what this one has persisted.
  Replica fork() {
    Replica fork = of(service, userId);
    fork.take(this);
    return fork;
  }

  private void take(Replica other) {
    view.putAll(other.view);
    cookie = other.cookie;
  }

  /// The next mutation.
  public JsonValue mutation(String name, JsonValue args) {
    return mutation(++lastId, name, args);
  }

  /// A mutation with any number.
  JsonValue mutation(long id, String name, JsonValue args) {
    return JsonValue.object()
        .with("id", id)
        .with("name", name)
        .with("args", args)
        .with("timestamp", JsonValue.of(690.5))
        .with("clientID", clientId)
        .build();
  }

  /// The next mutation, a `put` into the view.
  public JsonValue put(String key, JsonValue value) {
    return mutation("put", JsonValue.object().with("key", key).with("value", value).build());
  }

  /// The next mutation, a `put` into a room.
  public JsonValue put(String room, String key, JsonValue value) {
    return mutation(
        "put", JsonValue.object().with("room", room).with("key", key).with("value", value).build());
  }

  /// The next mutation, a `del`.
  JsonValue del(String key) {
    return mutation("del", JsonValue.object().with("key", key).build());
  }

  /// The next mutation, by which somebody joins a room.
  JsonValue join(String room, String user, String role) {
    return mutation(
        "join",
        JsonValue.object().with("room", room).with("user", user).with("role", role).build());
  }

  /// The next mutation, by which somebody leaves a room.
  JsonValue leave(String room, String user) {
    return mutation("leave", JsonValue.object().with("room", room).with("user", user).build());
  }

  /// The body of a push.
  public JsonValue pushBody(List<JsonValue> mutations) {
    return JsonValue.object()
        .with("profileID", "p1")
        .with("clientGroupID", groupId)
        .with("mutations", JsonValue.array(mutations))
        .with("pushVersion", 1)
        .with("schemaVersion", "7")
        .build();
  }

  /// Pushes mutations, whatever the answer is.
  public HttpReply send(JsonValue... mutations) {
    return send(Arrays.asList(mutations));
  }

  /// Pushes mutations, whatever the answer is.
  public HttpReply send(List<JsonValue> mutations) {
    return service.send(
        HttpRequest.api("POST", "/push")
            .by(service.token(userId))
            .with("Content-Type", "application/json")
            .with(pushBody(mutations).toJson()));
  }

  /// Pushes mutations, which has to succeed.
  public void push(JsonValue... mutations) {
    push(Arrays.asList(mutations));
  }

  /// Pushes mutations, which has to succeed.
  void push(List<JsonValue> mutations) {
    HttpReply reply = send(mutations);
    assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
    assertThat(reply.body()).isEqualTo("{}");
  }

  /// The body of a pull with a cookie.
  public JsonValue pullBody(JsonValue held) {
    return JsonValue.object()
        .with("profileID", "p1")
        .with("clientGroupID", groupId)
        .with("cookie", held)
        .with("pullVersion", 1)
        .with("schemaVersion", "7")
        .build();
  }

  /// Pulls with any cookie, whatever the answer is.
  HttpReply sendPull(JsonValue held) {
    return service.send(
        HttpRequest.api("POST", "/pull")
            .by(service.token(userId))
            .with("Content-Type", "application/json")
            .with(pullBody(held).toJson()));
  }

  /// Pulls with any cookie and returns the answer, which has to be one.
  JsonValue answer(JsonValue held) {
    return answerOf(sendPull(held));
  }

  private static JsonValue answerOf(HttpReply reply) {
    assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
    JsonValue answer = JsonValue.parse(reply.body());
    assertThat(answer.asMembers()).containsKeys("cookie", "lastMutationIDChanges", "patch");
    return answer;
  }

  /// Pulls and applies the answer.
  ///
  /// @return the operations of the patch, such as `put a` or `clear`
  public List<String> pull() {
    return take(answer(cookie));
  }

  /// Applies an answer to a pull, which has to be one.
  List<String> take(HttpReply reply) {
    return take(answerOf(reply));
  }

  private List<String> take(JsonValue answer) {
    JsonValue next = answer.get("cookie");
    List<String> operations = new ArrayList<>();
    if (next.equals(cookie)) {
      // the client drops the answer
      assertThat(answer.get("patch").asElements()).isEmpty();
      assertThat(answer.get("lastMutationIDChanges").asMembers()).isEmpty();
      return operations;
    }
    assertThat(order(next)).isGreaterThan(order(cookie));
    for (JsonValue operation : answer.get("patch").asElements()) {
      operations.add(apply(operation));
    }
    answer
        .get("lastMutationIDChanges")
        .asMembers()
        .forEach((client, last) -> {
          assertThat(last.asLong()).isGreaterThanOrEqualTo(acknowledged(client));
          acknowledged.put(client, last.asLong());
        });
    cookie = next;
    return operations;
  }

  private String apply(JsonValue operation) {
    String op = operation.get("op").asText();
    switch (op) {
      case "clear" -> {
        view.clear();
        return op;
      }
      case "put" -> view.put(operation.get("key").asText(), operation.get("value"));
      case "del" -> view.remove(operation.get("key").asText());
      default -> throw new AssertionError(op);
    }
    return op + " " + operation.get("key").asText();
  }

  /// The order of a cookie.
  public static long order(JsonValue cookie) {
    return cookie.isNull() ? -1 : cookie.get("order").asLong();
  }

  public JsonValue cookie() {
    return cookie;
  }

  /// What the client holds.
  public Map<String, JsonValue> view() {
    return view;
  }

  /// The last mutation of this client that a pull acknowledged.
  public long acknowledged() {
    return acknowledged(clientId);
  }

  /// The last mutation of a client of the group that a pull of this one acknowledged.
  long acknowledged(String client) {
    return acknowledged.getOrDefault(client, 0L);
  }
}
