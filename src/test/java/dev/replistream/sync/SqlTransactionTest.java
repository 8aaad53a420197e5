package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.api.JsonValue;
import dev.replistream.api.Key;
import dev.replistream.api.RejectedException;
import dev.replistream.api.Role;
import dev.replistream.api.Scan;
import dev.replistream.api.Transaction;
import dev.replistream.data.Actor;
import dev.replistream.data.EntryStore;
import dev.replistream.data.RoomException;
import dev.replistream.data.RoomLimits;
import dev.replistream.data.RoomPurge;
import dev.replistream.data.RoomSettings;
import dev.replistream.data.RoomStore;
import dev.replistream.data.Spaces;
import dev.replistream.data.StorageSettings;
import dev.replistream.data.TreeLimit;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.db.Session;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;

/// The rules of all transactions, and of versions, on a database.
abstract class SqlTransactionTest extends TransactionContractTest {
  /// The database of the test, empty at its begin.
  abstract Database database();

  /// What the database itself does for some work in a transaction of it: rows, or steps of about as
  /// many, that it reads.
  abstract long rowsRead(Session session, Runnable work) throws SQLException;

  static SqlTransaction transaction(Session session, Spaces spaces, String userId) {
    return transaction(session, spaces, userId, Instant.now(), RoomLimits.direct(1_000, 100_000));
  }

  static SqlTransaction transaction(
      Session session, Spaces spaces, String userId, Instant now, RoomSettings limits) {
    return new SqlTransaction(
        TestPusher.of(userId),
        new Mutation(7, "c1", "test", "null"),
        spaces,
        new RoomStore(session, spaces, now, limits),
        new EntryStore(session, spaces, StorageSettings.UNLIMITED, now),
        MAX_VALUE_BYTES,
        new TreeLimit(1, 0).begin());
  }

  @Override
  void run(String userId, Consumer<Transaction> work) {
    database()
        .inTransaction(session -> {
          SqlTransaction transaction = transaction(session, new Spaces(session), userId);
          work.accept(transaction);
          transaction.requireWhole();
          return true;
        });
  }

  private long version(String space) {
    return TestDatabase.number(
        database(), "SELECT COALESCE(MAX(version), 0) FROM space WHERE id = ?", space);
  }

  private long version(String space, String key) {
    return TestDatabase.number(
        database(),
        "SELECT version FROM entry WHERE space = ? AND key = ?",
        space,
        Key.of(key).bytes());
  }

  @Test
  void aTransactionRaisesTheVersionOfASpaceOnceHoweverOftenItWrites() {
    run(
        "alice",
        transaction -> {
          transaction.put("a", JsonValue.of(1));
          transaction.put("b", JsonValue.of(1));
          transaction.put("a", JsonValue.of(2));
        });
    run("alice", transaction -> transaction.put("b", JsonValue.of(2)));

    assertThat(version("u/alice")).isEqualTo(2);
    assertThat(version("u/alice", "a")).isEqualTo(1);
    assertThat(version("u/alice", "b")).isEqualTo(2);
  }

  @Test
  void aReadRaisesNothing() {
    run("alice", transaction -> transaction.createRoom("plan"));
    long before = version("r/plan");

    run(
        "alice",
        transaction -> {
          transaction.get("a");
          transaction.get("plan", "a");
          transaction.scan("");
          transaction.delete("a");
          transaction.delete("plan", "a");
        });

    assertThat(version("r/plan")).isEqualTo(before);
    assertThat(version("u/alice")).isZero();
  }

  @Test
  void aRoomThatIsRefusedLeavesNothingThoughTheMutatorGoesOn() {
    List<String> reasons = new ArrayList<>();
    database()
        .inTransaction(session -> {
          Transaction transaction =
              transaction(
                  session, new Spaces(session), "alice", Instant.now(), RoomLimits.consent(1, 100));
          transaction.createRoom("plan");
          try {
            transaction.createRoom("more");
          } catch (RejectedException e) {
            reasons.add(e.code().orElseThrow());
          }
          return true;
        });

    assertThat(reasons).containsExactly("too-many-rooms");
    assertThat(TestDatabase.number(database(), "SELECT COUNT(*) FROM room")).isOne();
    assertThat(version("r/more")).isZero();
  }

