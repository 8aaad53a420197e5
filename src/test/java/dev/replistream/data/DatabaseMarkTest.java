package dev.replistream.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.db.Database;
import dev.replistream.db.TestPostgres;
import dev.replistream.sync.TestDatabase;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/// When a database is the one that was left, and when it is not.
@ParameterizedClass
@ValueSource(strings = {"SQLite", "PostgreSQL"})
class DatabaseMarkTest {
  @Parameter private String kind = "";
  @TempDir private Path directory;
  private Database database;

  @BeforeEach
  void open() {
    database =
        kind.equals("SQLite")
            ? TestDatabase.sqlite(directory)
            : TestDatabase.postgres(TestPostgres.newDatabase());
    execute("INSERT INTO space (id, version, compacted) VALUES ('u/alice', 3, 0)");
    execute(
        "INSERT INTO client_group (id, user_id, version, seen_at, folded_version)"
            + " VALUES ('g', 'alice', 5, 0, 0)");
  }

  private DatabaseMark mark() {
    return new DatabaseMark(database);
  }

  private void execute(String sql) {
    assertThat(TestDatabase.execute(database, sql)).isEqualTo(1);
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void aDatabaseThatWasLeftAloneIsKnownAgainOnce() {
    String left = mark().leave();

    assertThat(left).isNotEmpty();
    assertThat(mark().take()).isEqualTo(left);
    assertThat(mark().take()).isEmpty();
  }

  @Test
  void aDatabaseThatWasNeverLeftHasNoMark() {
    assertThat(mark().take()).isEmpty();
  }

  @Test
  void eachMarkIsAnother() {
    String left = mark().leave();
    String again = mark().leave();

    assertThat(again).isNotEqualTo(left);
    assertThat(mark().take()).isEqualTo(again);
  }

  @Test
  void anotherEpochIsAnotherDatabase() {
    String left = mark().leave();
    execute("UPDATE meta SET content = 'another' WHERE name = 'epoch'");

    assertThat(mark().take()).isNotEqualTo(left);
  }

  @Test
  void onPostgresqlEachWriteOfAnotherProcessIsSeen() {
    for (String write :
        new String[] {
          "UPDATE space SET version = version + 1",
          "INSERT INTO space (id, version, compacted) VALUES ('u/bob', 1, 0)",
          "UPDATE client_group SET version = version + 1",
          "INSERT INTO member (room, user_id, role, since) VALUES ('plan', 'bob', 'reader', 0)",
        }) {
      String left = mark().leave();
      execute(write);

      if (kind.equals("SQLite")) { // nobody writes who has not started, and taken the mark
        assertThat(mark().take()).isEqualTo(left);
      } else {
        assertThat(mark().take()).as(write).isNotEqualTo(left);
      }
    }
  }

  @Test
  void whatTellsNobodyOfSomethingNewChangesNoMark() {
    String left = mark().leave();
    execute("UPDATE space SET compacted = 2");
    execute("UPDATE client_group SET seen_at = 9, folded_version = 1");

    assertThat(mark().take()).isEqualTo(left);
  }
}
