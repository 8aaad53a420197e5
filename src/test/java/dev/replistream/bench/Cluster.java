package dev.replistream.bench;

import dev.replistream.db.TestPostgres;
import dev.replistream.nodes.TestRedis;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/// Redis, PostgreSQL and some nodes that share them, all of them real and on this machine. Confined
/// to one thread.
///
/// As a program it is the entry of `etc/cluster`: it says how to talk to the nodes, and serves
/// until it is told to stop.
public final class Cluster implements AutoCloseable {
  private static final int NODES = 3;

  private final TestRedis redis = TestRedis.start();
  private final String databaseUrl = TestPostgres.newDatabase();
  private final Secret secret = new Secret();
  private final List<ServerProcess> nodes = new ArrayList<>();

  private Cluster() {}

  /// Starts so many nodes.
  ///
  /// @param command what starts one
  /// @param settings further environment of each
  /// @param work a directory for the nodes' files
  static Cluster start(int count, List<String> command, Map<String, String> settings, Path work)
      throws IOException {
    Cluster cluster = new Cluster();
    try {
      for (int i = 0; i < count; i++) {
        Map<String, String> environment = new HashMap<>(settings);
        environment.put("REPLISTREAM_AUTH_SECRET", cluster.secret.text());
        environment.put("REPLISTREAM_DB_URL", cluster.databaseUrl);
        environment.put("REPLISTREAM_DB_USER", "postgres");
        environment.put("REPLISTREAM_REDIS_URL", cluster.redis.url());
        environment.put("REPLISTREAM_DATA_DIR", work.resolve("node" + i).toString());
        cluster.nodes.add(
            ServerProcess.start(command, environment, work.resolve("node" + i + ".log")));
      }
      return cluster;
    } catch (IOException e) {
      cluster.close();
      throw e;
    }
  }

  /// A node, counted from 0.
  ServerProcess node(int number) {
    return nodes.get(number);
  }

  /// The CPU time that all nodes have used.
  Duration cpu() throws IOException {
    Duration sum = Duration.ZERO;
    for (ServerProcess node : nodes) {
      sum = sum.plus(node.cpu());
    }
    return sum;
  }

  /// The CPU time that Redis has used.
  Duration cpuOfRedis() {
    return redis.cpu();
  }

  /// What signs the callers' tokens.
  Secret secret() {
    return secret;
  }

  @Override
  public void close() {
    nodes.forEach(ServerProcess::close);
    redis.close();
  }

  /// Starts three nodes and waits for the end.
  ///
  /// @param arguments a directory for the nodes' files, then the command that starts one
  public static void main(String[] arguments) throws IOException, InterruptedException {
    List<String> command = List.of(arguments).subList(1, arguments.length);
    Cluster cluster =
        start(NODES, command, Map.of("REPLISTREAM_CONSOLE", "true"), Path.of(arguments[0]));
    Runtime.getRuntime().addShutdownHook(new Thread(cluster::close));
    System.out.printf(
        """

        Three nodes that are one server:
        %s
        Redis       %s
        PostgreSQL  %s
        Logs        %s

        A token of user-0, good for an hour; keep it in both terminals:
        TOKEN=%s

        Open a stream on one node:
        curl -N -H "Authorization: Bearer $TOKEN" http://127.0.0.1:%d/api/v1/replicache/stream

        Poke it on another:
        curl -X POST -H "Authorization: Bearer $TOKEN" http://127.0.0.1:%d/api/v1/replicache/poke-user

        Ctrl-C ends all of them.
        """,
        addresses(cluster),
        cluster.redis.url(),
        cluster.databaseUrl,
        arguments[0],
        cluster.secret.tokens(1).getFirst(),
        cluster.node(0).port(),
        cluster.node(1).port());
    new CountDownLatch(1).await();
  }

  private static String addresses(Cluster cluster) {
    StringBuilder lines = new StringBuilder();
    for (ServerProcess node : cluster.nodes) {
      lines.append(
          "  http://127.0.0.1:%d   health and metrics on http://127.0.0.1:%d%n"
              .formatted(node.port(), node.adminPort()));
    }
    return lines.toString();
  }
}
