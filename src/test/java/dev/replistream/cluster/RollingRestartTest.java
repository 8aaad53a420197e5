package dev.replistream.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.db.TestPostgres;
import dev.replistream.nodes.TestRedis;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Three nodes are stopped and started again one after the other, as a new release is rolled out,
/// while clients listen and others push and poke.
class RollingRestartTest {
  private static final int USERS = 480;
  private static final int WORKERS = 3;

  /// How many are pushed or poked for before, during and after each of the phases of a node's
  /// restart: it takes connections, it drains, it is away and starts.
  private static final int EACH_PHASE = USERS / Cluster.NODES / 4;

  private static final Duration TOLD = Duration.ofSeconds(10);

  @Test
  void nobodyNoticesARollingRestartButByOneReconnectANode(@TempDir Path directory)
      throws Exception {
    long seed = System.nanoTime();
    System.out.println("RollingRestartTest seed " + seed);
    SplittableRandom random = new SplittableRandom(seed);
    try (TestRedis redis = TestRedis.start();
        Cluster cluster =
            Cluster.start(
                TestPostgres.newDatabase(),
                Collections.nCopies(Cluster.NODES, redis.url()),
                Map.of("STREAM_DRAIN", "PT1S"),
                directory)) {
      List<Listener> listeners = new ArrayList<>();
      try {
        for (int i = 0; i < USERS; i++) {
          listeners.add(new Listener(cluster, "user-" + i, i % Cluster.NODES, random.split()));
        }
        Listener.awaitConnected(listeners);

        List<Deed> done = restartUnderLoad(cluster, listeners, random);

        assertThat(done).hasSize(USERS);
        assertNoticed(cluster, done, random);
      } finally {
        listeners.forEach(Listener::close);
      }
    }
  }

  private static List<Deed> restartUnderLoad(
      Cluster cluster, List<Listener> listeners, SplittableRandom random) throws Exception {
    List<Listener> order = new ArrayList<>(listeners);
    Collections.shuffle(order, Random.from(random));
    LinkedBlockingQueue<Listener> waiting = new LinkedBlockingQueue<>(order);
    Semaphore may = new Semaphore(0);
    try (ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<List<Deed>>> doing = new ArrayList<>();
      for (int i = 0; i < WORKERS; i++) {
        SplittableRandom own = random.split();
        doing.add(workers.submit(() -> doAll(cluster, waiting, may, own)));
      }
      try {
        for (int i = 0; i < Cluster.NODES; i++) {
          ServerNode node = cluster.node(i);
          goOn(may, waiting);
          may.release(EACH_PHASE); // while it begins to drain
          node.terminate();
          Eventually.holds("it drains", () -> !isReady(node));
          may.release(EACH_PHASE);
          assertThat(node.exitCode()).isZero();
          assertThat(node.output()).contains("event=stop");
          assertThat(complaints(node)).isEmpty();
          node.begin();
          goOn(may, waiting); // it is away
          node.awaitReady();
        }
      } finally {
        may.release(USERS); // those that are left, and the ends of the workers
      }
      List<Deed> done = new ArrayList<>();
      for (Future<List<Deed>> each : doing) {
        done.addAll(each.get());
      }
      return done;
    }
  }

  /// What an operator would have to look at. That the last connection came too late for Helidon,
  /// which cuts it off unheard, is none of it.
  private static List<String> complaints(ServerNode node) {
    return node.output()
        .lines()
        .filter(line -> line.contains("level=WARN") || line.contains("level=ERROR"))
        .filter(line -> !line.endsWith("Executor rejected handler for new connection"))
        .toList();
  }

  private static void goOn(Semaphore may, LinkedBlockingQueue<Listener> waiting) {
    may.release(EACH_PHASE);
    Eventually.holds("the load goes on", () -> may.availablePermits() == 0 || waiting.isEmpty());
  }

  private static boolean isReady(ServerNode node) {
    try {
      return ServerNode.isReady(node.client());
    } catch (RuntimeException | AssertionError _) {
      return false; // it is gone already
    }
  }

  private static List<Deed> doAll(
      Cluster cluster,
      LinkedBlockingQueue<Listener> waiting,
      Semaphore may,
      SplittableRandom random)
      throws InterruptedException {
    List<Deed> done = new ArrayList<>();
    while (true) {
      may.acquire();
      Listener next = waiting.poll();
      if (next == null) {
        may.release();
        return done;
      }
      done.add(Deed.now(cluster, next, random));
    }
  }

  private static void assertNoticed(Cluster cluster, List<Deed> done, SplittableRandom random) {
    int cutOff = 0;
    int unavailable = 0;
    int reconnects = 0;
    int twice = 0;
    Duration longest = Duration.ZERO;
    for (Deed deed : done) {
      Listener listener = deed.listener();
      Eventually.holdsWithin(TOLD, deed + ", and not again", () -> !listener.syncs().isEmpty());
      assertThat(deed.untilTold()).as("%s", deed).isLessThan(TOLD);
      longest = longest.compareTo(deed.untilTold()) < 0 ? deed.untilTold() : longest;
      twice += listener.syncs().size() - 1;
      cutOff += deed.answer().cutOff();
      unavailable += deed.answer().unavailable();
      for (int node = 0; node < Cluster.NODES; node++) {
        assertThat(listener.endings(node)).as("streams of one client that ended").isLessThan(2);
        reconnects += listener.endings(node);
      }
      deed.assertKept(cluster, random);
    }
    System.out.printf(
        "rolling restart: %d reconnects of %d clients, the last was told after %s, %d syncs too many,"
            + " %d requests cut off, %d answered 503%n",
        reconnects, done.size(), longest, twice, cutOff, unavailable);
    for (Deed deed : done) {
      // what was cut off may have been done, or not
      assertThat(deed.listener().syncs())
          .as("%s", deed)
          .hasSizeBetween(1, 1 + deed.answer().cutOff());
    }
  }
}
