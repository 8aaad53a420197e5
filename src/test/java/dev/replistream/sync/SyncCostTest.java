package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.api.Key;
import dev.replistream.data.ClientStore;
import dev.replistream.data.Spaces;
import dev.replistream.data.StorageSettings;
import dev.replistream.db.Database;
import dev.replistream.db.Session;
import dev.replistream.sync.ViewStore.Space;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What pushes and pulls cost does not grow with what they have nothing to do with. It is measured
/// as the CPU time of the database's thread, on which others that use the machine don't count.
class SyncCostTest {
  private static final int ROOMS = 1_000;
  private static final int FEW_ROOMS = 10;
  private static final int TIMES = 20;

  /// What may differ beside the cost that is meant: caches, a deeper tree. What it was before was
  /// more than ten times as much.
  private static final int FACTOR = 4;

  @TempDir private Path directory;
  private Database database;

  @BeforeEach
  void open() {
    database = TestDatabase.sqlite(directory);
  }

  @AfterEach
  void close() {
    database.close();
  }

  private void execute(String sql, Object... parameters) {
    TestDatabase.execute(database, sql, parameters);
  }

  private interface Step {
    void run() throws SQLException;
  }

  private static long cpuNanos(Step step) throws SQLException {
    long start = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    step.run();
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - start;
  }

  /// The least of some runs: the first ones warm up.
  private static long least(List<Long> nanos) {
    return nanos.stream().mapToLong(Long::longValue).min().orElseThrow();
  }

  /// Rooms with fifty entries each, whose keys stand nowhere else, but for `common`, which stands
  /// in all of them.
  private void fillRooms() {
    String numbers =
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %d) ";
    String rooms = numbers.formatted(ROOMS);
    execute(
        "INSERT INTO space (id, version, compacted) "
            + rooms
            + "SELECT printf('r/%04d', i), 1, 0 FROM n");
    execute("INSERT INTO member " + rooms + "SELECT printf('%04d', i), 'many', 'reader', 0 FROM n");
    execute(
        "INSERT INTO member "
            + numbers.formatted(FEW_ROOMS)
            + "SELECT printf('%04d', i), 'few', 'reader', 0 FROM n");
    execute(
        "INSERT INTO entry (space, key, born, version, value, changed_at) "
            + numbers.formatted(ROOMS * 50)
            + "SELECT printf('r/%04d', i / 50), CAST('key' || i AS BLOB), 1, 1, X'31', 0 FROM n");
    execute(
        "INSERT INTO entry (space, key, born, version, value, changed_at) "
            + rooms
            + "SELECT printf('r/%04d', i), CAST('common' AS BLOB), 1, 1, X'31', 0 FROM n");
  }

  /// What the look-up of some keys took, once it is warm.
  private record Cost(long lookups, long nanos) {}

  private Cost cost(String userId, List<Key> keys) {
    return database.inSnapshot(session -> {
      ViewStore views = new ViewStore(session);
      NavigableMap<String, Space> readable = views.readable(userId);
      List<Long> nanos = new ArrayList<>();
      for (int i = 0; i < TIMES; i++) {
        nanos.add(cpuNanos(() -> assertWinners(views.winners(userId, readable, keys), keys)));
      }
      return new Cost(views.lookups() / TIMES, least(nanos));
    });
  }

  private static void assertWinners(Map<Key, String> winners, List<Key> keys) {
    assertThat(winners).hasSize(keys.size()).containsEntry(keys.getFirst(), "r/0000");
  }

  private static List<Key> keys() {
    List<Key> keys = new ArrayList<>();
    for (int i = 0; i < ViewStore.KEYS_PER_LOOKUP; i++) {
      keys.add(Key.of("key" + i * 7 % 500));
    }
    return keys.stream().distinct().toList();
  }

  @Test
  void aChangedKeyIsFoundAtTheSameCostInHoweverManyRoomsAUserIs() {
    fillRooms();

    Cost few = cost("few", keys());
    Cost many = cost("many", keys());

    assertThat(many.lookups()).isEqualTo(few.lookups()).isLessThan(3L * keys().size());
    assertThat(many.nanos()).isLessThan(FACTOR * few.nanos());
  }

  @Test
  void aKeyThatStandsInManyRoomsIsLookedUpInThoseOfTheUserAlone() {
    fillRooms();

    Cost few = cost("few", List.of(Key.of("common")));

    assertThat(few.lookups()).isLessThan(ViewStore.FEW_HOLDERS + FEW_ROOMS + 3);
    assertThat(cost("many", List.of(Key.of("common"))).lookups()).isGreaterThan(ROOMS);
  }

  /// A client group with so many clients that were not seen for long.
  private void fillGroup(String id, int folded) {
    execute(
        "INSERT INTO client_group (id, user_id, version, seen_at, folded_version, epoch)"
            + " SELECT ?, 'alice', 1, 0, 1, content FROM meta WHERE name = 'epoch'",
        id);
    if (folded > 0) {
      execute(
          "INSERT INTO folded_client (group_id, id, last_mutation_id) WITH RECURSIVE n (i) AS"
              + " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT ?, ? || i, 1 FROM n",
          folded,
          id,
          id);
    }
  }

  private long nanosOfPush(String group) {
    List<Long> nanos = new ArrayList<>();
    for (int i = 0; i < TIMES; i++) {
      String client = group + "-new" + i;
      nanos.add(database.inTransaction(session -> cpuNanos(() -> push(session, group, client))));
    }
    return least(nanos);
  }

  private static void push(Session session, String group, String client) throws SQLException {
    Spaces spaces = new Spaces(session);
    PushClients clients =
        PushClients.of(
                new ClientStore(session, spaces), group, "alice", StorageSettings.UNLIMITED, 0)
            .orElseThrow();
    assertThat(clients.lastMutationID(client)).isEmpty();
    clients.raise(client, 1);
    clients.save();
    spaces.saveUsage();
  }

  @Test
  void aPushCostsTheSameHoweverManyClientsOfItsGroupAreFolded() {
    fillGroup("full", 20_000);
    fillGroup("bare", 0);
    nanosOfPush("bare"); // warms up
    execute("DELETE FROM client");

    long bare = nanosOfPush("bare");

    assertThat(nanosOfPush("full")).isLessThan(FACTOR * bare);
    assertThat(TestDatabase.number(database, "SELECT COUNT(*) FROM folded_client"))
        .isEqualTo(20_000);
  }
}
