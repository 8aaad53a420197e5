package dev.replistream.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpConnection;
import dev.replistream.Rounds;
import dev.replistream.ServiceClient;
import dev.replistream.db.TestPostgres;
import dev.replistream.nodes.TestRedis;
import dev.replistream.poke.TcpProxy;
import dev.replistream.room.RoomClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// A node is killed with SIGKILL while pushes and pokes go on. Each finds its way to Redis alone,
/// so that a test can hold it up between commit and poke.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Tag("alone")
class KilledNodeTest {
  private static final int USERS = 150;
  private static final int WORKERS = 6;

  /// Within which whoever missed a poke is told.
  private static final Duration REPAIR = Duration.ofSeconds(10);

  /// A node's lease, and something for a busy machine.
  private static final Duration LEASE = Duration.ofSeconds(5).plusSeconds(2);

  private final String databaseUrl = TestPostgres.newDatabase();
  private final List<TcpProxy> ways = new ArrayList<>();
  private TestRedis redis;
  private Cluster cluster;

  @BeforeAll
  void start(@TempDir Path directory) throws Exception {
    redis = TestRedis.start();
    List<String> urls = new ArrayList<>();
    for (int i = 0; i < Cluster.NODES; i++) {
      ways.add(new TcpProxy(redis.port()));
      urls.add("redis://127.0.0.1:" + ways.get(i).port());
    }
    cluster = Cluster.start(databaseUrl, urls, Map.of(), directory);
  }

  @AfterAll
  void stop() {
    cluster.close();
    ways.forEach(TcpProxy::close);
    redis.close();
  }

  private void startAgain(int node) throws Exception {
    ways.get(node).restore();
    cluster.node(node).begin();
    cluster.node(node).awaitReady();
  }

  @Test
  void nobodyMissesWhatIsDoneWhileANodeIsKilledAndNothingIsLost() throws Exception {
    long firstSeed = System.nanoTime();
    for (long seed = firstSeed; seed < firstSeed + Rounds.of(1, 2); seed++) {
      System.out.println("KilledNodeTest seed " + seed);
      killAtRandom(new SplittableRandom(seed), "user-" + (seed - firstSeed) + "-");
    }
  }

  private void killAtRandom(SplittableRandom random, String prefix) throws Exception {
    int victim = random.nextInt(Cluster.NODES);
    int before = random.nextInt(USERS / 5, USERS * 4 / 5);
    List<Listener> listeners = new ArrayList<>();
    try {
      for (int i = 0; i < USERS; i++) {
        listeners.add(new Listener(cluster, prefix + i, i % Cluster.NODES, random.split()));
      }
      Listener.awaitConnected(listeners);
      List<Listener> ofVictim = listeners.stream().filter(each -> each.node() == victim).toList();
      int survivor = (victim + 1) % Cluster.NODES;

      AtomicInteger begun = new AtomicInteger();
      List<Future<Deed>> doing = new ArrayList<>();
      long killed;
      try (ExecutorService workers = Executors.newFixedThreadPool(WORKERS)) {
        for (Listener listener : listeners) {
          SplittableRandom own = random.split();
          doing.add(
              workers.submit(() -> {
                begun.incrementAndGet();
                return Deed.now(cluster, listener, own);
              }));
        }
        Eventually.holds("some are done", () -> begun.get() >= before);
        cluster.node(victim).kill();
        killed = System.nanoTime();
      }

      assertAllTold(doing, victim, ofVictim);
      Eventually.holdsWithin(
          LEASE.minusNanos(System.nanoTime() - killed),
          "what the dead node held counts no more",
          () ->
              count(survivor, listeners.getFirst()) == USERS
                  && ofVictim.stream().allMatch(each -> connections(survivor, each) == 1));
      for (Listener listener : ofVictim) {
        assertThat(listener.endings(victim)).isOne();
      }
      SplittableRandom own = random.split();
      for (Future<Deed> each : doing) {
        each.get().assertKept(cluster, own);
      }
    } finally {
      listeners.forEach(Listener::close);
    }
    startAgain(victim);
    Eventually.holds("they are gone", () -> count(victim, listeners.getFirst()) == 0);
  }

  private int connections(int node, Listener listener) {
    return cluster.node(node).client().connections(listener.userId());
  }

  /// All connections that a node knows of, which are half a second old.
  private int count(int node, Listener listener) {
    return cluster.node(node).client().stats(listener.userId()).getInt("totalConnections");
  }

