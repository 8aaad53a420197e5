package dev.replistream.db;

import static dev.replistream.db.DatabaseContractTest.inParallel;
import static dev.replistream.db.DatabaseContractTest.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A process that is killed while it writes.
class SqliteCrashTest {
  @TempDir private Path directory;

  /// The process: writes rows from some threads for ever, and prints the name of each when it was
  /// told that it is kept.
  static final class Writer {
    private Writer() {}

    public static void main(String[] args) throws Exception {
      AtomicInteger number = new AtomicInteger();
      try (Database database = SqliteFiles.open(Path.of(args[0]))) {
        inParallel(
            8,
            () -> {
              while (true) {
                String name = "row " + number.getAndIncrement();
                database.inTransaction(session ->
                    run(session, "INSERT INTO meta (name, content) VALUES (?, '')", name));
                System.out.println(name);
              }
            });
      }
    }
  }

  @Test
  void whatWasAnsweredSurvivesAKillAndMeanwhileNobodyElseMayWrite() throws Exception {
    Path file = directory.resolve("x.db");
    Process process = SqliteFiles.elsewhere(Writer.class, file);
    Set<String> answered = new HashSet<>();
    try (BufferedReader lines = process.inputReader()) {
      while (answered.size() < 500) {
        answered.add(nextLine(lines));
      }

      assertThatThrownBy(() -> SqliteFiles.open(file))
          .isInstanceOf(DatabaseStartException.class)
          .hasMessageContaining("another process");
      process.toHandle().destroyForcibly(); // SIGKILL, and what it printed can still be read
      assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
      lines.lines().forEach(answered::add);
    } finally {
      process.destroyForcibly();
    }

    try (Database database = SqliteFiles.open(file)) {
      assertThat(names(database)).containsAll(answered.stream().filter(this::isWhole).toList());
    }
  }

  /// The last line may have been cut off, which makes it another row's name or none.
  private boolean isWhole(String line) {
    return line.startsWith("row ");
  }

  private static String nextLine(BufferedReader lines) throws IOException {
    String line = lines.readLine();
    if (line == null) {
      throw new AssertionError("the process ended");
    }
    return line;
  }

  private static Set<String> names(Database database) {
    return database.inSnapshot(session -> {
      Set<String> names = new HashSet<>();
      try (ResultSet rows = session.prepare("SELECT name FROM meta").executeQuery()) {
        while (rows.next()) {
          names.add(rows.getString(1));
        }
      }
      return names;
    });
  }
}
