package dev.replistream.sync;

import dev.replistream.data.ClientStore;
import dev.replistream.data.Spaces;
import dev.replistream.db.Database;
import dev.replistream.db.Session;
import java.time.Instant;
import java.util.List;
import java.util.function.BooleanSupplier;

/// Folds clients that have not pushed for long into their client group, one group a transaction,
/// and the oldest of a group that has very many: folded they take less of the disk. None is
/// forgotten: however late a client comes back, its mutations are applied once. Thread-safe, also
/// where several nodes do it.
final class IdleClients {
  /// How many clients of a group are left as they are, however young they all are: tabs of a year.
  private static final int MOST = 1_000;

  /// How many of a group are folded in one transaction: no push waits for more.
  private static final int BATCH = 2_000;

  private static final int GROUPS_PER_LOOK = 500;

  private final Database database;
  private final int most;

  IdleClients(Database database) {
    this(database, MOST);
  }

  /// @param most how many clients of a group are left as they are
  IdleClients(Database database, int most) {
    this.database = database;
    this.most = most;
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
              session -> store(session).groupsToFold(millis, after, GROUPS_PER_LOOK));
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
      ClientStore store = store(session);
      var group = store.lockedGroup(groupId);
      return group.isPresent() ? store.fold(group.get(), seenBeforeMillis) : 0;
    });
  }

  /// Folds those of groups with very many that pushed least lately.
  ///
  /// @param stop is asked after each transaction
  /// @return how many
  int foldOldest(BooleanSupplier stop) {
    int folded = 0;
    String last = "";
    List<String> groups;
    do {
      String after = last;
      groups =
          database.inSnapshot(
              session -> store(session).crowdedGroups(most, after, GROUPS_PER_LOOK));
      for (String group : groups) {
        int batch;
        do {
          batch = foldOldest(group);
          folded += batch;
          if (stop.getAsBoolean()) {
            return folded;
          }
        } while (batch > 0);
        last = group;
      }
    } while (groups.size() == GROUPS_PER_LOOK);
    return folded;
  }

  private int foldOldest(String groupId) {
    return database.inTransaction(session -> {
      ClientStore store = store(session);
      var group = store.lockedGroup(groupId);
      return group.isPresent() ? store.foldOldest(group.get(), most, BATCH) : 0;
    });
  }

  private static ClientStore store(Session session) {
    return new ClientStore(session, new Spaces(session));
  }
}
