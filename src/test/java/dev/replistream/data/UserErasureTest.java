package dev.replistream.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.db.Database;
import dev.replistream.sync.TestDatabase;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UserErasureTest {
  @TempDir private Path directory;

  @Test
  void aRoomThatTheUserHasJustLeftStaysToTheOneWhoIsInIt() {
    try (Database database = TestDatabase.sqlite(directory)) {
      boolean isThere =
          database.inTransaction(session -> {
            RoomStore rooms =
                new RoomStore(
                    session, new Spaces(session), Instant.EPOCH, RoomLimits.direct(100, 100));
            rooms.create("plan", "alice");
            rooms.erase("plan", "bob");
            rooms.erase("gone", "bob");
            return rooms.exists("plan");
          });

      assertThat(isThere).isTrue();
    }
  }
}
