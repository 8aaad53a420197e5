package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.data.DatabaseMark;
import dev.replistream.db.Changes;
import dev.replistream.db.Database;
import dev.replistream.poke.Cursor;
import dev.replistream.poke.CursorFile;
import dev.replistream.sync.TestDatabase;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CursorKeeperTest {
  @TempDir private Path directory;

  private CursorKeeper keeper(Database database, Changes changes) {
    return new CursorKeeper(new CursorFile(directory), new DatabaseMark(database), changes);
  }

  @Test
  void aCursorIsKeptOnceAndForTheDatabaseAsItWasLeft() {
    try (Database database = TestDatabase.sqlite(directory)) {
      Cursor cursor = new Cursor("7f3a", 10);
      long stamp = cursor.stamp("alice");
      CursorKeeper keeper = keeper(database, new Changes());
      keeper.keep(cursor);

      Cursor next = keeper(database, new Changes()).take(10);
      keeper.keep(cursor);

      assertThat(next.epoch()).isEqualTo("7f3a");
      assertThat(next.latest("alice")).isEqualTo(stamp);
      assertThat(directory.resolve("cursor")).doesNotExist();
    }
  }

  @Test
  void aCursorIsNotKeptWhileAChangeIsNotWhole() {
    try (Database database = TestDatabase.sqlite(directory);
        LogCapture log = new LogCapture()) {
      Cursor cursor = new Cursor("7f3a", 10);
      Changes changes = new Changes();

      changes.make(() -> {
        keeper(database, changes).keep(cursor);
        return "committed, and not poked";
      });

      assertThat(log.warnings()).singleElement().asString().startsWith("event=cursor-lost ");
      assertThat(directory.resolve("cursor")).doesNotExist();
      assertThat(keeper(database, new Changes()).take(10).epoch()).isNotEqualTo("7f3a");
    }
  }

  @Test
  void aDatabaseThatIsAwayAtTheStopIsOneWarning() {
    try (LogCapture log = new LogCapture()) {
      Database database = TestDatabase.sqlite(directory);
      database.close();

      keeper(database, new Changes()).keep(new Cursor("7f3a", 10));

      assertThat(log.warnings()).singleElement().asString().startsWith("event=cursor-lost ");
      assertThat(directory.resolve("cursor")).doesNotExist();
    }
  }
}
