package dev.replistream.db;

import static dev.replistream.db.DatabaseContractTest.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What becomes of the file of a database, and of a database without its file.
class SqliteFileTest {
  @TempDir private Path directory;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = directory.resolve("x.db");
  }

  private static int write(Database database) {
    return database.inTransaction(
        session -> run(session, "UPDATE meta SET content = content WHERE name = 'epoch'"));
  }

  private static long read(Database database) {
    return database.inSnapshot(session -> {
      try (ResultSet row =
          session.prepare("SELECT count(*), sum(length(content)) FROM meta").executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    });
  }

  private static void assertUnavailable(Database database) {
    assertThatThrownBy(() -> write(database)).isInstanceOf(DatabaseUnavailableException.class);
    assertThatThrownBy(() -> read(database)).isInstanceOf(DatabaseUnavailableException.class);
    assertThat(database.isAvailable()).isFalse();
  }

  private static void assertAvailable(Database database) {
    assertThat(write(database)).isOne();
    assertThat(read(database)).isPositive();
    assertThat(database.isAvailable()).isTrue();
  }

  private static AbstractThrowableAssert<?, ?> assertRefused(String url) {
    return assertThatThrownBy(
            () -> Databases.open(SqliteFiles.settings(url), DatabaseListener.NONE).close())
        .isInstanceOf(DatabaseStartException.class)
        .hasMessageStartingWith("replistream.db.url: ")
        .hasMessageNotContaining("\n");
  }

  @Test
  void theFileAndItsDirectoriesAreMadeForTheirOwnerAlone() throws IOException {
    Path deep = directory.resolve("a/b/x.db");

    try (Database database = SqliteFiles.open(deep)) {
      assertAvailable(database);
      for (String name : new String[] {"x.db", "x.db-wal", "x.db-shm", "x.db.lock"}) {
        assertThat(
                PosixFilePermissions.toString(
                    Files.getPosixFilePermissions(deep.resolveSibling(name))))
            .as(name)
            .isEqualTo("rw-------");
      }
    }
    assertThat(deep).isNotEmptyFile();
    assertThat(deep.resolveSibling("x.db-wal")).doesNotExist();
  }

  @Test
  void eachCommitIsOnTheDiskBeforeItIsAnswered() {
    try (Database database = SqliteFiles.open(file)) {
      assertThat(pragma(database, "journal_mode")).isEqualTo("wal");
      assertThat(pragma(database, "synchronous")).isEqualTo("2"); // FULL
    }
  }

  private static String pragma(Database database, String name) {
    return database.inTransaction(session -> {
      try (ResultSet row = session.prepare("PRAGMA " + name).executeQuery()) {
        row.next();
        return row.getString(1);
      }
    });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "jdbc:sqlite:",
        "jdbc:sqlite: ",
        "jdbc:sqlite::memory:",
        "jdbc:sqlite::resource:x.db",
        "jdbc:sqlite:file:x.db",
        "jdbc:sqlite:x.db?mode=ro",
        "jdbc:mysql://localhost/x",
        "sqlite:x.db",
        "x.db",
        ""
      })
  void aUrlThatNamesNoFileStopsTheStart(String url) {
    assertRefused(url);
  }

  @Test
  void aFileThatCantBeMadeStopsTheStart() throws IOException {
    Files.writeString(file, "");

    assertRefused("jdbc:sqlite:" + file + "/x.db");
    assertRefused("jdbc:sqlite:/proc/nothing/x.db").hasMessageContaining("/proc/nothing");
    assertRefused("jdbc:sqlite:" + directory).hasMessageContaining("not a file");
  }

  @Test
  void aFileThatIsNoDatabaseStopsTheStartAndStaysAsItIs() throws IOException {
    Files.writeString(file, "a shopping list, and more than a hundred bytes of it ".repeat(100));
    byte[] before = Files.readAllBytes(file);

    assertRefused("jdbc:sqlite:" + file).hasMessageContaining("not a database");

    assertThat(file).hasBinaryContent(before);
    Files.delete(file);
    SqliteFiles.open(file).close(); // nothing holds the lock
  }

  @Test
  void aFileIsUsedByOneDatabaseAtATimeAndARefusedOneLeavesTheLock() throws Exception {
    Path link = Files.createSymbolicLink(directory.resolve("link"), directory);
    try (Database database = SqliteFiles.open(file)) {
      for (Path path : List.of(file, link.resolve("x.db"))) {
        assertRefused("jdbc:sqlite:" + path).hasMessageContaining("this process uses the file");
      }

      assertThat(openElsewhere()).contains("another process uses the file");
      assertAvailable(database);
    }
    assertThat(openElsewhere()).isEqualTo("opened");
    SqliteFiles.open(file).close();
  }

  /// What another process says that opens the file.
  private String openElsewhere() throws Exception {
    Process process = SqliteFiles.elsewhere(Opener.class, file);
    try (BufferedReader lines = process.inputReader()) {
      return String.valueOf(lines.readLine());
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  /// A process that opens a file and says how that went.
  static final class Opener {
    private Opener() {}

    public static void main(String[] args) {
      try (Database _ = SqliteFiles.open(Path.of(args[0]))) {
        System.out.println("opened");
      } catch (DatabaseStartException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"a file that is no database", "a directory"})
  void aStartThatFailsLeavesNothingOpen(String there) throws IOException {
    if (there.equals("a directory")) {
      Files.createDirectory(file);
    } else {
      Files.writeString(file, there.repeat(100));
    }

    assertRefused("jdbc:sqlite:" + file);

    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      assertThat(descriptors.map(SqliteFileTest::target))
          .noneMatch(target -> target.startsWith(file.toString()));
    }
    Files.delete(file);
    SqliteFiles.open(file).close();
  }

  private static String target(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString();
    } catch (IOException _) {
      return ""; // closed meanwhile
    }
  }

  @Test
  void aDeletedFileIsNoticedAndIsWelcomeBack() throws IOException {
    Path elsewhere = directory.resolve("elsewhere.db");
    try (Database database = SqliteFiles.open(file)) {
      assertAvailable(database);
      Files.move(file, elsewhere);
      assertUnavailable(database);
      assertThat(file).doesNotExist();

      Files.move(elsewhere, file);
      assertAvailable(database);
    }
  }

  @Test
  void anotherFileInItsPlaceIsNotWrittenTo() throws IOException {
    try (Database database = SqliteFiles.open(file)) {
      Files.move(file, directory.resolve("elsewhere.db"));
      Files.writeString(file, "");

      assertUnavailable(database);
      assertThat(file).isEmptyFile();
    }
  }

  @Test
  void aDamagedFileIsUnavailableAndNoFailureOfTheWork() throws IOException {
    try (Database database = SqliteFiles.open(file)) {
      database.inTransaction(session ->
          run(
              session,
              """
              INSERT INTO meta (name, content)
              WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
              SELECT 'row ' || i, hex(randomblob(500)) FROM n
              """));
    }
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(bytes.length() / 2);
      bytes.write(new byte[(int) (bytes.length() / 4)]);
    }

    try (Database database = SqliteFiles.open(file)) {
      assertThatThrownBy(() -> read(database))
          .isInstanceOf(DatabaseUnavailableException.class)
          .hasStackTraceContaining("SQLITE_CORRUPT");
    }
  }

  @Test
  void aFileThatAnotherProcessLocksIsUnavailableForAsLong() throws SQLException {
    try (Database database = SqliteFiles.open(file)) {
      try (Connection other = DriverManager.getConnection("jdbc:sqlite:" + file);
          Statement statement = other.createStatement()) {
        statement.execute("BEGIN IMMEDIATE");

        assertThatThrownBy(() -> write(database))
            .isInstanceOf(DatabaseUnavailableException.class)
            .hasStackTraceContaining("SQLITE_BUSY");
        assertThat(read(database)).isPositive();
        statement.execute("ROLLBACK");
      }
      assertAvailable(database);
    }
  }

  @Test
  void settingsDontTellTheUrlWhichMayHoldAPassword() {
    assertThat(
            new DbSettings(
                    "jdbc:postgresql://h/d?password=secret",
                    Optional.of("u"),
                    Optional.of("secret"),
                    10)
                .toString())
        .isEqualTo("postgresql");
    assertThat(SqliteFiles.settings("jdbc:sqlite:x").toString()).isEqualTo("sqlite");
  }
}
