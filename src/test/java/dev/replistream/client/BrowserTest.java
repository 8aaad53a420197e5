package dev.replistream.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Rounds;
import dev.replistream.client.NodeTests.TestFile;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.TestFactory;

/// Runs the scenarios of `src/test/js/browser` in Chromium, and shows each as a test. `etc/test`
/// installs what they need; `CHROMIUM` in the environment is another browser than Debian's. They
/// leave pictures of the pages in `target/screenshots`.
final class BrowserTest {
  private static final Path SCENARIOS = Path.of("src", "test", "js", "browser").toAbsolutePath();
  private static final String CHROMIUM =
      System.getenv().getOrDefault("CHROMIUM", "/usr/bin/chromium-headless-shell");
  private static final NodeTests NODE =
      new NodeTests(List.of("--test-force-exit"), Duration.ofMinutes(10));

  @TestFactory
  Stream<DynamicContainer> scenarios() throws IOException {
    assertThat(SCENARIOS.resolveSibling("node_modules"))
        .as("what etc/test installs (or `npm ci` in %s)", SCENARIOS.getParent())
        .isDirectory();
    assertThat(Path.of(CHROMIUM))
        .as("the browser, which etc/test installs (or `apt-get install chromium-headless-shell`)")
        .isExecutable();
    return NODE.containers(
        NodeTests.files(SCENARIOS, ".test.mjs").stream()
            .map(file -> new TestFile(file, BrowserTest::environment))
            .toList());
  }

  private static Map<String, String> environment() {
    Map<String, String> environment = new HashMap<>(ServerProcess.environment());
    environment.put("CHROMIUM", CHROMIUM);
    environment.put("LOOKS", String.valueOf(Rounds.of(2, 4)));
    return environment;
  }
}
