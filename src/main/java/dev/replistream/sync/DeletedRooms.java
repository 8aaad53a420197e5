package dev.replistream.sync;

import dev.replistream.data.RoomPurge;
import dev.replistream.data.Spaces;
import dev.replistream.db.Database;
import java.time.Instant;
import java.util.List;
import java.util.function.BooleanSupplier;

/// Purges what is left of large rooms that were deleted, a batch a transaction. Thread-safe, also
/// where several nodes do it.
final class DeletedRooms {
  private static final int ROOMS_PER_LOOK = 500;

  private final Database database;

  DeletedRooms(Database database) {
    this.database = database;
  }

  /// Purges all of them.
  ///
  /// @param now when their entries are deleted
  /// @param stop is asked after each transaction
  /// @return how many entries
  int purge(Instant now, BooleanSupplier stop) {
    int purged = 0;
    List<String> rooms;
    do {
      rooms = database.inSnapshot(session -> RoomPurge.pending(session, ROOMS_PER_LOOK));
      for (String room : rooms) {
        int batch;
        do {
          batch =
              database.inTransaction(
                  session -> new RoomPurge(session, new Spaces(session), now).next(room));
          purged += batch;
          if (stop.getAsBoolean()) {
            return purged;
          }
        } while (batch == RoomPurge.BATCH);
      }
    } while (rooms.size() == ROOMS_PER_LOOK);
    return purged;
  }
}
