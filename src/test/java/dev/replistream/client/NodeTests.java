package dev.replistream.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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

/// Runs files of tests under Node, and shows each of their tests as one of JUnit's.
///
/// @param options what Node's test runner is told besides
/// @param limit how long the process of a file may take
record NodeTests(List<String> options, Duration limit) {
  /// A line of the Test Anything Protocol that is not within another test.
  private static final Pattern RESULT =
      Pattern.compile("^(ok|not ok) \\d+ - (.*?)( # .*)?$", Pattern.MULTILINE);

  /// A file of tests.
  ///
  /// @param name what its tests are shown under
  /// @param environment what the environment holds besides, asked for when the file's turn has come
  record TestFile(String name, Path path, Supplier<Map<String, String>> environment) {
    TestFile(Path path, Supplier<Map<String, String>> environment) {
      this(path.getFileName().toString(), path, environment);
    }
  }

  NodeTests {
    options = List.copyOf(options);
  }

  /// The files in `directory` whose names end with `suffix`, of which there must be some.
  static List<Path> files(Path directory, String suffix) throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      List<Path> files =
          all.filter(file -> file.toString().endsWith(suffix))
              .map(Path::toAbsolutePath)
              .sorted()
              .toList();
      assertThat(files).isNotEmpty();
      return files;
    }
  }

  /// The tests of `files`, one file after the other: other classes run beside this one.
  Stream<DynamicContainer> containers(List<TestFile> files) {
    return files.stream()
        .map(file ->
            DynamicContainer.dynamicContainer(
                file.name, Stream.of(file).flatMap(each -> run(each).stream())));
  }

  private List<DynamicTest> run(TestFile file) {
    try {
      Path log = Files.createTempFile("replistream-node", ".tap");
      try {
        int exitCode = runNode(file.path, file.environment.get(), log);
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

  private int runNode(Path file, Map<String, String> environment, Path log)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("node", "--test", "--test-reporter=tap"));
    command.addAll(options);
    command.add(file.toString());
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    builder.redirectErrorStream(true).redirectOutput(Redirect.to(log.toFile()));
    Process node = builder.start();
    try {
      return node.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS) ? node.exitValue() : -1;
    } finally {
      node.descendants().forEach(ProcessHandle::destroyForcibly);
      node.destroyForcibly();
    }
  }

  private static List<DynamicTest> tests(int exitCode, String output) {
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
    return tests;
  }
}
