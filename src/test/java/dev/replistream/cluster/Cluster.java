package dev.replistream.cluster;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Settings;
import dev.replistream.TestService;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;

/// Three nodes that share a database and a Redis, and the way to any of them. {@link #send} may be
/// used by any thread, the rest is for one.
final class Cluster implements AutoCloseable {
  static final int NODES = 3;

  private static final long PAUSE_NANOS = 20_000_000;

  private final Settings settings = TestService.settings();
  private final List<ServerNode> nodes = new ArrayList<>();

  private Cluster() {}

  /// Starts the nodes.
  ///
  /// @param redisUrls where each finds Redis
  /// @param more further environment of each, without the leading `REPLISTREAM_`
  /// @param directory for their files
  static Cluster start(
      String databaseUrl, List<String> redisUrls, Map<String, String> more, Path directory)
      throws IOException, InterruptedException {
    Cluster cluster = new Cluster();
    try {
      for (int i = 0; i < NODES; i++) {
        Map<String, String> environment = new HashMap<>();
        environment.put("REPLISTREAM_HOST", "127.0.0.1");
        environment.put("REPLISTREAM_PORT", "0");
        environment.put("REPLISTREAM_ADMIN_PORT", "0");
        environment.put("REPLISTREAM_AUTH_SECRET", TestService.SECRET);
        environment.put("REPLISTREAM_DATA_DIR", directory.resolve("node" + i).toString());
        environment.put("REPLISTREAM_DB_URL", databaseUrl);
        environment.put("REPLISTREAM_DB_USER", "postgres");
        environment.put("REPLISTREAM_REDIS_URL", redisUrls.get(i));
        environment.put("REPLISTREAM_STREAM_RETRY", "PT0.1S");
        more.forEach((name, value) -> environment.put("REPLISTREAM_" + name, value));
        cluster.nodes.add(new ServerNode(environment, cluster.settings));
      }
      cluster.nodes.getFirst().begin(); // makes the tables
      cluster.nodes.getFirst().awaitReady();
      for (ServerNode node : cluster.nodes.subList(1, NODES)) {
        node.begin();
      }
      for (ServerNode node : cluster.nodes.subList(1, NODES)) {
        node.awaitReady();
      }
      return cluster;
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      cluster.close();
      throw e;
    }
  }

  ServerNode node(int number) {
    return nodes.get(number);
  }

  /// A token of a user, for any node.
  String token(String userId, String... scopes) {
    return nodes.getFirst().client().token(userId, scopes);
  }

  /// All nodes, dead or alive, in the order in which a client tries them.
  static List<Integer> anyOrder(RandomGenerator random) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < NODES; i++) {
      order.add(i);
    }
    Collections.shuffle(order, java.util.Random.from(random));
    return order;
  }

  /// How a request was answered at last.
  ///
  /// @param node by which node
  /// @param cutOff how many nodes ended the connection before they answered, and may have done what
  ///   was asked
  /// @param unavailable how many answers were 503
  record Answer(HttpReply reply, int node, int cutOff, int unavailable) {}

  /// Sends a request to any node, as a load balancer would that knows nothing of their health:
  /// where a node refuses the connection, cuts it off or answers 503, another one is tried.
  Answer send(RandomGenerator random, HttpRequest request) {
    long deadline = System.nanoTime() + HttpConnection.PATIENCE.toNanos();
    int cutOff = 0;
    int unavailable = 0;
    while (System.nanoTime() - deadline < 0) {
      for (int node : anyOrder(random)) {
        try (HttpConnection connection = nodes.get(node).client().connect()) {
          try {
            connection.send(request.with("Connection", "close").toBytes());
            HttpReply reply = connection.reply();
            if (reply.status() != 503) {
              return new Answer(reply, node, cutOff, unavailable);
            }
            unavailable++;
          } catch (UncheckedIOException | AssertionError _) {
            cutOff++;
          }
        } catch (UncheckedIOException _) {
          // refused
        }
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    throw new AssertionError("no node answered " + request.method() + " " + request.target());
  }

  /// What the nodes have printed, for a test that fails.
  String output() {
    StringBuilder all = new StringBuilder();
    for (int i = 0; i < NODES; i++) {
      all.append("node ").append(i).append(":\n").append(nodes.get(i).output()).append('\n');
    }
    return all.toString();
  }

  @Override
  public void close() {
    nodes.forEach(ServerNode::close);
  }
}
