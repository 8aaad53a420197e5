package dev.replistream.sync;

import dev.replistream.data.ClientStore;
import dev.replistream.data.ClientStore.Group;
import dev.replistream.data.Spaces;
import dev.replistream.db.Database;
import dev.replistream.db.Session;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.ToIntFunction;

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

  /// Some groups in the order of their ids.
  @FunctionalInterface
  private interface Look {
    List<String> groups(ClientStore store, String after) throws SQLException;
  }

  /// A transaction on one group, which tells how many clients it has folded.
  @FunctionalInterface
  private interface Fold {
    int fold(ClientStore store, Group group) throws SQLException;
  }

  /// Folds those that have not pushed since a time.
  ///
  /// @param stop is asked after each transaction
  /// @return how many
  int fold(Instant seenBefore, BooleanSupplier stop) {
    long millis = seenBefore.toEpochMilli();
    return each(
        (store, after) -> store.groupsToFold(millis, after, GROUPS_PER_LOOK),
        group -> fold(group, (store, locked) -> store.fold(locked, millis)),
        stop);
  }

  /// Folds those of groups with very many that pushed least lately.
  ///
  /// @param stop is asked after each transaction
  /// @return how many
  int foldOldest(BooleanSupplier stop) {
    return each(
        (store, after) -> store.crowdedGroups(most, after, GROUPS_PER_LOOK),
        group -> foldOldest(group, stop),
        stop);
  }

  private int foldOldest(String group, BooleanSupplier stop) {
    int folded = 0;
    int batch;
    do {
      batch = fold(group, (store, locked) -> store.foldOldest(locked, most, BATCH));
      folded += batch;
    } while (batch > 0 && !stop.getAsBoolean());
    return folded;
  }

  private int each(Look look, ToIntFunction<String> fold, BooleanSupplier stop) {
    int folded = 0;
    String last = "";
    List<String> groups;
    do {
      String after = last;
      groups = database.inSnapshot(session -> look.groups(store(session), after));
      for (String group : groups) {
        folded += fold.applyAsInt(group);
        last = group;
        if (stop.getAsBoolean()) {
          return folded;
        }
      }
    } while (groups.size() == GROUPS_PER_LOOK);
    return folded;
  }

  private int fold(String groupId, Fold fold) {
    return database.inTransaction(session -> {
      ClientStore store = store(session);
      Optional<Group> group = store.lockedGroup(groupId);
      return group.isPresent() ? fold.fold(store, group.get()) : 0;
    });
  }

  private static ClientStore store(Session session) {
    return new ClientStore(session, new Spaces(session));
  }
}
