package dev.replistream;

import dev.replistream.db.TestPostgres;
import dev.replistream.nodes.TestRedis;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Several services of this JVM that are one: they share a PostgreSQL database and a Redis.
public final class TestCluster implements AutoCloseable {
  private final TestRedis redis;
  private final String databaseUrl = TestPostgres.newDatabase();
  private final List<TestService> services = new ArrayList<>();

  private TestCluster(TestRedis redis) {
    this.redis = redis;
  }

  /// Starts so many nodes with a Redis of their own.
  ///
  /// @param environment pairs as {@link TestService#start} takes them
  public static TestCluster start(int count, String... environment) {
    TestCluster nodes = new TestCluster(TestRedis.start());
    for (int i = 0; i < count; i++) {
      nodes.add(nodes.redis.url(), environment);
    }
    return nodes;
  }

  /// Starts one more node, which finds Redis at a URL of its own.
  public TestService add(String redisUrl, String... environment) {
    TestService service =
        TestService.start(
            Stream.concat(
                    Stream.of(
                        "DB_URL",
                        databaseUrl,
                        "DB_USER",
                        "postgres",
                        "DB_POOL_SIZE",
                        "4",
                        "REDIS_URL",
                        redisUrl),
                    Stream.of(environment))
                .toArray(String[]::new));
    services.add(service);
    Eventually.holds("the node is ready", () -> isReady(service));
    return service;
  }

  /// Whether a node says that it is ready.
  public static boolean isReady(TestService service) {
    return service.client().admin("/health/ready").status() == 200;
  }

  /// The nodes in the order in which they started.
  public List<TestService> all() {
    return services;
  }

  /// The caller of one of them.
  public ServiceClient client(int node) {
    return services.get(node).client();
  }

  /// Where they meet.
  public TestRedis redis() {
    return redis;
  }

  @Override
  public void close() {
    services.forEach(TestService::close);
    redis.close();
  }
}