  @Test
  void whatEndsWithARoomOrWithTheRightsOfAnOwnerCountsAsWork() {
    run("alice", transaction -> transaction.createRoom("plan"));
    run("alice", transaction -> transaction.unrestricted().putMember("plan", "bob", Role.OWNER));
    run(
        "bob",
        transaction -> {
          for (int i = 0; i < 300; i++) {
            transaction.invite("plan", "guest" + i, Role.READER);
          }
        });

    assertThat(work("alice", transaction -> transaction.putMember("plan", "bob", Role.READER)))
        .isBetween(300, 400);
    assertThat(work("alice", transaction -> transaction.deleteRoom("plan"))).isBetween(300, 400);
    run("bob", transaction -> transaction.createRoom("more"));
    assertThat(work("bob", transaction -> transaction.invite("more", "guest", Role.READER)))
        .as("with those that are counted")
        .isBetween(40 + 300 / 4, 40 + 300 / 2);
  }

  /// One random change of a room.
  private static void change(RoomStore store, SplittableRandom random, Queue<String> codes)
      throws SQLException {
    String room = "room" + random.nextInt(2);
    String user = "user" + random.nextInt(4);
    Actor caller = Actor.of("user" + random.nextInt(4));
    Actor backend = new Actor("backend", true);
    try {
      switch (random.nextInt(12)) {
        case 0, 1 -> store.create(room, user);
        case 2 -> store.delete(room, caller);
        case 3 -> store.put(room, backend, user, Role.OWNER, () -> {});
        case 4 -> store.remove(room, backend, user);
        case 5, 6 -> store.invite(room, caller, user, Role.OWNER);
        case 7 -> store.accept(room, user);
        case 8 -> store.withdraw(room, caller, user);
        case 9 -> store.decline(room, user);
        case 10 -> codes.add(store.createLink(room, caller, Role.READER, Duration.ofDays(1), 2));
        default -> {
          String code = codes.poll();
          if (code != null) {
            codes.add(code);
            store.joinBy(code, user);
          }
        }
      }
    } catch (RoomException _) {
      // as many are
    }
  }

