package dev.replistream.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Main;
import dev.replistream.db.TestPostgres;
import dev.replistream.http.JsonValue;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Runs the scenarios of `src/test/js` under Node, and shows each as a test. `etc/test` installs
/// what they need; `CONVERGENCE_SECONDS` and `CONVERGENCE_SEED` in the environment reach them.
final class RealClientTest {
  private static final Path SCENARIOS = Path.of("src", "test", "js").toAbsolutePath();

  /// More than the longest convergence that anybody has the patience for.
  private static final long LIMIT_MINUTES = 120;

  /// A line of the Test Anything Protocol that is not within another test.
  private static final Pattern RESULT =
      Pattern.compile("^(ok|not ok) \\d+ - (.*?)( # .*)?$", Pattern.MULTILINE);

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
    List<Path> files;
    try (Stream<Path> all = Files.list(SCENARIOS)) {
      files = all.filter(file -> file.toString().endsWith(".test.mjs")).sorted().toList();
    }
    assertThat(files).isNotEmpty();
    return Stream.concat(
        files.stream().map(file -> container(file, "SQLite", Map::of)),
        Stream.of(
            container(
                SCENARIOS.resolve("convergence.test.mjs"),
                "PostgreSQL",
                () -> Map.of("SERVER_DATABASE_URL", TestPostgres.newDatabase()))));
  }

  /// The scenarios of a file, which run when their turn has come.
  private static DynamicContainer container(
      Path file, String database, Supplier<Map<String, String>> environment) {
    return DynamicContainer.dynamicContainer(
        file.getFileName() + " on " + database,
        Stream.of(file).flatMap(each -> run(each, environment.get())));
  }

  private static Stream<DynamicTest> run(Path file, Map<String, String> environment) {
    try {
      Path log = Files.createTempFile("replistream-scenarios", ".tap");
      try {
        int exitCode = runNode(file, environment, log);
        return tests(exitCode, Files.readString(log));
      } finally {
        Files.delete(log);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static int runNode(Path file, Map<String, String> environment, Path log)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(
            "node", "--test", "--test-force-exit", "--test-reporter=tap", file.toString());
    builder.environment().putAll(environment);
    builder
        .environment()
        .putAll(
            Map.of(
                "CLASSPATH", System.getProperty("java.class.path"),
                "SERVER_COMMAND", command()));
    builder.redirectErrorStream(true).redirectOutput(Redirect.to(log.toFile()));
    Process node = builder.start();
    try {
      return node.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES) ? node.exitValue() : -1;
    } finally {
      node.descendants().forEach(ProcessHandle::destroyForcibly);
      node.destroyForcibly();
    }
  }

  private static String command() {
    return JsonValue.array(SERVER.stream().map(JsonValue::of).toList()).toJson();
  }

  private static Stream<DynamicTest> tests(int exitCode, String output) {
    List<DynamicTest> tests = new ArrayList<>();
    for (MatchResult result : RESULT.matcher(output).results().toList()) {
      tests.add(
          DynamicTest.dynamicTest(
              result.group(2),
              () -> {
                if (!result.group(1).equals("ok")) {
                  throw new AssertionError(result.group(2) + "\n" + output);
                }
              }));
    }
    tests.add(
        DynamicTest.dynamicTest(
            "all ran to their end",
            () -> {
              assertThat(exitCode).as(output).isZero();
              assertThat(output).contains("\n# pass ").doesNotContain("\n# pass 0", "# SKIP");
            }));
    return tests.stream();
  }
}
