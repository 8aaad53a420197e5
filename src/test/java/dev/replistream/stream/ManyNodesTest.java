package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.ServerSentEvent;
import dev.replistream.StreamClient;
import dev.replistream.TestCluster;
import dev.replistream.room.RoomClient;
import jakarta.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Three nodes that act as one, with a real Redis and a real PostgreSQL.
class ManyNodesTest {
  private static final int NODES = 3;
  private static final int LIMIT = 7;

  private TestCluster nodes;

  @BeforeEach
  void start() {
    nodes =
        TestCluster.start(
            NODES,
            "STREAM_MAX_CONNECTIONS_PER_USER",
            Integer.toString(LIMIT),
            "PRESENCE_GRACE",
            "PT0.2S");
  }

  @AfterEach
  void stop() {
    nodes.close();
  }

  private static int anyNode() {
    return ThreadLocalRandom.current().nextInt(NODES);
  }

  @Test
  void aPokeOnOneNodeReachesTheStreamsOfAll() {
    List<StreamClient> streams = new ArrayList<>();
    for (int i = 0; i < NODES; i++) {
      streams.add(nodes.client(i).connected("alice"));
    }
    StreamClient bob = nodes.client(1).connected("bob");

    assertThat(nodes.client(0).poke("alice")).isEqualTo(NODES);

    streams.forEach(stream -> stream.expect("sync"));
    assertThat(nodes.client(2).connections("alice")).isEqualTo(NODES);
    Eventually.holds(
        "every node counts all",
        () -> nodes.client(2).stats("alice").getInt("totalConnections") == NODES + 1);
    nodes.client(2).poke("bob");
    assertThat(bob.expect("sync").data()).isEqualTo("sync"); // the first that came
  }

  @Test
  void aClientThatComesBackToAnotherNodeIsToldOfWhatItMissedAndOnlyOfThat() {
    StreamClient first = nodes.client(0).connected("alice");
    nodes.client(1).poke("alice");
    String seen = first.expect("sync").lastEventId();
    first.reset();

    StreamClient second = nodes.client(1).resumed("alice", seen);
    nodes.client(2).poke("alice");
    ServerSentEvent next = second.expect("sync");
    second.reset();
    nodes.client(0).poke("alice");

    StreamClient third = nodes.client(2).resumed("alice", next.lastEventId());
    assertThat(third.expect("sync").stamp()).isGreaterThan(next.stamp());
    assertThat(next.stamp()).isGreaterThan(Long.parseLong(seen.split("-", 2)[1]));
  }

  /// Whatever the client, each connection is with any node.
  private final class AnyNode implements SyncScenario.Service {
    @Override
    public SyncScenario.Stream open(String userId, @Nullable String lastEventId) {
      var client = nodes.client(anyNode());
      var request = client.stream(userId);
      StreamClient stream =
          client.open(lastEventId == null ? request : request.with("Last-Event-ID", lastEventId));
      return SyncScenario.Stream.of(stream::poll, stream::reset);
    }

    @Override
    public int poke(String userId) {
      return nodes.client(anyNode()).poke(userId);
    }
  }

  @Test
  void noClientMissesAPokeOrIsToldTwice() throws ExecutionException, InterruptedException {
    long firstSeed = System.nanoTime();
    for (long seed = firstSeed; seed < firstSeed + 20; seed++) {
      new SyncScenario(new AnyNode(), seed).run();
      Eventually.holds(
          "nobody is left", () -> nodes.client(0).stats("user-0").getInt("totalConnections") == 0);
    }
  }

