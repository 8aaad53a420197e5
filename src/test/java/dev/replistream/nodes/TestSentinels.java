package dev.replistream.nodes;

import dev.replistream.Eventually;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.exceptions.JedisConnectionException;

/// A real Redis master, its replica, and a Sentinel that lets the replica take over when it has not
/// heard of the master for a second; each in a process of its own.
final class TestSentinels implements AutoCloseable {
  private static final Duration AGREEMENT = Duration.ofSeconds(20);

  private final TestRedis master;
  private final TestRedis replica;
  private final TestRedis sentinel;

  private TestSentinels(TestRedis master, TestRedis replica, TestRedis sentinel) {
    this.master = master;
    this.replica = replica;
    this.sentinel = sentinel;
  }

  static TestSentinels start() {
    TestRedis master = TestRedis.start("--repl-diskless-sync-delay", "0");
    TestRedis replica = TestRedis.start("--replicaof", "127.0.0.1 " + master.port());
    awaitInfo(replica, "replication", "master_link_status:up");
    String configuration =
        """
        sentinel monitor main 127.0.0.1 %d 1
        sentinel down-after-milliseconds main 1000
        """
            .formatted(master.port());
    TestRedis sentinel = TestRedis.start(file(configuration).toString(), "--sentinel");
    awaitInfo(sentinel, "sentinel", "slaves=1");
    return new TestSentinels(master, replica, sentinel);
  }

  /// A file that the Sentinel writes in too.
  private static Path file(String text) {
    try {
      return Files.writeString(Files.createTempFile("sentinel", ".conf"), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void awaitInfo(TestRedis server, String section, String text) {
    Eventually.holdsWithin(
        AGREEMENT,
        text,
        () -> {
          try (RedisClient client = server.client()) {
            return client.info(section).contains(text);
          } catch (JedisConnectionException _) {
            return false; // a server that becomes master ends its connections
          }
        });
  }

  /// The master at the start.
  TestRedis master() {
    return master;
  }

  /// Waits until the replica has taken over.
  void awaitFailover() {
    awaitInfo(replica, "replication", "role:master");
  }

  /// Their URL.
  String url() {
    return "redis+sentinel://127.0.0.1:" + sentinel.port() + "/main";
  }

  @Override
  public void close() {
    sentinel.close();
    replica.close();
    master.close();
  }
}
