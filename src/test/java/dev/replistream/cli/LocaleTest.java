package dev.replistream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.LogCapture;
import dev.replistream.ServiceClient;
import dev.replistream.Settings;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Where people write numbers with other digits: whatever this service says is for machines.
final class LocaleTest {
  private static final Locale OURS = Locale.getDefault();
  private static final String PUSH =
      """
      {"profileID":"p","clientGroupID":"g","pushVersion":1,"schemaVersion":"","mutations":[
      {"id":1,"clientID":"c","name":"put","args":{"key":"k","value":1234567.5},"timestamp":1}]}
      """;
  private static final String PULL =
      """
      {"profileID":"p","clientGroupID":"g","pullVersion":1,"schemaVersion":"","cookie":null}
      """;

  @TempDir private Path dir;

  @AfterEach
  void goHome() {
    Locale.setDefault(OURS);
  }

  private static void assertLatin(String what) {
    assertThat(what).isNotEmpty();
    assertThat(what.chars().filter(c -> c > 0x7f && Character.isDigit(c)).count())
        .as(what)
        .isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "fa-IR",
        "ar-EG-u-nu-arab",
        "bn-BD",
        "th-TH-u-nu-thai-ca-buddhist",
        "hi-u-nu-deva"
      })
  void allThatTheServiceSaysHasTheDigitsOfMachines(String tag) {
    Locale.setDefault(Locale.forLanguageTag(tag));
    assertThat("%d".formatted(2_000)).as("what it is about").isNotEqualTo("2000");
    try (LogCapture log = new LogCapture();
        TestService service = TestService.start("STREAM_MAX_CONNECTIONS_PER_USER", "2000")) {
      ServiceClient client = service.client();
      List<HttpReply> replies = new ArrayList<>();
      try (StreamClient stream = client.connected("ann")) {
        replies.add(client.send(HttpRequest.api("POST", "/poke-user").by(client.token("ann"))));
        assertThat(stream.expect("sync").stamp()).isPositive();
        replies.add(
            client.send(HttpRequest.api("POST", "/push").by(client.token("ann")).with(PUSH)));
        replies.add(
            client.send(HttpRequest.api("POST", "/pull").by(client.token("ann")).with(PULL)));
        for (String route : List.of("/stats", "/sessions", "/rooms")) {
          replies.add(client.send(HttpRequest.api("GET", route).by(client.token("ann"))));
        }
        replies.add(
            client.send(
                HttpRequest.api("POST", "/rooms").by(client.token("ann")).with("{\"id\":\"r\"}")));
        replies.add(client.admin("/metrics"));
        replies.add(client.admin("/health/ready"));
      }

      assertThat(replies).allSatisfy(reply -> assertThat(reply.status()).isBetween(200, 201));
      replies.forEach(reply -> assertLatin(reply.toString()));
      assertThat(replies.get(2).body()).contains("1234567.5");
      log.lines().forEach(LocaleTest::assertLatin);
      assertThat(log.lines()).anyMatch(line -> line.contains("event=start"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"fa-IR", "ar-EG-u-nu-arab"})
  void theCommandLineFindsTheService(String tag) throws Exception {
    try (LogCapture _ = new LogCapture();
        LiveService service = new LiveService(dir)) {
      Locale.setDefault(Locale.forLanguageTag(tag));
      try (CommandRun watch = service.start("watch", "--count", "2")) {
        var _ = watch.out().await("connected");
        CommandRun poke = service.start("poke");
        CommandRun doctor = service.start("doctor");

        assertThat(poke.exitCode()).as(poke.err().toString()).isZero();
        assertThat(doctor.exitCode()).as(doctor.out().toString()).isZero();
        assertThat(watch.exitCode()).isZero();
        for (CommandRun run : List.of(watch, poke, doctor)) {
          assertLatin(run.out().toString());
        }
      }
      assertLatin(service.start("token", "--user", "bob").out().await("eyJ"));
    }
  }

  @Test
  void valuesOfSettingsAreToldAsTheyAreWritten() {
    Locale.setDefault(Locale.forLanguageTag("fa-IR"));
    Settings settings = TestService.settings("STREAM_RETRY", "PT1.5S", "PORT", "18000");

    assertThat(settings.toString()).contains("port=18000,");
    assertLatin(settings.toString());
  }

  /// What the sources have to do without, as each of these asks the people's customs.
  @Test
  void nothingInTheSourcesAsksForACustom() throws IOException {
    List<String> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).sorted().toList()) {
        List<String> lines = Files.readAllLines(file);
        for (int i = 0; i < lines.size(); i++) {
          String line = lines.get(i).strip();
          boolean asks =
              (line.matches(".*\"[^\"]*%[-#+ 0,(]*[\\d$.]*[dxXfeEgG][^\"]*\".*")
                      && !line.contains("Locale.ROOT"))
                  || line.matches(".*\\{\\d+,(number|date|time|choice).*")
                  || line.matches(".*\\.to(Upper|Lower)Case\\(\\).*")
                  || line.matches(".*\\b(NumberFormat|DecimalFormat|MessageFormat|Scanner)\\b.*")
                  || line.matches(".*DateTimeFormatter\\.ofPattern\\(\"[^\"]*\"\\).*")
                  || line.matches(".*DateTimeFormatter\\.ofLocalized.*");
          if (asks && !line.startsWith("//") && !line.contains("%2F") && !line.contains("%25")) {
            found.add(file + ":" + (i + 1) + " " + line);
          }
        }
      }
    }
    assertThat(found).isEmpty();
  }
}