  private void assertAllTold(List<Future<Deed>> doing, int victim, List<Listener> ofVictim)
      throws Exception {
    int twice = 0;
    Duration longest = Duration.ZERO;
    for (Future<Deed> each : doing) {
      Deed deed = each.get();
      Eventually.holdsWithin(
          REPAIR, deed + ", and not again", () -> !deed.listener().syncs().isEmpty());
      Duration untilTold = deed.untilTold();
      assertThat(untilTold).as("%s", deed).isLessThan(REPAIR);
      longest = longest.compareTo(untilTold) < 0 ? untilTold : longest;
      if (deed.listener().syncs().size() > 1) {
        twice++;
        // by the dead node, and once more by one that did not know
        assertThat(deed.listener().syncs()).as("%s", deed).hasSize(2);
        assertThat(deed.answer().node() == victim || deed.answer().cutOff() > 0)
            .as("%s, its client at node %s of %s", deed, deed.listener().node(), victim)
            .isTrue();
      }
    }
    System.out.printf(
        "killed node %d with %d clients: the last was told after %s, %d twice%n",
        victim, ofVictim.size(), longest, twice);
  }

  @Test
  void whatWasCommittedByANodeThatDiedBeforeThePokeIsToldByOthersOnce() throws Exception {
    SplittableRandom random = new SplittableRandom(1);
    int victim = 2;
    try (Listener near = new Listener(cluster, "owed", 0, random.split());
        Listener other = new Listener(cluster, "owed", 1, random.split());
        Listener dying = new Listener(cluster, "owed", victim, random.split());
        HttpConnection pusher = cluster.node(victim).client().connect()) {
      List<Listener> all = List.of(near, other, dying);
      Listener.awaitConnected(all);
      ways.get(victim).silence();

      pusher.send(Deed.push("owed", cluster.token("owed")).toBytes());
      Eventually.holds("it is committed", () -> isOwed("owed"));
      cluster.node(victim).kill();
      ways.get(victim).cut(); // so that what it had still to say is lost
      long killed = System.nanoTime();
      assertThat(all).allMatch(each -> each.syncs().isEmpty());

      for (Listener each : all) {
        Eventually.holdsWithin(
            REPAIR.minusNanos(System.nanoTime() - killed),
            "all are told",
            () -> !each.syncs().isEmpty());
      }
      Eventually.holds("nothing is owed", () -> !isOwed("owed"));
      startAgain(victim);
      assertThat(cluster.node(victim).client().poke("owed")).isEqualTo(3);
      for (Listener each : all) {
        Eventually.holds("the next is told too", () -> each.syncs().size() >= 2);
        assertThat(each.syncs()).hasSize(2);
      }
    }
  }

  @Test
  void whomANodePokedWhileItWasCutOffOthersTellThoughItDied() throws Exception {
    SplittableRandom random = new SplittableRandom(1);
    int victim = 2;
    ServiceClient cutOff = cluster.node(victim).client();
    try (Listener poked = new Listener(cluster, "poked", 0, random.split());
        Listener reader = new Listener(cluster, "reader", 1, random.split())) {
      Listener.awaitConnected(List.of(poked, reader));
      RoomClient rooms = new RoomClient(cutOff);
      rooms.create("cut-off", "owner");
      assertThat(rooms.put("cut-off", "owner", "reader", "reader")).isEqualTo(201);
      Eventually.holds("the reader hears that it has joined", () -> reader.syncs().size() == 1);
      ways.get(victim).cut();
      Eventually.holds("it is cut off", () -> !ServerNode.isReady(cutOff));

      assertThat(cutOff.poke("poked")).as("where others listen it does not know").isZero();
      rooms.poke("cut-off", "owner");
      cluster.node(victim).kill();

      Eventually.holdsWithin(
          REPAIR, "all are told", () -> poked.syncs().size() == 1 && reader.syncs().size() == 2);
    }
    startAgain(victim);
  }

  /// Whether the pokes for a change that concerns this user alone are still to come.
  private boolean isOwed(String userId) throws Exception {
    try (Connection connection = DriverManager.getConnection(databaseUrl);
        PreparedStatement select =
            connection.prepareStatement("SELECT 1 FROM owed_poke WHERE users = ?")) {
      select.setBytes(1, ("[\"" + userId + "\"]").getBytes(StandardCharsets.UTF_8));
      try (ResultSet row = select.executeQuery()) {
        return row.next();
      }
    }
  }
}
