package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What docs/security.md shows can be configured as it stands there, and what it names exists.
class SecurityPageTest {
  private static final Path PAGE = Path.of("docs", "security.md");
  private static final Pattern BLOCK = Pattern.compile("```(\\w*)\\R(.*?)```", Pattern.DOTALL);
  private static final Pattern KEY =
      Pattern.compile(
          "`(admin-host|data-dir|console|(?:auth|cors|http|limits|rooms|stream|sync)\\.[a-z-]+)`");
  private static final Pattern METRIC =
      Pattern.compile("`(replistream_\\w+)(?:\\{(\\w+=\"[a-z-]+\")\\})?`");
  private static final Pattern EVENT = Pattern.compile("`event=([a-z-]+)`");

  @TempDir private Path directory;

  private static String page() throws IOException {
    return Files.readString(PAGE);
  }

  private static List<MatchResult> found(Pattern pattern) throws IOException {
    List<MatchResult> found = pattern.matcher(page()).results().toList();
    assertThat(found).isNotEmpty();
    return found;
  }

  @Test
  void eachBlockIsAFileThatTheServiceStartsWith() throws IOException {
    Path file = directory.resolve("settings.yaml");
    for (MatchResult block : found(BLOCK)) {
      assertThat(block.group(1)).isEqualTo("yaml");
      Files.writeString(file, block.group(2));
      assertThatCode(() -> Settings.load(Optional.of(file), Map.of())).doesNotThrowAnyException();
    }
  }

  @Test
  void eachKeyExists() throws IOException {
    assertThat(found(KEY).stream().map(key -> key.group(1)).toList())
        .allMatch(SecurityPageTest::isKey);
    assertThat(isKey("http.host")).isFalse();
  }

  /// A key that does not exist is refused by its name; one that does may still be given a bad
  /// value.
  private static boolean isKey(String key) {
    try {
      Settings.load(Optional.empty(), Map.of(Settings.variable(key), "?"));
      return true;
    } catch (SettingsException e) {
      return !String.valueOf(e.getMessage()).contains("no such setting");
    }
  }

  @Test
  void eachMetricIsOneOfARunningService() throws IOException {
    try (TestService service = TestService.start()) {
      Set<String> samples = service.client().metrics().keySet();
      for (MatchResult metric : found(METRIC)) {
        String label = metric.group(2) == null ? "" : metric.group(2);
        assertThat(samples)
            .as(metric.group())
            .anyMatch(sample ->
                sample.split("\\{", 2)[0].equals(metric.group(1)) && sample.contains(label));
      }
    }
  }

  @Test
  void eachEventIsOneThatTheServiceLogs() throws IOException {
    String sources = sources();
    for (MatchResult event : found(EVENT)) {
      assertThat(sources)
          .as(event.group())
          .containsPattern("\"(event=)?" + event.group(1) + "[ \"]");
    }
  }

  private static String sources() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("src", "main", "java"))) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .map(SecurityPageTest::read)
          .collect(Collectors.joining());
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void theReadmeLeadsToIt() throws IOException {
    assertThat(Files.readString(Path.of("README.md"))).contains("](docs/security.md)");
  }
}
