package dev.replistream.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.poke.Poke;
import dev.replistream.poke.PokeBus;
import dev.replistream.poke.PokeBusRules;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Two nodes that meet in a real Redis cluster.
class RedisPokeBusOnClusterTest extends TwoNodes implements PokeBusRules, NodesRules {
  private static final Duration NOTICE = Duration.ofSeconds(5);
  private static final Duration REPAIR = Duration.ofSeconds(20);

  /// Enough to have some on each shard.
  private static final List<String> USERS =
      IntStream.range(0, 100).mapToObj(i -> "user" + i).toList();

  private static TestRedisCluster cluster;

  @BeforeAll
  static void start() {
    cluster = TestRedisCluster.start();
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  @Override
  protected List<RedisNode> open() {
    String prefix = UUID.randomUUID().toString();
    return List.of(RedisNode.open(cluster.url(), prefix), RedisNode.open(cluster.url(), prefix));
  }

  private void openAndPoke() {
    for (String userId : USERS) {
      far.streams().open(userId);
      near.bus().poke(userId, PokeBus.Source.SELF);
    }
    Eventually.holds("all are told", () -> USERS.stream().allMatch(user -> newest(user) > 0));
  }

  private long newest(String userId) {
    return far.streams().delivered(userId).stream().mapToLong(Poke::stamp).max().orElse(-1);
  }

  private void assertAllToldMoreThan(List<Long> before) {
    Eventually.holdsWithin(
        REPAIR, "both are up", () -> near.bus().isAvailable() && far.bus().isAvailable());
    Eventually.holdsWithin(
        REPAIR,
        "all get a sync",
        () -> IntStream.range(0, USERS.size()).allMatch(i -> newest(USERS.get(i)) > before.get(i)));
    for (String userId : USERS) {
      Eventually.holdsWithin(
          REPAIR, userId + " is found", () -> near.bus().poke(userId, PokeBus.Source.SELF) == 1);
      long stamp = near.bus().latest(userId).stamp();
      Eventually.holds("the poke comes", () -> newest(userId) == stamp);
    }
  }

  @Test
  void pokesOfManyShardsAtOnceTakeNoMoreThreadsAndConnections() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    near.bus().poke(Set.copyOf(USERS), "", PokeBus.Source.ROOM); // all is loaded
    long before = threads.getTotalStartedThreadCount();

    for (int i = 0; i < 100; i++) {
      near.bus().poke(Set.copyOf(USERS), "", PokeBus.Source.ROOM);
    }

    assertThat(threads.getTotalStartedThreadCount() - before).isLessThan(50);
    // one to ask and one to listen for each of 16 shards, and one to find the server of each
    assertThat(cluster.connections()).isLessThanOrEqualTo(2 * 3L * 16);
  }

  @Test
  void aMasterThatDiesAndComesBackEmptyCostsEachStreamOneSync() {
    openAndPoke();
    List<Long> before = USERS.stream().map(this::newest).toList();

    cluster.first().kill();

    Eventually.holdsWithin(
        NOTICE, "both notice", () -> !near.bus().isAvailable() && !far.bus().isAvailable());
    assertThat(near.bus().poke(USERS.getFirst(), PokeBus.Source.SELF)).isZero();

    cluster.first().restart();

    assertAllToldMoreThan(before);
  }

  @Test
  void slotsThatGoToAnotherServerAreFollowed() {
    openAndPoke();
    List<Long> before = USERS.stream().map(this::newest).toList();

    cluster.failOver();

    assertAllToldMoreThan(before);
  }

  @Test
  void whatTheNodesCanNotWorkWithIsARefusal() {
    assertThat(new RedisNode(cluster.url(), "any").refusal()).isEmpty();
    assertThat(new RedisNode(cluster.url().replace("//", "//nobody:s3cret@"), "any").refusal())
        .get()
        .asString()
        .startsWith("WRONGPASS ");
    assertThat(new RedisNode(cluster.first().url(), "any").refusal())
        .get()
        .asString()
        .startsWith("MOVED ");
    try (TestRedis single = TestRedis.start()) {
      String url = single.url().replace("redis:", "redis+cluster:");
      assertThat(new RedisNode(url, "any").refusal())
          .contains("ERR This instance has cluster support disabled");
    }
  }

  @Test
  void aUserOfTheNodesNeedsShardedChannelsAndTheSlots() {
    String url = cluster.url().replace("//", "//node:s3cret@");
    String[] rights =
        ("on >s3cret ~any:* &any:* +eval +evalsha +ssubscribe +spublish +cluster|slots +exists"
                + " +time +get +set +getdel +del +unlink +rename +expire +hget +hset +hdel +hlen"
                + " +hgetall +hincrby +sadd +srem +smembers")
            .split(" ");
    cluster.allow("node", rights);
    try (RedisNode node = new RedisNode(url, "any")) {
      assertThat(node.refusal()).isEmpty();
      node.start();
      Eventually.holds("it is up", node.bus()::isAvailable);
      USERS.forEach(node.streams()::open);

      for (String userId : USERS) {
        assertThat(node.bus().poke(userId, PokeBus.Source.SELF)).isEqualTo(1);
      }
    }
    cluster.allow("node", "-ssubscribe");
    assertThat(new RedisNode(url, "any").refusal())
        .contains("the user may not SSUBSCRIBE within any:*");
  }
}
