package dev.replistream.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpReply;
import dev.replistream.ServiceClient;
import dev.replistream.db.TestPostgresServer;
import dev.replistream.nodes.TestRedis;
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
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// PostgreSQL or Redis is killed and started again under three nodes, while clients listen and
/// others push and poke.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Tag("alone")
class OutageUnderLoadTest {
  private static final int USERS = 60;
  private static final int WORKERS = 4;

  /// Within which all is well again, and a poke is told.
  private static final Duration REPAIR = Duration.ofSeconds(10);

  /// Within which a caller has an answer, and something for a busy machine.
  private static final Duration ANSWER = Duration.ofMillis(5_500);

  private TestPostgresServer postgres;
  private TestRedis redis;
  private Cluster cluster;
  private final List<Listener> listeners = new ArrayList<>();
  private SplittableRandom random;
  private int test;

  @BeforeAll
  void start(@TempDir Path directory) throws Exception {
    postgres = TestPostgresServer.start(directory.resolve("postgres"));
    redis = TestRedis.start();
    cluster =
        Cluster.start(
            postgres.url(), Collections.nCopies(Cluster.NODES, redis.url()), Map.of(), directory);
  }

  @AfterAll
  void stop() throws Exception {
    cluster.close();
    redis.close();
    postgres.close();
  }

  @BeforeEach
  void connect() {
    long seed = System.nanoTime();
    System.out.println("OutageUnderLoadTest seed " + seed);
    random = new SplittableRandom(seed);
    test++;
    for (int i = 0; i < 3 * USERS; i++) {
      listeners.add(
          new Listener(cluster, "user-" + test + "-" + i, i % Cluster.NODES, random.split()));
    }
    Listener.awaitConnected(listeners);
  }

  @AfterEach
  void disconnect() {
    listeners.forEach(Listener::close);
    listeners.clear();
  }

  private List<Listener> part(int number) {
    return listeners.subList(number * USERS, (number + 1) * USERS);
  }

  /// Does something for each of these, by any node.
  private List<Future<Deed>> begin(ExecutorService workers, List<Listener> those) {
    List<Future<Deed>> doing = new ArrayList<>();
    for (Listener each : those) {
      SplittableRandom own = random.split();
      doing.add(workers.submit(() -> Deed.now(cluster, each, own)));
    }
    return doing;
  }

  private void assertAllWell(List<Future<Deed>> doing) throws Exception {
    for (Future<Deed> each : doing) {
      Deed deed = each.get();
      Eventually.holdsWithin(
          REPAIR, deed + ", and not again", () -> !deed.listener().syncs().isEmpty());
      assertThat(deed.untilTold()).as("%s", deed).isLessThan(REPAIR);
      deed.assertKept(cluster, random);
    }
  }

  private void assertStreamsStayed() {
    for (Listener each : listeners) {
      assertThat(each.endings(0) + each.endings(1) + each.endings(2)).isZero();
      assertThat(each.node()).isNotNegative();
    }
  }

  private boolean isReady(int node) {
    return ServerNode.isReady(cluster.node(node).client());
  }

  private boolean areReady() {
    return isReady(0) && isReady(1) && isReady(2);
  }

  @Test
  void whilePostgresIsAwayPushesAreAnswered503AndStreamsStay() throws Exception {
    List<Future<Deed>> doing = new ArrayList<>();
    try (ExecutorService workers = Executors.newFixedThreadPool(WORKERS)) {
      doing.addAll(begin(workers, part(0)));
      doing.addAll(begin(workers, part(1)));
      Eventually.holds("the load is on", () -> doing.stream().anyMatch(Future::isDone));

      postgres.kill();

      for (int node = 0; node < Cluster.NODES; node++) {
        long asked = System.nanoTime();
        ServiceClient client = cluster.node(node).client();
        HttpReply reply = client.send(Deed.push("late-" + test, client.token("late-" + test)));
        assertThat(reply.status()).as("%s", reply).isEqualTo(503);
        assertThat(Duration.ofNanos(System.nanoTime() - asked)).isLessThan(ANSWER);
        assertThat(client.admin("/health/live").status()).isEqualTo(200);
        assertThat(client.admin("/health/ready").status()).isEqualTo(503);
        // pokes go on
        Listener poked = part(2).get(node + 1); // with another node
        client.poke(poked.userId());
        Eventually.holds("it is told", () -> !poked.syncs().isEmpty());
      }

      postgres.startAgain();
      long back = System.nanoTime();
      Eventually.holdsWithin(REPAIR, "all are ready", this::areReady);
      System.out.println("ready after PostgreSQL's return: " + since(back));
    }
    assertAllWell(doing);
    assertStreamsStayed();
    assertThat(part(2).stream().filter(each -> each.syncs().isEmpty()).count())
        .isEqualTo(USERS - Cluster.NODES);
  }

  private static Duration since(long nanoTime) {
    return Duration.ofNanos(System.nanoTime() - nanoTime);
  }

  @Test
  void whileRedisIsAwayPushesGoOnAndAllAreToldWhenItIsBack() throws Exception {
    List<Future<Deed>> doing = new ArrayList<>();
    long back;
    try (ExecutorService workers = Executors.newFixedThreadPool(WORKERS)) {
      doing.addAll(begin(workers, part(0)));
      Eventually.holds("the load is on", () -> doing.stream().anyMatch(Future::isDone));
      redis.kill();
      Eventually.holds("none is ready", () -> !isReady(0) && !isReady(1) && !isReady(2));
      List<Future<Deed>> meanwhile = begin(workers, part(1));
      for (Future<Deed> each : meanwhile) {
        assertThat(each.get().answer().unavailable()).isZero();
      }
      doing.addAll(meanwhile);

      redis.restart();
      back = System.nanoTime();
      Eventually.holdsWithin(REPAIR, "all are ready", this::areReady);
      System.out.println("ready after Redis' return: " + since(back));
    }
    for (Listener each : listeners) {
      Eventually.holdsWithin(REPAIR.minus(since(back)), "all are told", () -> told(each, back));
    }
    for (Future<Deed> each : doing) {
      each.get().assertKept(cluster, random);
    }
    assertStreamsStayed();
    assertThat(cluster.node(0).client().poke(part(2).get(1).userId())).isOne();
  }

  private static boolean told(Listener listener, long since) {
    List<Long> syncs = listener.syncs();
    return !syncs.isEmpty() && syncs.getLast() - since > 0;
  }
}
