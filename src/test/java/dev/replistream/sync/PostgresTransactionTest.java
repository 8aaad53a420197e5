package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.api.JsonValue;
import dev.replistream.api.RejectedException;
import dev.replistream.api.Role;
import dev.replistream.api.Scan;
import dev.replistream.api.Transaction;
import dev.replistream.data.RoomException;
import dev.replistream.data.RoomLimits;
import dev.replistream.data.RoomStore;
import dev.replistream.data.Spaces;
import dev.replistream.db.Database;
import dev.replistream.db.Session;
import dev.replistream.db.TestPostgres;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// On PostgreSQL writers run at the same time; what each has read stays true until its end.
class PostgresTransactionTest extends SqlTransactionTest {
  private static final int MILLIS_TO_SHOW_THAT_ONE_WAITS = 150;

  private static Supplier<Database> shared =
      () -> {
        throw new AssertionError("no database");
      };

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  @BeforeAll
  static void open() {
    Database database = TestDatabase.postgres(TestPostgres.newDatabase());
    shared = () -> database;
  }

  @AfterAll
  static void closeDatabase() {
    shared.get().close();
  }

  @AfterEach
  void clear() {
    threads.close();
    TestDatabase.clear(database());
  }

  @Override
  Database database() {
    return shared.get();
  }

  /// The rows of all scans of the table and its indexes.
  @Override
  long rowsRead(Session session, Runnable work) throws SQLException {
    long before = rowsRead(session);
    work.run();
    return rowsRead(session) - before;
  }