  @Test
  void countsAreThoseOfTheMembersWhoeverComesAndGoesAtOnce() throws Exception {
    Queue<String> codes = new ConcurrentLinkedQueue<>();
    RoomSettings limits = RoomLimits.consent(2, 3);
    SplittableRandom seeds = new SplittableRandom();
    List<Future<?>> all = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 6; i++) {
        SplittableRandom random = seeds.split();
        all.add(
            threads.submit(() -> {
              for (int n = 0; n < 100; n++) {
                database()
                    .inTransaction(session -> {
                      Spaces spaces = new Spaces(session);
                      return spaces.inSavepoint(_ -> {
                        change(
                            new RoomStore(session, spaces, Instant.now(), limits), random, codes);
                        return true;
                      });
                    });
              }
              return true;
            }));
      }
      for (Future<?> each : all) {
        each.get(60, TimeUnit.SECONDS);
      }
    }

    assertThat(
            TestDatabase.number(
                database(),
                """
                SELECT COUNT(*) FROM member_count c WHERE members <> (
                  SELECT COUNT(*) FROM member m
                  WHERE c.space = 'r/' || m.room OR c.space = 'u/' || m.user_id)\
                """))
        .isZero();
    assertThat(
            TestDatabase.number(
                database(),
                """
                SELECT COUNT(*) FROM member m
                WHERE NOT EXISTS (SELECT 1 FROM member_count c WHERE c.space = 'r/' || m.room)
                OR NOT EXISTS (SELECT 1 FROM room r WHERE r.id = m.room)
                OR EXISTS (SELECT 1 FROM invitation i WHERE i.room = m.room AND i.user_id = m.user_id)\
                """))
        .isZero();
    assertThat(
            TestDatabase.number(database(), "SELECT COALESCE(MAX(members), 0) FROM member_count"))
        .isLessThanOrEqualTo(3);
  }

  private int work(String userId, Consumer<Transaction> work) {
    return database()
        .inTransaction(session -> {
          SqlTransaction transaction = transaction(session, new Spaces(session), userId);
          work.accept(transaction);
          return transaction.work();
        });
  }

  @Test
  void aVersionRaisedInASavepointThatIsRolledBackIsRaisedAnew() {
    run("alice", transaction -> transaction.put("a", JsonValue.of(1)));

    database()
        .inTransaction(session -> {
          Spaces spaces = new Spaces(session);
          assertThatThrownBy(() ->
                  spaces.inSavepoint(_ -> {
                    transaction(session, spaces, "alice").put("a", JsonValue.of(2));
                    throw new RejectedException("no");
                  }))
              .isInstanceOf(RejectedException.class);
          assertThat(spaces.raised()).isEmpty();
          return spaces.inSavepoint(_ -> {
            transaction(session, spaces, "alice").put("b", JsonValue.of(2));
            return true;
          });
        });

    assertThat(version("u/alice")).isEqualTo(2);
    assertThat(version("u/alice", "a")).isEqualTo(1);
    assertThat(version("u/alice", "b")).isEqualTo(2);
  }

  @Test
  void aVersionRaisedBeforeASavepointThatIsRolledBackStays() {
    database()
        .inTransaction(session -> {
          Spaces spaces = new Spaces(session);
          transaction(session, spaces, "alice").put("a", JsonValue.of(1));
          assertThatThrownBy(() ->
                  spaces.inSavepoint(_ -> {
                    transaction(session, spaces, "alice").put("b", JsonValue.of(1));
                    throw new RejectedException("no");
                  }))
              .isInstanceOf(RejectedException.class);
          transaction(session, spaces, "alice").put("c", JsonValue.of(1));
          return true;
        });

    assertThat(version("u/alice")).isEqualTo(1);
    assertThat(version("u/alice", "c")).isEqualTo(1);
  }

  @Test
  void theVersionOfARoomGoesOnWhenItIsDeletedAndCreatedAgain() {
    run(
        "alice",
        transaction -> {
          transaction.createRoom("plan");
          transaction.put("plan", "a", JsonValue.of(1));
        });
    run("alice", transaction -> transaction.deleteRoom("plan"));
    long deleted = version("r/plan");
    run("bob", transaction -> transaction.createRoom("plan"));

    assertThat(deleted).isEqualTo(2);
    assertThat(TestDatabase.number(database(), "SELECT died FROM tombstone WHERE space = 'r/plan'"))
        .isEqualTo(2);
    assertThat(version("r/plan")).isEqualTo(3);
  }

  @Test
  void aKeyThatComesAndGoesInOneTransactionLeavesNothingBesideTheTombstoneOfBefore() {
    run(
        "alice",
        transaction -> {
          transaction.createRoom("plan");
          transaction.put("plan", "a", JsonValue.of(1));
        });
    run(
        "alice",
        transaction -> {
          for (int i = 0; i < 3; i++) {
            transaction.put("plan", "a", JsonValue.of(i));
            transaction.put("plan", "b", JsonValue.of(i));
            transaction.delete("plan", "a");
            transaction.delete("plan", "b");
          }
          transaction.put("plan", "a", JsonValue.of(4));
          transaction.deleteRoom("plan");
        });

    assertThat(TestDatabase.number(database(), "SELECT COUNT(*) FROM entry")).isZero();
    assertThat(TestDatabase.number(database(), "SELECT COUNT(*) FROM tombstone")).isOne();
    assertThat(TestDatabase.number(database(), "SELECT born * 10 + died FROM tombstone"))
        .isEqualTo(12);
  }

  @Test
  void aMutatorThatSwallowsTheFailureOfAStatementFailsAllTheSame() {
    TestDatabase.execute(database(), "ALTER TABLE entry RENAME TO entry_away");
    try {
      assertThatThrownBy(() ->
              run(
                  "alice",
                  transaction -> {
                    transaction.createRoom("plan");
                    try {
                      transaction.get("a");
                    } catch (RuntimeException _) {
                      // a mutator may do that
                    }
                  }))
          .isInstanceOf(DatabaseUnavailableException.class);
    } finally {
      TestDatabase.execute(database(), "ALTER TABLE entry_away RENAME TO entry");
    }

    assertThat(TestDatabase.number(database(), "SELECT COUNT(*) FROM room")).isZero();
  }

  /// What the fastest of some runs takes; the others may have met whoever else uses the machine.
  private static long fastestNanos(int runs, IntConsumer work) {
    long fastest = Long.MAX_VALUE;
    for (int i = 0; i < runs; i++) {
      long start = System.nanoTime();
      work.accept(i);
      fastest = Math.min(fastest, System.nanoTime() - start);
    }
    return fastest;
  }

  /// Makes a room with one owner and many more members.
  private void fillWithMembers(String room, int members) {
    run("alice", transaction -> transaction.createRoom(room));
    TestDatabase.execute(
        database(),
        """
        INSERT INTO member (room, user_id, role, since)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
        SELECT ?, 'member' || i, 'writer', 0 FROM n\
        """,
        members,
        room);
    TestDatabase.execute(
        database(),
        "UPDATE member_count SET members = members + ? WHERE space = ?",
        members,
        Spaces.ofRoom(room));
    TestDatabase.execute(
        database(),
        """
        INSERT INTO member_count (space, members)
        SELECT 'u/' || user_id, 1 FROM member WHERE room = ? AND role = 'writer'\
        """,
        room);
  }

  @Test
  void whoJoinsOrLeavesARoomDoesNotWaitForItsMembersToBeCounted() {
    run("alice", transaction -> transaction.createRoom("small"));
    fillWithMembers("large", 50_000);

    long[] nanos = new long[2];
    run(
        "alice",
        transaction -> {
          for (String room : List.of("small", "large", "small", "large")) {
            nanos[room.equals("large") ? 1 : 0] =
                fastestNanos(
                    20,
                    i -> {
                      transaction.putMember(room, "bob" + i, Role.OWNER);
                      transaction.putMember(room, "bob" + i, Role.READER);
                      transaction.removeMember(room, "bob" + i);
                    });
          }
        });

    assertThat(nanos[1]).isLessThan(3 * nanos[0]);
  }

  private long members(String space) {
    return TestDatabase.number(
        database(), "SELECT COALESCE(MAX(members), 0) FROM member_count WHERE space = ?", space);
  }

  @Test
  void theCountsOfMembersFollowWhoComesAndGoes() {
    run(
        "alice",
        transaction -> {
          transaction.createRoom("plan");
          transaction.createRoom("other");
          transaction.putMember("plan", "bob", Role.READER);
          transaction.putMember("plan", "bob", Role.WRITER);
          transaction.putMember("plan", "eve", Role.OWNER);
          transaction.removeMember("plan", "bob");
          transaction.removeMember("plan", "bob");
        });
    assertThat(members("r/plan")).isEqualTo(2);
    assertThat(members("r/other")).isOne();
    assertThat(members("u/alice")).isEqualTo(2);
    assertThat(members("u/eve")).isOne();
    assertThat(members("u/bob")).isZero();

    run("alice", transaction -> transaction.deleteRoom("plan"));
    assertThat(members("r/plan")).isZero();
    assertThat(members("u/alice")).isOne();
    assertThat(members("u/eve")).isZero();
  }

  @Test
  void whoLosesALargeRoomHasALaterVersionThanThatRoomHad() {
    fillWithMembers("plan", 3_000);
    run("alice", transaction -> transaction.put("plan", "a", JsonValue.of(1)));
    long before = version("r/plan");

    run("alice", transaction -> transaction.deleteRoom("plan"));

    assertThat(
            TestDatabase.number(
                database(),
                "SELECT COUNT(*) FROM space WHERE id LIKE 'u/member%' AND version > ?",
                before))
        .isEqualTo(3_000);
    assertThat(TestDatabase.number(database(), "SELECT SUM(members) FROM member_count")).isZero();
  }

  @Test
  void aMutationThatWouldHoldUpOthersForLongFailsAlsoWhereItsMutatorGoesOn() {
    fill("plan");

    assertThatThrownBy(() ->
            run(
                "alice",
                transaction -> {
                  transaction.createRoom("plan");
                  try {
                    while (true) {
                      transaction.scan("plan", "");
                    }
                  } catch (TooMuchWorkException _) {
                    transaction.userId(); // and ends as if nothing had been
                  }
                }))
        .isInstanceOf(TooMuchWorkException.class);

    assertThat(TestDatabase.number(database(), "SELECT COUNT(*) FROM room")).isZero();
  }

  private static final long SPACES = 102;

  /// Gives alice a hundred rooms of two entries and one of twenty thousand, and a thousand entries
  /// of her own whose keys stand there too.
  final void fillView() {
    run("alice", transaction -> transaction.createRoom("large"));
    TestDatabase.execute(
        database(),
        """
        INSERT INTO member (room, user_id, role, since)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
        SELECT 'room' || i, 'alice', 'writer', 0 FROM n\
        """);
    for (int i = 1; i <= 100; i++) {
      TestDatabase.fill(database(), Spaces.ofRoom("room" + i), 2, 1);
    }
    TestDatabase.fill(database(), Spaces.ofRoom("large"), 20_000, 1);
    TestDatabase.fill(database(), Spaces.ofUser("alice"), 1_000, 1);
  }

  @Test
  void aScanOfAFewReadsLittleMoreHoweverManyThereAre() {
    fillView();
    assertScansOfAFewReadLittle();
  }

  /// Of what {@link #fillView} has made.
  final void assertScansOfAFewReadLittle() {
    for (Scan scan :
        List.of(
            Scan.prefix("key").in("large").limit(10),
            Scan.prefix("key").in("large").after("key5").limit(10),
            Scan.prefix("key").in("large").from("kez").limit(10),
            Scan.all().in("large").limit(10))) {
      Cost cost = cost(scan);
      assertThat(cost.work).as("the work of %s", scan).isLessThan(60);
      assertThat(cost.rows).as("the rows of %s", scan).isLessThan(60);
    }
    for (Scan scan :
        List.of(
            Scan.all().limit(10),
            Scan.prefix("key").limit(10),
            Scan.prefix("key").from("key3").limit(10),
            Scan.prefix("key5").after("key5").limit(10))) {
      Cost cost = cost(scan);
      assertThat(cost.work).as("the work of %s", scan).isLessThan(6 * SPACES);
      assertThat(cost.rows).as("the rows of %s", scan).isLessThan(6 * SPACES);
    }
    assertThat(cost(Scan.all().limit(5_000)).work).isBetween(10_000L, 20_000L);
  }

  private record Cost(long work, long rows) {}

  private Cost cost(Scan scan) {
    return database()
        .inTransaction(session -> {
          SqlTransaction transaction = transaction(session, new Spaces(session), "alice");
          transaction.scan(scan.limit(0)); // takes the locks
          int before = transaction.work();
          long rows = rowsRead(session, () -> transaction.scan(scan));
          return new Cost(transaction.work() - before, rows);
        });
  }

  /// Gives a room entries of which one batch purges less than half.
  private void fill(String room) {
    TestDatabase.fill(database(), Spaces.ofRoom(room), 2 * RoomPurge.BATCH + 1, 1);
  }

  private long live() {
    return TestDatabase.number(database(), "SELECT COUNT(*) FROM entry");
  }

  private void compact() {
    Duration day = Duration.ofDays(1);
    new Compaction(
            database(),
            new SyncSettings(1, 1, 1, day, day, day, Set.of()),
            StorageSettings.UNLIMITED,
            Duration.ZERO,
            TestStorage.metrics(database()),
            Clock.systemUTC())
        .compact();
  }

  @Test
  void aLargeRoomIsDeletedForEverybodyAtOnceAndPurgedByCompaction() {
    run("alice", transaction -> transaction.createRoom("plan"));
    fill("plan");

    run("alice", transaction -> transaction.deleteRoom("plan"));

    run(
        "alice",
        transaction -> {
          assertThat(transaction.rooms()).isEmpty();
          assertThat(transaction.scan("")).isEmpty();
        });
    assertThat(live()).isEqualTo(RoomPurge.BATCH + 1);
    compact();
    assertThat(live()).isZero();
    assertThat(TestDatabase.number(database(), "SELECT COUNT(*) FROM room")).isZero();
    assertThat(
            TestDatabase.number(
                database(),
                "SELECT COUNT(*) FROM tombstone t JOIN space s ON s.id = t.space"
                    + " WHERE t.died > 1 AND t.died <= s.version"))
        .isEqualTo(2 * RoomPurge.BATCH + 1);
  }

  @Test
  void aNewRoomOfTheIdOfALargeOneBeginsEmptyAndIsNotPurged() {
    run("alice", transaction -> transaction.createRoom("plan"));
    fill("plan");
    run("alice", transaction -> transaction.deleteRoom("plan"));

    run(
        "bob",
        transaction -> {
          transaction.createRoom("plan");
          assertThat(transaction.scan("plan", "")).isEmpty();
          transaction.put("plan", "key1", JsonValue.of(2));
        });

    assertThat(live()).isOne();
    assertThat(
            database()
                .<Integer>inTransaction(session ->
                    new RoomPurge(session, new Spaces(session), Instant.now()).next("plan")))
        .isZero();
    compact();
    run("bob", transaction -> assertThat(transaction.get("key1")).contains(JsonValue.of(2)));
    assertThat(version("r/plan", "key1")).isEqualTo(version("r/plan"));
  }
}
