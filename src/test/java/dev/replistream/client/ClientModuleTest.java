package dev.replistream.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.client.NodeTests.TestFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// The client module: runs its own tests under Node, and looks after how it is shipped.
final class ClientModuleTest {
  private static final Path MODULE = Path.of("src", "main", "js");

  /// A process that does not end by itself after its tests has left something open.
  private static final NodeTests NODE =
      new NodeTests(List.of("--test-timeout=120000"), Duration.ofMinutes(5));

  @TestFactory
  Stream<DynamicContainer> itsOwnTests() throws IOException {
    return NODE.containers(
        NodeTests.files(MODULE.resolve("test"), ".test.js").stream()
            .map(file -> new TestFile(file, Map::of))
            .toList());
  }

  @Test
  void theServerHasItsPackageOnItsClassPath() throws IOException {
    for (String file : List.of("replistream.js", "replistream.d.ts", "package.json", "README.md")) {
      assertThat(onTheClassPath(file)).as(file).isEqualTo(Files.readString(MODULE.resolve(file)));
    }
    assertThat(onTheClassPath("LICENSE")).isEqualTo(Files.readString(Path.of("LICENSE")));
  }

  private static String onTheClassPath(String file) throws IOException {
    try (var stream = ClientModuleTest.class.getResourceAsStream("/web/" + file)) {
      assertThat(stream).as(file).isNotNull();
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void itHasTheVersionOfTheServer() throws IOException {
    String project = Files.readString(Path.of("pom.xml"));
    String version = project.replaceAll("(?s)^.*?<version>([^<-]+)(-SNAPSHOT)?</version>.*$", "$1");

    assertThat(onTheClassPath("package.json")).contains("\"version\": \"" + version + "\"");
  }

  @Test
  void npmPacksWhatAnApplicationNeedsAndNoTests() throws IOException, InterruptedException {
    Run npm = Run.of(MODULE, "npm", "pack", "--dry-run", "--json", "--loglevel=error");

    assertThat(npm.exitCode()).isZero();
    assertThat(npm.output())
        .contains("\"LICENSE\"", "\"README.md\"", "\"package.json\"")
        .contains("\"replistream.js\"", "\"replistream.d.ts\"")
        .doesNotContain("\"test/");
    assertThat(MODULE.resolve("LICENSE")).doesNotExist();
  }

  @Test
  void anApplicationInTypeScriptCompilesWithItsTypes() throws IOException, InterruptedException {
    Run tsc = Run.of(Path.of("src", "test", "js"), "node_modules/.bin/tsc", "--project", "types");

    assertThat(tsc.exitCode()).as(tsc.output()).isZero();
  }

  private record Run(int exitCode, String output) {
    static Run of(Path directory, String... command) throws IOException, InterruptedException {
      Process process =
          new ProcessBuilder(command)
              .directory(directory.toFile())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Run(process.waitFor(), output);
    }
  }
}