  private static long rowsRead(Session session) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT pg_stat_get_xact_tuples_returned('entry'::regclass)
            + SUM(pg_stat_get_xact_tuples_returned(indexrelid))
            FROM pg_index WHERE indrelid = 'entry'::regclass\
            """);
    try (ResultSet row = select.executeQuery()) {
      row.next();
      return row.getLong(1);
    }
  }

  /// After a few times PostgreSQL plans a statement for any values, and as long as it has not
  /// analysed the table, by what was there then.
  @Test
  void aScanOfAFewReadsLittleAlsoWhereItWasPlannedForASmallRoom() {
    run("alice", transaction -> transaction.createRoom("small"));
    TestDatabase.execute(database(), "ANALYZE entry");
    for (int i = 0; i < 50; i++) {
      run("alice", transaction -> transaction.scan(Scan.prefix("key").in("small").limit(10)));
      run("alice", transaction -> transaction.scan(Scan.prefix("key").limit(10)));
    }

    fillView();
    assertScansOfAFewReadLittle();
  }

  /// A transaction that has done its first part and does its last one when told to.
  private final class Open {
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch go = new CountDownLatch(1);
    private final Future<?> end;

    Open(String userId, Consumer<Transaction> first, Consumer<Transaction> last)
        throws InterruptedException {
      end =
          threads.submit(() ->
              run(
                  userId,
                  transaction -> {
                    first.accept(transaction);
                    begun.countDown();
                    await(go);
                    last.accept(transaction);
                  }));
      await(begun);
    }

    void finish() {
      go.countDown();
      done(end);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void done(Future<?> future) {
    try {
      future.get(60, TimeUnit.SECONDS);
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  private static void waits(Future<?> future) {
    assertThatThrownBy(() -> future.get(MILLIS_TO_SHOW_THAT_ONE_WAITS, TimeUnit.MILLISECONDS))
        .isInstanceOf(TimeoutException.class);
  }

  private static void add(Transaction transaction, String key) {
    long before = transaction.get(key).map(JsonValue::asLong).orElse(0L);
    transaction.put(key, JsonValue.of(before + 1));
  }

  private long value(String userId, String key) {
    List<Long> values = new ArrayList<>();
    run(userId, transaction -> values.add(transaction.get(key).orElseThrow().asLong()));
    return values.getLast();
  }

  @Test
  void writersInDifferentSpacesDontWaitForEachOther() throws InterruptedException {
    run("alice", transaction -> transaction.createRoom("plan"));
    Open open = new Open("alice", transaction -> add(transaction, "n"), _ -> {});

    run("bob", transaction -> add(transaction, "n"));
    run("alice", transaction -> transaction.put("plan", "n", JsonValue.of(1)));

    open.finish();
  }

  @Test
  void whoIsNoMemberOfARoomDoesNotWaitForItsWritersNorTheyForThem() throws Exception {
    run("alice", transaction -> transaction.createRoom("plan"));
    Open open =
        new Open("alice", transaction -> transaction.put("plan", "n", JsonValue.of(1)), _ -> {});

    List<Consumer<Transaction>> attempts =
        List.of(
            transaction -> transaction.get("plan", "n"),
            transaction -> transaction.put("plan", "n", JsonValue.of(2)),
            transaction -> transaction.invite("plan", "eve", Role.OWNER),
            transaction -> transaction.deleteRoom("plan"),
            transaction -> transaction.createRoom("plan"));
    for (Consumer<Transaction> attempt : attempts) {
      refusedAtOnce(() -> run("eve", attempt), RejectedException.class);
    }
    refusedAtOnce(
        () ->
            database()
                .inTransaction(session ->
                    new RoomStore(
                            session,
                            new Spaces(session),
                            Instant.now(),
                            RoomLimits.consent(100, 100))
                        .accept("plan", "eve")),
        RoomException.class);

    open.finish();
  }

  private void refusedAtOnce(Runnable attempt, Class<? extends Exception> refusal) {
    Future<?> end = threads.submit(attempt);
    assertThatThrownBy(() -> end.get(3, TimeUnit.SECONDS)).hasCauseInstanceOf(refusal);
  }

  @Test
  void writersInOneSpaceComeOneAfterTheOther() throws InterruptedException {
    Open open = new Open("alice", transaction -> add(transaction, "n"), _ -> {});
    Future<?> other = threads.submit(() -> run("alice", transaction -> add(transaction, "n")));

    waits(other);
    open.finish();
    done(other);

    assertThat(value("alice", "n")).isEqualTo(2);
  }

  @Test
  void whatAScanHasSeenStaysTrue() throws InterruptedException {
    run("alice", transaction -> transaction.createRoom("plan"));
    Open open =
        new Open(
            "alice",
            transaction -> transaction.scan(""),
            transaction ->
                transaction.put("plan", "count", JsonValue.of(transaction.scan("").size())));
    Future<?> inRoom =
        threads.submit(
            () -> run("alice", transaction -> transaction.put("plan", "n", JsonValue.of(1))));
    Future<?> inPrivate =
        threads.submit(() -> run("alice", transaction -> transaction.put("m", JsonValue.of(1))));

    waits(inRoom);
    waits(inPrivate);
    open.finish();
    done(inRoom);
    done(inPrivate);

    assertThat(value("alice", "count")).isZero();
  }

  @Test
  void aRoleThatAWriteWasDecidedByStaysUntilItIsCommitted() throws InterruptedException {
    run(
        "alice",
        transaction -> {
          transaction.createRoom("plan");
          transaction.putMember("plan", "bob", Role.WRITER);
        });
    Open open =
        new Open(
            "bob",
            transaction -> transaction.get("plan", "n"),
            transaction -> transaction.put("plan", "n", JsonValue.of(1)));
    Future<?> removal =
        threads.submit(() -> run("alice", transaction -> transaction.removeMember("plan", "bob")));

    waits(removal);
    open.finish();
    done(removal);

    assertThatThrownBy(
            () -> run("bob", transaction -> transaction.put("plan", "n", JsonValue.of(2))))
        .isInstanceOf(RejectedException.class);
  }

  @Test
  void whoWaitsForARoomThatIsDeletedMeanwhileIsRejected() throws InterruptedException {
    run(
        "alice",
        transaction -> {
          transaction.createRoom("plan");
          transaction.putMember("plan", "bob", Role.WRITER);
          transaction.put("plan", "n", JsonValue.of(1));
        });
    Open open = new Open("alice", transaction -> transaction.deleteRoom("plan"), _ -> {});
    Future<?> explicit =
        threads.submit(
            () -> run("bob", transaction -> transaction.put("plan", "n", JsonValue.of(2))));
    Future<?> visible =
        threads.submit(() -> run("bob", transaction -> transaction.put("n", JsonValue.of(3))));

    waits(explicit);
    waits(visible);
    open.finish();

    assertThatThrownBy(() -> explicit.get(20, TimeUnit.SECONDS))
        .hasCauseInstanceOf(RejectedException.class);
    done(visible);
    assertThat(TestDatabase.number(database(), "SELECT COUNT(*) FROM entry WHERE space = 'u/bob'"))
        .isOne();
  }

  @Test
  void aLockTakenInASavepointThatIsRolledBackIsTakenAgain() {
    database()
        .inTransaction(session -> {
          Spaces spaces = new Spaces(session);
          assertThatThrownBy(() ->
                  spaces.inSavepoint(_ -> {
                    add(transaction(session, spaces, "alice"), "n");
                    throw new RejectedException("no");
                  }))
              .isInstanceOf(RejectedException.class);
          // the lock is gone with the savepoint, so another one gets in between
          done(threads.submit(() -> run("alice", transaction -> add(transaction, "n"))));
          Transaction transaction = transaction(session, spaces, "alice");
          transaction.get("n");
          waits(threads.submit(() -> run("alice", other -> add(other, "n"))));
          add(transaction, "n");
          return true;
        });
    threads.close();

    assertThat(value("alice", "n")).isEqualTo(3);
  }

  @Test
  void whoReadsBeforeItWritesLosesNothingInARaceOfMany() {
    run("alice", transaction -> transaction.createRoom("plan"));
    run("alice", transaction -> transaction.put("plan", "shared", JsonValue.of(0)));
    List<Future<?>> writers = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      writers.add(
          threads.submit(() -> {
            for (int n = 0; n < 25; n++) {
              run(
                  "alice",
                  transaction -> {
                    add(transaction, "own");
                    add(transaction, "shared");
                  });
            }
          }));
    }
    for (Future<?> writer : writers) {
      done(writer);
    }

    assertThat(value("alice", "own")).isEqualTo(200);
    assertThat(value("alice", "shared")).isEqualTo(200);
    assertThat(TestDatabase.number(database(), "SELECT version FROM space WHERE id = 'u/alice'"))
        .isEqualTo(200);
  }

  @Test
  void deletingCostsLittleMoreThanOverwritingHoweverMuchOneTransactionDoes() {
    int entries = 5_000;
    Consumer<Transaction> overwriteAll =
        transaction -> each(entries, key -> transaction.put(key, JsonValue.of("v".repeat(400))));
    run("alice", overwriteAll);

    long overwriting = nanos(overwriteAll);
    long deleting = nanos(transaction -> each(entries, transaction::delete));

    assertThat(TestDatabase.number(database(), "SELECT COUNT(*) FROM tombstone"))
        .isEqualTo(entries);
    assertThat(deleting).isLessThan(4 * overwriting);
  }

  /// Keys whose order is another one than that of their numbers, as of ids that are random.
  private static void each(int count, Consumer<String> work) {
    for (int i = 0; i < count; i++) {
      work.accept("todo/" + Integer.toHexString(i * 0x9e3779b1));
    }
  }

  /// What a mutation takes, in the savepoint that it runs in.
  private long nanos(Consumer<Transaction> work) {
    long start = System.nanoTime();
    database()
        .inTransaction(session -> {
          Spaces spaces = new Spaces(session);
          return spaces.inSavepoint(_ -> {
            work.accept(transaction(session, spaces, "alice"));
            return true;
          });
        });
    return System.nanoTime() - start;
  }
}
