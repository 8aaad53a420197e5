package dev.replistream.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.db.TestPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.TestFactory;

/// Runs the scenarios of `src/test/js` under Node, and shows each as a test. `etc/test` installs
/// what they need; `CONVERGENCE_SECONDS` and `CONVERGENCE_SEED` in the environment reach them.
final class RealClientTest {
  private static final Path SCENARIOS = Path.of("src", "test", "js").toAbsolutePath();

  /// The limit is more than the longest convergence that anybody has the patience for.
  private static final NodeTests NODE =
      new NodeTests(List.of("--test-force-exit"), Duration.ofHours(2));

  @TestFactory
  Stream<DynamicContainer> scenarios() throws IOException {
    assertThat(SCENARIOS.resolve("node_modules"))
        .as("what etc/test installs (or `npm ci` in %s)", SCENARIOS)
        .isDirectory();
    return Stream.concat(
        NodeTests.files(SCENARIOS, ".test.mjs").stream()
            .map(file ->
                NODE.container(
                    file.getFileName() + " on SQLite", file, ServerProcess::environment)),
        Stream.of(
            NODE.container(
                "convergence.test.mjs on PostgreSQL",
                SCENARIOS.resolve("convergence.test.mjs"),
                RealClientTest::serverOnPostgres)));
  }

  private static Map<String, String> serverOnPostgres() {
    Map<String, String> environment = new HashMap<>(ServerProcess.environment());
    environment.put("SERVER_DATABASE_URL", TestPostgres.newDatabase());
    return environment;
  }
}
