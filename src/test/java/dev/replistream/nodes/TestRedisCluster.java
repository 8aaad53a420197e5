package dev.replistream.nodes;

import dev.replistream.Eventually;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.util.SafeEncoder;

/// A real Redis cluster of three masters, each in a process of its own, and a replica of the last
/// one.
final class TestRedisCluster implements AutoCloseable {
  private static final int MASTERS = 3;
  private static final int SLOTS = 16_384;

  /// Nodes find each other and agree within it.
  private static final Duration AGREEMENT = Duration.ofSeconds(20);

  private final List<TestRedis> nodes;

  private TestRedisCluster(List<TestRedis> nodes) {
    this.nodes = nodes;
  }

  static TestRedisCluster start() {
    List<Integer> busPorts = Stream.generate(TestRedis::freePort).limit(MASTERS + 1).toList();
    TestRedisCluster cluster =
        new TestRedisCluster(busPorts.stream().map(TestRedisCluster::node).toList());
    for (int i = 0; i < MASTERS; i++) {
      int first = SLOTS * i / MASTERS;
      int last = SLOTS * (i + 1) / MASTERS - 1;
      ask(cluster.nodes.get(i), "ADDSLOTSRANGE", Integer.toString(first), Integer.toString(last));
      // so that no two have the same and have to agree on another one
      ask(cluster.nodes.get(i), "SET-CONFIG-EPOCH", Integer.toString(i + 1));
    }
    for (int i = 1; i <= MASTERS; i++) {
      ask(
          cluster.nodes.getFirst(),
          "MEET",
          "127.0.0.1",
          Integer.toString(cluster.nodes.get(i).port()),
          Integer.toString(busPorts.get(i)));
    }
    cluster.awaitWhole();
    TestRedis replica = cluster.nodes.getLast();
    String master = ask(cluster.nodes.get(MASTERS - 1), "MYID");
    ask(replica, "REPLICATE", master);
    Eventually.holdsWithin(
        AGREEMENT, "the replica follows", () -> info(replica).contains("master_link_status:up"));
    return cluster;
  }

  private static TestRedis node(int busPort) {
    return TestRedis.start(
        "--cluster-enabled", "yes",
        "--cluster-port", Integer.toString(busPort),
        "--cluster-node-timeout", "1000",
        "--repl-diskless-sync-delay", "0");
  }

  private static String ask(TestRedis node, String... arguments) {
    try (RedisClient client = node.client()) {
      return SafeEncoder.encode(
          (byte[])
              client.executeCommand(
                  new CommandArguments(Command.CLUSTER).addObjects(List.of(arguments))));
    }
  }

  private static String info(TestRedis node) {
    try (RedisClient client = node.client()) {
      return client.info("replication");
    }
  }

  /// Waits until all nodes say that every slot is served.
  void awaitWhole() {
    Eventually.holdsWithin(
        AGREEMENT,
        "the cluster is whole",
        () ->
            nodes.stream()
                .map(node -> ask(node, "INFO"))
                .allMatch(info ->
                    info.contains("cluster_state:ok")
                        && info.contains("cluster_known_nodes:" + nodes.size())));
  }

  /// The first master, which has no replica.
  TestRedis first() {
    return nodes.getFirst();
  }

  /// How many connections of Replistream's nodes there are.
  long connections() {
    long count = 0;
    for (TestRedis node : nodes) {
      try (Jedis admin = new Jedis("127.0.0.1", node.port())) {
        count +=
            admin.clientList().lines().filter(line -> line.contains(" name=replistream ")).count();
      }
    }
    return count;
  }

  /// Gives a user these rights on all nodes.
  void allow(String user, String... rights) {
    for (TestRedis node : nodes) {
      try (Jedis admin = new Jedis("127.0.0.1", node.port())) {
        admin.aclSetUser(user, rights);
      }
    }
  }

  /// Makes the last master and its replica change places.
  void failOver() {
    TestRedis replica = nodes.getLast();
    ask(replica, "FAILOVER");
    Eventually.holdsWithin(
        AGREEMENT, "the replica is master", () -> info(replica).contains("role:master"));
  }

  /// Its URL, by its masters.
  String url() {
    return nodes.stream()
        .limit(MASTERS)
        .map(node -> "127.0.0.1:" + node.port())
        .collect(Collectors.joining(",", "redis+cluster://", ""));
  }

  @Override
  public void close() {
    nodes.forEach(TestRedis::close);
  }
}