  @Test
  void theLimitOfAUserIsThatOfAllNodesHoweverManyComeAtOnce() throws Exception {
    List<Future<StreamClient>> racers = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 5 * LIMIT; i++) {
        int node = i % NODES;
        racers.add(
            threads.submit(() -> nodes.client(node).open(nodes.client(node).stream("alice"))));
      }
    }
    List<StreamClient> admitted = new ArrayList<>();
    for (Future<StreamClient> racer : racers) {
      StreamClient stream = racer.get();
      if (stream.head().startsWith("HTTP/1.1 200")) {
        admitted.add(stream);
      } else {
        assertThat(stream.head()).startsWith("HTTP/1.1 429");
      }
    }

    assertThat(admitted).hasSize(LIMIT);
    assertThat(nodes.client(0).connections("alice")).isEqualTo(LIMIT);
    admitted.removeLast().reset();
    Eventually.holds("one is gone", () -> nodes.client(1).connections("alice") == LIMIT - 1);
    nodes.client(2).connected("alice");
  }

  @Test
  void aPushOnOneNodeIsPulledFromAnotherAfterItsSync() {
    StreamClient stream = nodes.client(1).connected("alice");

    HttpReply pushed =
        post(
            0,
            "/push",
            """
            {"pushVersion":1,"profileID":"p","clientGroupID":"g","schemaVersion":"",
             "mutations":[{"clientID":"c","id":1,"name":"put",
             "args":{"key":"k","value":7},"timestamp":1}]}
            """);
    assertThat(pushed.status()).isEqualTo(200);

    stream.expect("sync");
    HttpReply pulled =
        post(
            2,
            "/pull",
            """
            {"pullVersion":1,"profileID":"p","clientGroupID":"g","schemaVersion":"",
             "cookie":null}
            """);
    assertThat(pulled.body()).contains("\"key\":\"k\",\"value\":7");
  }

  private HttpReply post(int node, String route, String json) {
    return send(
        node, HttpRequest.api("POST", route).with("Content-Type", "application/json").with(json));
  }

  private HttpReply send(int node, HttpRequest request) {
    return nodes.client(node).send(request.by(nodes.client(node).token("alice")));
  }

  @Test
  void withoutRedisStreamsStayLocalPokesWorkAndReadyTellsTheTruth() {
    StreamClient near = nodes.client(0).connected("alice");
    StreamClient far = nodes.client(1).connected("alice");

    nodes.redis().kill();
    Eventually.holds("none is ready", () -> nodes.all().stream().noneMatch(TestCluster::isReady));
    assertThat(nodes.client(0).admin("/health/live").status()).isEqualTo(200);
    assertThat(nodes.client(0).poke("alice")).isEqualTo(1);
    near.expect("sync");
    StreamClient late = nodes.client(2).connected("alice");

    nodes.redis().restart();
    Eventually.holds("all are ready", () -> nodes.all().stream().allMatch(TestCluster::isReady));
    near.expect("sync");
    far.expect("sync");
    late.expect("sync");
    assertThat(nodes.client(1).poke("alice")).isEqualTo(3);
  }

  @Test
  void aTicketOfOneNodeIsGoodOnAnotherOnce() {
    String ticket = nodes.client(0).ticket("alice");

    StreamClient stream = nodes.client(1).open(HttpRequest.api("GET", "/stream?ticket=" + ticket));
    stream.expect("connected");

    StreamClient again = nodes.client(2).open(HttpRequest.api("GET", "/stream?ticket=" + ticket));
    assertThat(again.head()).startsWith("HTTP/1.1 401");
    assertThat(nodes.client(0).poke("alice")).isEqualTo(1);
    stream.expect("sync");
  }

  @Test
  void aTokenThatIsRevokedOnOneNodeIsRefusedOnAllAndItsStreamsEnd() {
    String token = nodes.client(0).token("alice");
    StreamClient stream = nodes.client(1).open(HttpRequest.api("GET", "/stream").by(token));
    stream.expect("connected");

    HttpReply revoked =
        nodes
            .client(2)
            .send(
                HttpRequest.api("POST", "/revoke")
                    .by(nodes.client(2).token("backend", "replicache:revoke"))
                    .with("{\"userId\":\"alice\"}"));
    assertThat(revoked.status()).isEqualTo(200);

    assertThat(stream.untilEnd(Duration.ofSeconds(1))).isEmpty();
    Eventually.holdsWithin(
        Duration.ofSeconds(1),
        "the node that has no part in it hears of it",
        () -> nodes.client(0).send(HttpRequest.api("GET", "/stats").by(token)).status() == 401);
    for (int i = 0; i < NODES; i++) {
      assertThat(nodes.client(i).send(HttpRequest.api("GET", "/stats").by(token)).status())
          .isEqualTo(401);
    }
  }

  private HttpReply send(int node, String method, String route) {
    return send(node, HttpRequest.api(method, route));
  }

  /// The ids of alice's sessions that a node lists, by their devices.
  private Map<String, String> sessions(int node) {
    return send(node, "GET", "/sessions")
        .json()
        .getJsonArray("sessions")
        .getValuesAs(JsonObject.class)
        .stream()
        .collect(
            Collectors.toMap(
                session -> session.getString("device"), session -> session.getString("id")));
  }

  private StreamClient connectedOn(int node, String device) {
    StreamClient stream =
        nodes
            .client(node)
            .open(
                HttpRequest.api("GET", "/stream?device=" + device)
                    .by(nodes.client(node).token("alice")));
    stream.expect("connected");
    return stream;
  }

  @Test
  void anyNodeListsAndEndsTheSessionsOfAll() {
    StreamClient phone = connectedOn(0, "phone");
    StreamClient tablet = connectedOn(1, "tablet");
    connectedOn(1, "laptop");
    nodes.client(1).connected("bob");

    Map<String, String> all = sessions(2);
    assertThat(all).containsOnlyKeys("phone", "tablet", "laptop");
    assertThat(sessions(0)).isEqualTo(all);
    assertThat(sessions(1)).isEqualTo(all);

    String id = all.get("tablet");
    assertThat(send(2, "DELETE", "/sessions/" + id).status()).isEqualTo(204);
    String ended = tablet.expect("ended").lastEventId();
    assertThat(send(2, "DELETE", "/sessions/" + id).status()).isEqualTo(404);
    assertThat(sessions(2)).hasSize(2);
    Eventually.holds("two count", () -> nodes.client(2).connections("alice") == 2);
    assertThat(
            nodes
                .client(0)
                .open(nodes.client(0).stream("alice").with("Last-Event-ID", ended))
                .head())
        .startsWith("HTTP/1.1 204");
    assertThat(nodes.client(2).poke("alice")).isEqualTo(2);
    phone.expect("sync");
  }

  @Test
  void nobodyEndsASessionOfAnotherUserOnAnotherNode() {
    connectedOn(0, "phone");
    String id = sessions(1).get("phone");
    nodes.client(0).connected("bob");

    HttpReply reply =
        nodes
            .client(1)
            .send(HttpRequest.api("DELETE", "/sessions/" + id).by(nodes.client(1).token("bob")));

    assertThat(reply.status()).isEqualTo(404);
    assertThat(sessions(2)).hasSize(1);
  }

  @Test
  void withoutRedisSessionsAreThoseOfTheNodeAndNoOtherIsSaidNotToBeThere() {
    connectedOn(0, "phone");
    connectedOn(1, "tablet");
    Map<String, String> all = sessions(0);
    nodes.redis().kill();
    Eventually.holds("none is ready", () -> nodes.all().stream().noneMatch(TestCluster::isReady));

    assertThat(sessions(0)).containsOnlyKeys("phone");
    assertThat(send(0, "DELETE", "/sessions/" + all.get("tablet")).status()).isEqualTo(503);
    assertThat(send(0, "DELETE", "/sessions/" + all.get("phone")).status()).isEqualTo(204);
  }

  @Test
  void whoIsPresentIsToldAcrossNodes() {
    String alice = nodes.client(0).token("alice");
    new RoomClient(nodes.client(0)).create("plan", "alice");
    assertThat(new RoomClient(nodes.client(1)).put("plan", "alice", "bob", "reader"))
        .isEqualTo(201);
    StreamClient watcher =
        nodes.client(2).open(HttpRequest.api("GET", "/stream?presence=1").by(alice));
    watcher.expect("connected");

    StreamClient first = nodes.client(0).connected("bob");
    StreamClient second = nodes.client(1).connected("bob");

    awaitPresence(watcher, "\"userId\":\"bob\"");
    Eventually.holds(
        "two sessions of bob's",
        () ->
            nodes
                .client(2)
                .send(HttpRequest.api("GET", "/rooms/plan/presence").by(alice))
                .body()
                .contains("\"userId\":\"bob\",\"sessions\":2"));
    first.reset();
    second.reset();
    awaitPresence(watcher, "\"count\":1");
    nodes.client(1).send(HttpRequest.api("DELETE", "/rooms/plan").by(alice));
    awaitPresence(watcher, "\"count\":0");
  }

  private static void awaitPresence(StreamClient watcher, String part) {
    Eventually.holds(
        part,
        () -> {
          ServerSentEvent event = watcher.poll(Duration.ofMillis(100));
          return event != null && event.data().contains(part);
        });
  }
}
