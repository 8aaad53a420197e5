package dev.replistream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.TestServiceProcess;
import dev.replistream.db.TestPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class RestoredCommandTest {
  @TempDir private Path dir;

  private CommandRun run(Map<String, String> environment, String... args) throws Exception {
    CommandRun run =
        CommandRun.start(
            TestServiceProcess.of(environment, Clock.systemUTC()),
            environment,
            Clock.systemUTC(),
            args);
    var _ = run.exitCode();
    return run;
  }

  private static String epoch(String url) throws SQLException {
    try (var connection = DriverManager.getConnection(url);
        var statement = connection.createStatement();
        var row = statement.executeQuery("SELECT content FROM meta WHERE name = 'epoch'")) {
      assertThat(row.next()).isTrue();
      return row.getString(1);
    }
  }

  private Path makeDatabase() {
    try (LiveService service = new LiveService(dir)) {
      assertThat(service.port()).isPositive();
    }
    return dir.resolve("replistream.db");
  }

  @Test
  void eachRunGivesTheDatabaseARandomEpochAndSaysSo() throws Exception {
    Path file = makeDatabase();
    Map<String, String> environment = Map.of("REPLISTREAM_DB_URL", "jdbc:sqlite:" + file);
    List<String> epochs = new ArrayList<>(List.of(epoch("jdbc:sqlite:" + file)));

    for (int i = 0; i < 3; i++) {
      CommandRun run = run(environment, "restored");

      assertThat(run.exitCode()).isZero();
      assertThat(run.err().toString()).isEmpty();
      String epoch = epoch("jdbc:sqlite:" + file);
      assertThat(run.out().toString())
          .isEqualTo(
              "%s: epoch %s has ended, %s begins; 0 client groups are kept, but for those that saw what was lost\n"
                  .formatted(file, epochs.getLast(), epoch));
      epochs.add(epoch);
    }
    assertThat(epochs).doesNotHaveDuplicates();
  }

  @Test
  void aPostgresDatabaseGetsOneWithoutItsPasswordBeingTold() throws Exception {
    String url = TestPostgres.newDatabase();
    Map<String, String> environment =
        Map.of(
            "REPLISTREAM_DB_URL",
            url + (url.contains("?") ? "&" : "?") + "password=hidden",
            "REPLISTREAM_DATA_DIR",
            dir.toString());
    CommandRun first = run(environment, "restored");
    String before = epoch(url);

    CommandRun second = run(environment, "restored", "--late");

    assertThat(first.exitCode()).isZero();
    assertThat(second.exitCode()).isZero();
    assertThat(second.out().toString())
        .contains("epoch " + before + " has ended, " + epoch(url) + " begins")
        .contains("begin anew")
        .doesNotContain("hidden");
  }

  @Test
  void itRefusesWhileAServiceRunsOnTheFile() throws Exception {
    try (LiveService service = new LiveService(dir)) {
      String url = "jdbc:sqlite:" + dir.resolve("replistream.db");
      CommandRun run = service.startWith(Map.of("REPLISTREAM_DB_URL", url), "restored");

      assertThat(run.exitCode()).isEqualTo(2);
      assertThat(run.out().toString()).isEmpty();
      assertThat(run.err().toString()).matches("replistream: replistream.db.url: .* uses .*\n");
    }
  }

  @Test
  void itRefusesWhereThereIsNoDatabaseAndMakesNone() throws Exception {
    Path nowhere = dir.resolve("nowhere");

    CommandRun run =
        run(Map.of("REPLISTREAM_DB_URL", "jdbc:sqlite:" + nowhere.resolve("x.db")), "restored");

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err().toString())
        .isEqualTo(
            "replistream: replistream.db.url: there is no file " + nowhere.resolve("x.db") + "\n");

    run = run(Map.of("REPLISTREAM_DATA_DIR", nowhere.toString()), "restored");

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err().toString())
        .startsWith("replistream: replistream.data-dir: there is no file ")
        .hasLineCount(1);
    assertThat(nowhere).doesNotExist();
  }

  @Test
  void itRefusesWhatIsNoDatabase() throws Exception {
    Path file =
        Files.writeString(
            dir.resolve("x.db"), "no database, however long this text is\n".repeat(99));

    CommandRun run = run(Map.of("REPLISTREAM_DB_URL", "jdbc:sqlite:" + file), "restored");

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err().toString())
        .startsWith("replistream: replistream.db.url: can't use")
        .hasLineCount(1);
    assertThat(Files.readString(file)).startsWith("no database");
  }
}
