package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.LogCapture;
import dev.replistream.api.Key;
import dev.replistream.data.ClientStore;
import dev.replistream.data.Spaces;
import dev.replistream.data.StorageSettings;
import dev.replistream.db.Database;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompactionTest {
  private static final SyncSettings SETTINGS =
      new SyncSettings(
          1_000,
          1_000,
          1_000,
          Duration.ofDays(30),
          Duration.ofDays(90),
          Duration.ofMillis(20),
          Set.of());

  @TempDir private Path directory;
  private Database database;
  private final Instant now = Instant.now();

  @BeforeEach
  void open() {
    database = TestDatabase.sqlite(directory);
    TestDatabase.execute(
        database, "INSERT INTO space (id, version, compacted) VALUES ('u/alice', 9, 0)");
  }

  @AfterEach
  void close() {
    database.close();
  }

  private void entry(String key) {
    TestDatabase.execute(
        database,
        "INSERT INTO entry (space, key, born, version, value, changed_at) VALUES (?, ?, 1, 1, X'31', 0)",
        "u/alice",
        Key.of(key).bytes());
  }

  private void tombstone(String key, int died, Duration age) {
    TestDatabase.execute(
        database,
        "INSERT INTO tombstone (space, died, key, born, changed_at) VALUES (?, ?, ?, 1, ?)",
        "u/alice",
        died,
        Key.of(key).bytes(),
        now.minus(age).toEpochMilli());
  }

  private Compaction compaction() {
    return new Compaction(
        database,
        SETTINGS,
        StorageSettings.UNLIMITED,
        Duration.ZERO,
        TestStorage.metrics(database),
        Clock.systemUTC());
  }

  private void compact() {
    compaction().compact();
  }

  private long compacted() {
    return TestDatabase.number(database, "SELECT compacted FROM space WHERE id = 'u/alice'");
  }

  private long tombstones() {
    return TestDatabase.number(database, "SELECT COUNT(*) FROM tombstone");
  }

  @Test
  void oldTombstonesGoAndTheMarkSaysHowFar() {
    entry("live");
    tombstone("old", 3, Duration.ofDays(31));
    tombstone("older", 2, Duration.ofDays(60));
    tombstone("young", 5, Duration.ofDays(29));

    compact();

    assertThat(tombstones()).isOne();
    assertThat(TestDatabase.number(database, "SELECT COUNT(*) FROM entry")).isOne();
    assertThat(compacted()).isEqualTo(3);
  }

  @Test
  void rejectionsThatAreADayOldGoHoweverManyTheyAre() {
    for (int i = 0; i < 5_100; i++) {
      rejection("user" + i, Duration.ofHours(25));
    }
    rejection("user7", Duration.ofHours(23));

    try (LogCapture log = new LogCapture()) {
      compact();

      assertThat(log.lines("compaction")).allMatch(line -> line.contains(" rejections=5100 "));
    }
    assertThat(TestDatabase.number(database, "SELECT COUNT(*) FROM rejection")).isOne();
  }

  private void rejection(String userId, Duration age) {
    TestDatabase.execute(
        database,
        "INSERT INTO rejection (user_id, seq, content) VALUES (?, ?, X'7B7D')",
        userId,
        now.minus(age).toEpochMilli() * 1_000);
  }

  private void invitations(
      String room, int count, Duration age, @Nullable Duration withdrawn, boolean isDeclined) {
    for (int i = 0; i < count; i++) {
      TestDatabase.execute(
          database,
          """
          INSERT INTO invitation
          (room, user_id, role, invited_by, invited_at, withdrawn_at, declined_at)
          VALUES (?, ?, 'reader', 'alice', ?, ?, ?)\
          """,
          room,
          "user" + i,
          now.minus(age).toEpochMilli(),
          withdrawn == null ? null : now.minus(withdrawn).toEpochMilli(),
          isDeclined ? now.minus(age).toEpochMilli() : null);
    }
  }

  @Test
  void invitationsAndLinksThatExpiredGoHoweverManyTheyAre() {
    invitations("old", 1_201, Duration.ofDays(31), null, true);
    invitations("withdrawn", 2, Duration.ofDays(9), Duration.ofHours(25), false);
    invitations("just withdrawn", 3, Duration.ofDays(9), Duration.ofHours(23), false);
    invitations("declined", 4, Duration.ofDays(9), Duration.ofHours(25), true);
    invitations("open", 5, Duration.ofDays(29), null, false);
    for (int i = 0; i < 601; i++) {
      TestDatabase.execute(
          database,
          "INSERT INTO room_link VALUES (?, 'room', 'reader', 'alice', ?, 1)",
          "link" + i,
          now.plusSeconds(i < 600 ? -60 : 3_600).toEpochMilli());
    }

    compact();

    assertThat(TestDatabase.number(database, "SELECT COUNT(*) FROM invitation")).isEqualTo(12);
    assertThat(TestDatabase.number(database, "SELECT COUNT(*) FROM room_link")).isOne();
  }

  @Test
  void theMarkStaysWhereThereIsNothingOld() {
    tombstone("young", 5, Duration.ofDays(29));

    compact();

    assertThat(compacted()).isZero();
  }

  @Test
  void theMarkNeverGoesBack() {
    TestDatabase.execute(database, "UPDATE space SET compacted = 7");
    tombstone("old", 3, Duration.ofDays(31));

    compact();

    assertThat(compacted()).isEqualTo(7);
    assertThat(tombstones()).isZero();
  }

  @Test
  void moreThanATransactionTakesGoToo() {
    for (int i = 0; i < 2 * Tombstones.BATCH + 1; i++) {
      tombstone("k" + i, 2, Duration.ofDays(31));
    }

    compact();

    assertThat(tombstones()).isZero();
  }

  @Test
  void itStopsBetweenTwoTransactionsWhenItIsTold() {
    for (int i = 0; i < 2 * Tombstones.BATCH; i++) {
      tombstone("k" + i, 2, Duration.ofDays(31));
    }

    new Tombstones(database).remove(now.minus(SETTINGS.tombstoneMaxAge()), () -> true);

    assertThat(tombstones()).isEqualTo(Tombstones.BATCH);
  }

  @Test
  void severalAtOnceDontDisturbEachOther() throws Exception {
    for (int i = 0; i < 2_000; i++) {
      tombstone("k" + i, i % 9 + 1, Duration.ofDays(31));
    }
    List<Future<?>> runs = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 4; i++) {
        runs.add(threads.submit(this::compact));
      }
      for (Future<?> run : runs) {
        run.get(60, TimeUnit.SECONDS);
      }
    }

    assertThat(tombstones()).isZero();
    assertThat(compacted()).isEqualTo(9);
  }

  @Test
  void clientsAreFoldedGroupByGroup() {
    long longAgo = now.minus(Duration.ofDays(91)).toEpochMilli();
    for (int group = 0; group < 3; group++) {
      TestDatabase.execute(
          database,
          "INSERT INTO client_group (id, user_id, version, seen_at, folded_version) VALUES (?, 'alice', 9, 0, 0)",
          "g" + group);
      for (int client = 0; client < 4; client++) {
        TestDatabase.execute(
            database,
            "INSERT INTO client VALUES (?, ?, ?, ?, ?)",
            "c" + group + client,
            "g" + group,
            10 + client,
            client,
            client == 3 ? now.toEpochMilli() : longAgo);
      }
    }

    compact();

    assertThat(TestDatabase.number(database, "SELECT COUNT(*) FROM client")).isEqualTo(3);
    ClientStore.Group group =
        database.inSnapshot(session ->
            new ClientStore(session, new Spaces(session)).group("g1").group().orElseThrow());
    assertThat(
            database.<Map<String, Long>>inSnapshot(
                session -> new ClientStore(session, new Spaces(session)).lastMutationIDs(group, 0)))
        .isEqualTo(Map.of("c10", 10L, "c11", 11L, "c12", 12L, "c13", 13L));
    assertThat(TestDatabase.number(database, "SELECT COUNT(*) FROM folded_client")).isEqualTo(9);
    assertThat(group.foldedVersion()).isEqualTo(2);
    assertThat(group.version()).isEqualTo(9);
  }

  private static final StorageSettings LIMITS = new StorageSettings(80_000, 80_000);

  @Test
  void ofManyTombstonesTheOldestGoHoweverYoungTheyAreUntilFewAreLeft() {
    for (int i = 1; i <= 1_200; i++) {
      tombstone("k" + (10_000 + i), i, Duration.ZERO);
    }
    TestDatabase.execute(database, "UPDATE space SET tombstone_bytes = 1200 * (64 + 6)");

    new Tombstones(database).removeOldest(LIMITS, () -> false);

    long left = tombstones();
    assertThat(left * 70).isBetween(80_000L / 16 - 500 * 70, 80_000L / 16);
    assertThat(compacted()).isEqualTo(1_200 - left);
    assertThat(TestDatabase.number(database, "SELECT MIN(died) FROM tombstone"))
        .isEqualTo(compacted() + 1);
    assertThat(TestDatabase.number(database, "SELECT tombstone_bytes FROM space"))
        .isEqualTo(left * 70);
  }

  @Test
  void anEighthOfTheLimitMayBeTombstonesAndWithoutALimitAnyNumber() {
    for (int i = 1; i <= 100; i++) {
      tombstone("k" + (10_000 + i), i, Duration.ZERO);
    }
    TestDatabase.execute(database, "UPDATE space SET tombstone_bytes = 10000");

    new Tombstones(database).removeOldest(LIMITS, () -> false);
    new Tombstones(database).removeOldest(new StorageSettings(0, 80_000), () -> false);

    assertThat(tombstones()).isEqualTo(100);
    assertThat(compacted()).isZero();
  }

  @Test
  void deletedRoomsHaveNoMoreTombstonesTogetherThanARoomMayTakeAndTheLargestLoseTheirs() {
    tombstone("of a user", 1, Duration.ZERO);
    TestDatabase.execute(database, "INSERT INTO room (id, created_at) VALUES ('live', 0)");
    for (String room : List.of("gone1", "gone2", "gone3", "live")) {
      int size = room.equals("gone2") ? 30 : 20;
      TestDatabase.execute(
          database,
          """
          WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
          INSERT INTO tombstone SELECT ?, 7, CAST(100 + i AS BLOB), 1, ? FROM n\
          """,
          size,
          "r/" + room,
          now.toEpochMilli());
      TestDatabase.execute(
          database,
          "INSERT INTO space (id, version, compacted, tombstone_bytes) VALUES (?, 7, 0, ?)",
          "r/" + room,
          size * 67);
    }

    new Tombstones(database).removeOfDeletedRooms(new StorageSettings(0, 70 * 67), () -> false);
    assertThat(tombstones()).isEqualTo(91);
    new Tombstones(database).removeOfDeletedRooms(new StorageSettings(0, 69 * 67), () -> false);

    assertThat(tombstones()).isEqualTo(41);
    assertThat(TestDatabase.number(database, "SELECT COUNT(*) FROM space WHERE compacted = 7"))
        .isEqualTo(2);
    assertThat(TestDatabase.number(database, "SELECT compacted FROM space WHERE id = 'r/gone2'"))
        .isEqualTo(7);
    assertThat(TestDatabase.number(database, "SELECT compacted FROM space WHERE id = 'r/live'"))
        .isZero();
    assertThat(
            TestDatabase.number(
                database, "SELECT SUM(tombstone_bytes) FROM space WHERE id LIKE 'r/%'"))
        .isEqualTo(40 * 67);
  }

  @Test
  void ofTheClientsOfACrowdedGroupThoseAreFoldedThatPushedLeastLately() {
    TestDatabase.execute(
        database,
        "INSERT INTO client_group (id, user_id, version, seen_at, folded_version) VALUES ('g', 'alice', 9000, 0, 0)");
    TestDatabase.execute(
        database,
        """
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4500)
        INSERT INTO client SELECT 'c' || i, 'g', i, i, ? FROM n\
        """,
        now.toEpochMilli());

    compact();

    assertThat(TestDatabase.number(database, "SELECT COUNT(*) FROM client")).isEqualTo(1_000);
    assertThat(TestDatabase.number(database, "SELECT MIN(version) FROM client")).isEqualTo(3_501);
    assertThat(
            TestDatabase.number(
                database, "SELECT last_mutation_id FROM folded_client WHERE id = 'c3500'"))
        .isEqualTo(3_500);
    assertThat(TestDatabase.number(database, "SELECT folded_version FROM client_group"))
        .isEqualTo(3_500);
  }

  @Test
  void itRunsWhenItIsAskedToAndNotAgainWithinTheMinute() {
    Compaction compaction =
        new Compaction(
            database,
            new SyncSettings(
                1,
                1,
                1,
                Duration.ofDays(30),
                Duration.ofDays(90),
                Duration.ofDays(36_500),
                Set.of()),
            StorageSettings.UNLIMITED,
            Duration.ZERO,
            TestStorage.metrics(database),
            Clock.systemUTC());
    try (LogCapture log = new LogCapture()) {
      tombstone("first", 3, Duration.ofDays(31));
      compaction.start();

      compaction.wake();
      Eventually.holds("it compacts", () -> tombstones() == 0);
      tombstone("second", 3, Duration.ofDays(31));
      compaction.wake();
      compaction.close();

      assertThat(tombstones()).isOne();
      assertThat(log.lines("compaction")).hasSize(1);
    }
  }

  @Test
  void itDoesNotWaitWhereDeletedRoomsHaveLeftMuchBehind() {
    SyncSettings never =
        new SyncSettings(
            1, 1, 1, Duration.ofDays(30), Duration.ofDays(90), Duration.ofDays(36_500), Set.of());
    Compaction compaction =
        new Compaction(
            database,
            never,
            StorageSettings.UNLIMITED,
            Duration.ZERO,
            TestStorage.metrics(database),
            Clock.systemUTC());
    try (compaction) {
      tombstone("old", 3, Duration.ofDays(31));
      compaction.start();

      compaction.leftBehind((64 << 20) - 1);
      assertThat(tombstones()).isOne();
      compaction.leftBehind(1);

      Eventually.holds("it compacts", () -> tombstones() == 0);
    }
  }

  @Test
  void itRunsAgainAndAgainUntilItIsClosedAlsoAfterAFailure() {
    try (LogCapture log = new LogCapture()) {
      Compaction compaction = compaction();
      tombstone("first", 3, Duration.ofDays(31));
      TestDatabase.execute(
          database,
          "CREATE TRIGGER no BEFORE DELETE ON tombstone BEGIN SELECT RAISE(ABORT, 'no'); END");
      compaction.start();
      Eventually.holds("it fails", () -> !log.lines("error where=compaction").isEmpty());
      TestDatabase.execute(database, "DROP TRIGGER no");

      for (int i = 0; i < 3; i++) {
        tombstone("k" + i, 3, Duration.ofDays(31));
        Eventually.holds("it compacts", () -> tombstones() == 0);
      }
      compaction.close();
      tombstone("k", 3, Duration.ofDays(31));
      assertThat(tombstones()).isOne();
    }
  }

  @Test
  void oneThatWasNotStartedCanBeClosed() {
    compaction().close();
  }
}
