package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.data.DatabaseMark;
import dev.replistream.db.Database;
import dev.replistream.poke.Cursor;
import dev.replistream.poke.CursorFile;
import dev.replistream.sync.TestDatabase;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CursorKeeperTest {
  @TempDir private Path directory;

  private CursorKeeper keeper(Database database) {
    return new CursorKeeper(new CursorFile(directory), new DatabaseMark(database));
  }

  @Test
  void aCursorIsKeptOnceAndForTheDatabaseAsItWasLeft() {
    try (Database database = TestDatabase.sqlite(directory)) {
      CursorKeeper keeper = keeper(database);
      Cursor cursor = keeper.take(10);
      long stamp = cursor.stamp("alice");
      keeper.keep(true);

      Cursor next = keeper(database).take(10);
      keeper.keep(true);

      assertThat(next.epoch()).isEqualTo(cursor.epoch());
      assertThat(next.latest("alice")).isEqualTo(stamp);
      assertThat(directory.resolve("cursor")).doesNotExist();
    }
  }

  @Test
  void aCursorIsNotKeptWhileAChangeIsNotWhole() {
    try (Database database = TestDatabase.sqlite(directory);
        LogCapture log = new LogCapture()) {
      CursorKeeper keeper = keeper(database);
      Cursor cursor = keeper.take(10);

      keeper.keep(false);

      assertThat(log.warnings()).singleElement().asString().startsWith("event=cursor-lost ");
      assertThat(directory.resolve("cursor")).doesNotExist();
      assertThat(keeper(database).take(10).epoch()).isNotEqualTo(cursor.epoch());
    }
  }

  @Test
  void aDatabaseThatIsAwayAtTheStopIsOneWarning() {
    try (LogCapture log = new LogCapture()) {
      Database database = TestDatabase.sqlite(directory);
      CursorKeeper keeper = keeper(database);
      keeper.take(10);
      database.close();

      keeper.keep(true);

      assertThat(log.warnings()).singleElement().asString().startsWith("event=cursor-lost ");
      assertThat(directory.resolve("cursor")).doesNotExist();
    }
  }
}
