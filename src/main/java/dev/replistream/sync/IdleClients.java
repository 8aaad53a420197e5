package dev.replistream.sync;

import dev.replistream.data.ClientStore;
import dev.replistream.db.Database;
import java.time.Instant;
import java.util.List;
import java.util.function.BooleanSupplier;

/// Folds clients that have not pushed for long into their client group, one group a transaction.
/// None is forgotten: however late a client comes back, its mutations are applied once.
/// Thread-safe, also where several nodes do it.
final class IdleClients {
  private static final int GROUPS_PER_LOOK = 500;

  private final Database database;

  IdleClients(Database database) {
    this.database = database;
  }

  /// Folds those that have not pushed since a time.
  ///
  /// @param stop is asked after each transaction
  /// @return how many
  int fold(Instant seenBefore, BooleanSupplier stop) {
    long millis = seenBefore.toEpochMilli();
    int folded = 0;
    String last = "";
    List<String> groups;
    do {
      String after = last;
      groups =
          database.inSnapshot(
              session -> new ClientStore(session).groupsToFold(millis, after, GROUPS_PER_LOOK));
      for (String group : groups) {
        folded += fold(group, millis);
        last = group;
        if (stop.getAsBoolean()) {
          return folded;
        }
      }
    } while (groups.size() == GROUPS_PER_LOOK);
    return folded;
  }

  private int fold(String groupId, long seenBeforeMillis) {
    return database.inTransaction(session -> {
      ClientStore store = new ClientStore(session);
      var group = store.lockedGroup(groupId);
      return group.isPresent() ? store.fold(group.get(), seenBeforeMillis) : 0;
    });
  }
}
