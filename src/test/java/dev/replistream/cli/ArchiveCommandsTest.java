package dev.replistream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.auth.Caller;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class ArchiveCommandsTest {
  @TempDir private Path directory;

  private LiveService service(String name) {
    return new LiveService(directory.resolve(name));
  }

  private static void fill(LiveService service) throws Exception {
    String token = service.token("backend", Caller.WRITE_SCOPE);
    try (Api api = new Api(Api.base(service.url()), () -> token, Clock.systemUTC())) {
      Answer answer =
          api.post(
              "/transactions",
              Optional.of(
                  "{\"ops\":[{\"op\":\"createRoom\",\"room\":\"r\",\"owner\":\"ann\"},{\"op\":\"put\",\"room\":\"r\",\"key\":\"k\",\"value\":\"é\"}]}"));
      assertThat(answer.head().status()).isEqualTo(200);
    }
  }

  private static void assertEnds(CommandRun run, int code, String... out) throws Exception {
    assertThat(run.exitCode()).as("%s %s", run.out(), run.err()).isEqualTo(code);
    for (String each : out) {
      assertThat(run.out().toString() + run.err()).contains(each);
    }
  }

  @Test
  void anExportIsImportedElsewhere() throws Exception {
    Path file = directory.resolve("all.ndjson");
    Path again = directory.resolve("again.ndjson");
    try (LiveService one = service("one");
        LiveService other = service("other")) {
      fill(one);

      assertEnds(one.start("export", file.toString()), 0, "all.ndjson: ", " lines, ");
      assertEnds(other.start("import", file.toString()), 0, "all.ndjson: ", " bytes, ");
      assertEnds(other.start("export", again.toString()), 0);

      assertThat(lines(again)).isEqualTo(lines(file)).anyMatch(line -> line.contains("\"é\""));
      assertThat(directory.resolve("all.ndjson.part")).doesNotExist();
      assertEnds(
          other.start("import", file.toString()), 1, "409: The database has something in it");
      assertEnds(one.start("export", file.toString()), 2, "there is a file");
      assertEnds(one.start("import", directory.resolve("none").toString()), 2, "there is no file");
      assertEnds(
          one.start("export", "--token", one.token("ann"), directory.resolve("x").toString()),
          1,
          "403: An export needs a token with the scope replicache:write.");
      assertThat(directory.resolve("x")).doesNotExist();
    }
  }

  private static List<String> lines(Path file) throws Exception {
    return Files.readAllLines(file).stream()
        .map(line -> line.replaceAll("\"at\":\"[^\"]*\"", ""))
        .toList();
  }

  @Test
  void aFileThatIsNoExportIsRefusedByItsLine() throws Exception {
    Path file = Files.writeString(directory.resolve("bad"), "{}\n");
    try (LiveService one = service("one")) {
      assertEnds(one.start("import", file.toString()), 1, "400: Line 1: it is no object");
    }
  }

  @Test
  void aBackupIsWholeWhileTheServiceRuns() throws Exception {
    Path copy = directory.resolve("copy.db");
    try (LiveService one = service("one")) {
      fill(one);

      assertEnds(one.start("backup", copy.toString()), 0, "copy.db: ", " bytes");
      assertEnds(one.start("backup", copy.toString()), 2, "there is a file");
      assertEnds(
          one.start("backup", directory.resolve("none/copy.db").toString()),
          2,
          "there is no folder for");
      assertEnds(
          one.startWith(
              Map.of("REPLISTREAM_DB_URL", "jdbc:postgresql://localhost/x"),
              "backup",
              directory.resolve("pg").toString()),
          2,
          "replistream.db.url: it is a PostgreSQL: back it up with pg_dump");
    }
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + copy);
        ResultSet row = connection.createStatement().executeQuery("SELECT count(*) FROM entry")) {
      assertThat(row.getInt(1)).isOne();
    }
  }

  @Test
  void progressSaysHowFarItIsAndWhatIsLeft() {
    Progress progress =
        new Progress(new Terminal(new Lines().writer(), new Lines().writer()), "lines");

    assertThat(progress.text(250_000, 1_000_000, Duration.ofSeconds(5)))
        .isEqualTo("250,000 of 1,000,000 lines, 50,000/s, 15 s left");
    assertThat(progress.text(7, 0, Duration.ofSeconds(7))).isEqualTo("7 lines, 1/s");
  }
}
