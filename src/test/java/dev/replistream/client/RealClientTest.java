package dev.replistream.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Rounds;
import dev.replistream.client.NodeTests.TestFile;
import dev.replistream.db.TestPostgres;
import dev.replistream.nodes.TestRedis;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.TestFactory;

/// Runs the scenarios of `src/test/js` under Node, and shows each as a test. `etc/test` installs
/// what they need; `CONVERGENCE_SECONDS` and `CONVERGENCE_SEED` in the environment reach them.
final class RealClientTest {
  private static final String SECONDS = "CONVERGENCE_SECONDS";
  private static final Path SCENARIOS = Path.of("src", "test", "js").toAbsolutePath();

  /// The limit is more than the longest convergence that anybody has the patience for.
  private static final NodeTests NODE =
      new NodeTests(List.of("--test-force-exit"), Duration.ofHours(2));

  private static @Nullable TestRedis redis;

  @AfterAll
  static void stop() {
    if (redis != null) {
      redis.close();
    }
  }

  @TestFactory
  Stream<DynamicContainer> scenarios() throws IOException {
    assertThat(SCENARIOS.resolve("node_modules"))
        .as("what etc/test installs (or `npm ci` in %s)", SCENARIOS)
        .isDirectory();
    List<TestFile> files = new ArrayList<>();
    for (Path file : NodeTests.files(SCENARIOS, ".test.mjs")) {
      files.add(new TestFile(file.getFileName() + " on SQLite", file, RealClientTest::server));
    }
    files.add(
        new TestFile(
            "convergence.test.mjs on PostgreSQL",
            SCENARIOS.resolve("convergence.test.mjs"),
            RealClientTest::serverOnPostgres));
    files.add(
        new TestFile(
            "convergence-nodes.mjs on PostgreSQL and Redis",
            SCENARIOS.resolve("convergence-nodes.mjs"),
            RealClientTest::nodes));
    return NODE.containers(files);
  }

  private static Map<String, String> server() {
    Map<String, String> environment = new HashMap<>(ServerProcess.environment());
    environment.put(
        SECONDS, System.getenv().getOrDefault(SECONDS, String.valueOf(Rounds.of(5, 60))));
    return environment;
  }

  private static Map<String, String> serverOnPostgres() {
    Map<String, String> environment = server();
    environment.put("SERVER_DATABASE_URL", TestPostgres.newDatabase());
    return environment;
  }

  private static Map<String, String> nodes() {
    TestRedis started = TestRedis.start();
    redis = started;
    Map<String, String> environment = serverOnPostgres();
    environment.put("SERVER_REDIS_URL", started.url());
    return environment;
  }
}
