package dev.replistream.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Rounds;
import dev.replistream.db.TestPostgres;
import dev.replistream.nodes.TestRedis;
import dev.replistream.room.RoomClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A node dies that holds all streams of a big room, and all of them come to the others at once.
@Tag("alone")
class ReconnectStormTest {
  private static final int USERS = Rounds.of(300, 1_000);
  private static final int STREAMS_OF_EACH = 10;
  private static final int STREAMS = USERS * STREAMS_OF_EACH;
  private static final int WORKERS = 16;

  /// Over which a poke of that many is spread (docs/sync-and-rooms.md, Rooms): a millisecond for
  /// each.
  private static final Duration WINDOW = Duration.ofMillis(STREAMS);

  /// What a node may take to say how it is while it lets so many in. The work of the clients on the
  /// same cores is most of it.
  private static final Duration HEALTH = Duration.ofSeconds(5);

  @Test
  void theOthersTakeAllStreamsInStayHealthyAndSpreadTheSyncs(@TempDir Path directory)
      throws Exception {
    try (TestRedis redis = TestRedis.start();
        Cluster cluster =
            Cluster.start(
                TestPostgres.newDatabase(),
                Collections.nCopies(Cluster.NODES, redis.url()),
                Map.of("HTTP_TRUSTED_PROXIES", "127.0.0.1"), // as behind a balancer
                directory)) {
      fillRoom(cluster);
      SplittableRandom random = new SplittableRandom();
      List<Listener> listeners = new ArrayList<>();
      try {
        for (int i = 0; i < STREAMS; i++) {
          listeners.add(new Listener(cluster, "user-" + i % USERS, 0, random.split()));
        }
        Eventually.holdsWithin(
            Duration.ofSeconds(60),
            "all are connected",
            () -> listeners.stream().allMatch(each -> each.node() == 0));

        assertTakenIn(cluster, listeners);
        assertSpread(cluster, listeners);
      } finally {
        listeners.forEach(Listener::close);
      }
    }
  }

  private static void fillRoom(Cluster cluster) throws Exception {
    RoomClient rooms = new RoomClient(cluster.node(1).client());
    rooms.create("plan", "user-0");
    List<Future<Integer>> members = new ArrayList<>();
    try (ExecutorService workers = Executors.newFixedThreadPool(WORKERS)) {
      for (int i = 1; i < USERS; i++) {
        String member = "user-" + i;
        members.add(workers.submit(() -> rooms.put("plan", "user-0", member, "reader")));
      }
    }
    for (Future<Integer> member : members) {
      assertThat(member.get()).isEqualTo(201);
    }
  }

  private static void assertTakenIn(Cluster cluster, List<Listener> listeners) throws Exception {
    cluster.node(0).kill();
    long killed = System.nanoTime();

    Duration slowest = Duration.ZERO;
    int probes = 0;
    while (!listeners.stream().allMatch(each -> each.node() > 0)) {
      assertThat(Duration.ofNanos(System.nanoTime() - killed)).isLessThan(Duration.ofSeconds(40));
      for (int node = 1; node < Cluster.NODES; node++) {
        for (String path : List.of("/health/live", "/health/ready")) {
          long asked = System.nanoTime();
          HttpReply reply = cluster.node(node).client().admin(path);
          Duration took = Duration.ofNanos(System.nanoTime() - asked);
          assertThat(reply.status()).as("%s of node %s: %s", path, node, reply).isEqualTo(200);
          slowest = slowest.compareTo(took) < 0 ? took : slowest;
          probes++;
        }
      }
    }

    System.out.printf(
        "reconnect storm: %d streams came to two nodes within %s; of %d probes the slowest took %s%n",
        STREAMS, Duration.ofNanos(System.nanoTime() - killed), probes, slowest);
    assertThat(slowest).isLessThan(HEALTH);
    for (Listener each : listeners) {
      assertThat(each.endings(0) + each.endings(1) + each.endings(2)).isOne();
      assertThat(each.syncs()).isEmpty(); // nobody missed anything
    }
  }

  private static void assertSpread(Cluster cluster, List<Listener> listeners) {
    Eventually.holds(
        "what the dead node held counts no more",
        () -> cluster.node(2).client().stats("user-1").getInt("totalConnections") == STREAMS);
    long poked = System.nanoTime();
    HttpReply reply =
        cluster
            .node(1)
            .client()
            .send(HttpRequest.api("POST", "/rooms/plan/poke").by(cluster.token("user-0")));
    assertThat(reply.json().getInt("clientsNotified")).isEqualTo(STREAMS);

    Eventually.holdsWithin(
        WINDOW.plusSeconds(10),
        "all are told",
        () -> listeners.stream().noneMatch(each -> each.syncs().isEmpty()));

    List<Long> afterMillis = new ArrayList<>();
    for (Listener each : listeners) {
      assertThat(each.syncs()).hasSize(1);
      afterMillis.add((each.syncs().getFirst() - poked) / 1_000_000);
    }
    Collections.sort(afterMillis);
    System.out.printf(
        "syncs of a room poke, ms after it: a quarter by %d, half by %d, three quarters by %d, all by"
            + " %d%n",
        afterMillis.get(STREAMS / 4),
        afterMillis.get(STREAMS / 2),
        afterMillis.get(STREAMS * 3 / 4),
        afterMillis.getLast());
    // never earlier than their turns, give or take what one user in a row of them makes
    assertThat(afterMillis.get(STREAMS / 4)).isGreaterThan(WINDOW.toMillis() / 5);
    assertThat(afterMillis.get(STREAMS / 2)).isGreaterThan(WINDOW.toMillis() * 2 / 5);
    assertThat(afterMillis.get(STREAMS * 3 / 4)).isGreaterThan(WINDOW.toMillis() * 3 / 5);
  }
}
