package dev.replistream.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Main;
import dev.replistream.db.TestPostgres;
import dev.replistream.http.JsonValue;
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

  /// What runs a server; the scenarios give it its environment and put mutators before the class
  /// path. C1 and the serial collector start fastest.
  private static final List<String> SERVER =
      List.of(
          Path.of(System.getProperty("java.home"), "bin", "java").toString(),
          "-XX:TieredStopAtLevel=1",
          "-XX:+UseSerialGC",
          "--enable-native-access=ALL-UNNAMED",
          "-Dslf4j.internal.verbosity=ERROR",
          Main.class.getName(),
          "serve");

  @TestFactory
  Stream<DynamicContainer> scenarios() throws IOException {
    assertThat(SCENARIOS.resolve("node_modules"))
        .as("what etc/test installs (or `npm ci` in %s)", SCENARIOS)
        .isDirectory();
    return Stream.concat(
        NodeTests.files(SCENARIOS, ".test.mjs").stream()
            .map(file ->
                NODE.container(file.getFileName() + " on SQLite", file, RealClientTest::server)),
        Stream.of(
            NODE.container(
                "convergence.test.mjs on PostgreSQL",
                SCENARIOS.resolve("convergence.test.mjs"),
                RealClientTest::serverOnPostgres)));
  }

  private static Map<String, String> server() {
    return Map.of(
        "CLASSPATH", System.getProperty("java.class.path"),
        "SERVER_COMMAND", JsonValue.array(SERVER.stream().map(JsonValue::of).toList()).toJson());
  }

  private static Map<String, String> serverOnPostgres() {
    Map<String, String> environment = new HashMap<>(server());
    environment.put("SERVER_DATABASE_URL", TestPostgres.newDatabase());
    return environment;
  }
}
