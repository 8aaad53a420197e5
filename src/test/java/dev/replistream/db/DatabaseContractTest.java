package dev.replistream.db;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.Eventually;
import dev.replistream.LogCapture;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What every database does for its callers. Each test has an empty table `counter`.
abstract class DatabaseContractTest {
  private final List<Database> opened = new ArrayList<>();
  final RecordingListener listener = new RecordingListener();

  /// Opens the test class's database, the same one each time.
  abstract Database connect(DatabaseListener listener);

  abstract Dialect dialect();

  final Database open() {
    Database database = connect(listener);
    opened.add(database);
    return database;
  }

  @BeforeEach
  void makeTable() {
    Database database = open();
    database.inTransaction(session -> {
      run(
          session,
          "CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, n BIGINT NOT NULL CHECK (n >= 0))");
      return run(session, "DELETE FROM counter");
    });
    listener.clear();
  }

  @AfterEach
  void closeAll() {
    opened.forEach(Database::close);
  }

  /// The database of this test.
  final Database database() {
    return opened.getFirst();
  }

  static int run(Session session, String sql, Object... parameters) throws SQLException {
    PreparedStatement statement = session.prepare(sql);
    for (int i = 0; i < parameters.length; i++) {
      statement.setObject(i + 1, parameters[i]);
    }
    return statement.executeUpdate();
  }

  static int insert(Session session, String name, long n) throws SQLException {
    return run(session, "INSERT INTO counter (name, n) VALUES (?, ?)", name, n);
  }

  static List<String> names(Session session) throws SQLException {
    List<String> names = new ArrayList<>();
    try (ResultSet rows =
        session.prepare("SELECT name FROM counter ORDER BY name").executeQuery()) {
      while (rows.next()) {
        names.add(rows.getString(1));
      }
    }
    return names;
  }

  final List<String> names() {
    return database().inSnapshot(DatabaseContractTest::names);
  }

  private static String meta(Database database, String name) {
    return database.inSnapshot(session -> {
      PreparedStatement select = session.prepare("SELECT content FROM meta WHERE name = ?");
      select.setString(1, name);
      try (ResultSet row = select.executeQuery()) {
        return row.next() ? row.getString(1) : "";
      }
    });
  }

  @Test
  void whatWasCommittedIsSeenByTheNextSnapshotAndTransaction() {
    int count = database().inTransaction(session -> insert(session, "a", 1));

    assertThat(count).isEqualTo(1);
    assertThat(names()).containsExactly("a");
    assertThat(database().<List<String>>inTransaction(DatabaseContractTest::names))
        .containsExactly("a");
  }

  @Test
  void aWorkThatThrowsKeepsNothingAndItsExceptionReachesTheCaller() {
    IllegalStateException thrown = new IllegalStateException("mine");

    assertThatThrownBy(() ->
            database()
                .inTransaction(session -> {
                  insert(session, "a", 1);
                  throw thrown;
                }))
        .isSameAs(thrown);

    assertThat(names()).isEmpty();
  }

  @Test
  void anErrorOfAWorkReachesTheCallerAndTheDatabaseGoesOn() {
    assertThatThrownBy(() ->
            database()
                .inTransaction(session -> {
                  insert(session, "a", 1);
                  throw new StackOverflowError();
                }))
        .isInstanceOf(StackOverflowError.class);
    assertThatThrownBy(() ->
            database()
                .inSnapshot(_ -> {
                  throw new StackOverflowError();
                }))
        .isInstanceOf(StackOverflowError.class);

    database().inTransaction(session -> insert(session, "b", 1));
    assertThat(names()).containsExactly("b");
  }

  @Test
  void aRefusedStatementIsTheWorksOwnFailure() {
    assertThatThrownBy(() ->
            database()
                .inTransaction(session -> {
                  insert(session, "a", 1);
                  return insert(session, "b", -1);
                }))
        .isInstanceOf(StatementFailedException.class)
        .hasCauseInstanceOf(SQLException.class);

    assertThat(names()).isEmpty();
    assertThat(database().isAvailable()).isTrue();
  }

  @Test
  void aDatabaseThatIsNotAsItMustBeIsUnavailableAndTheLogSaysWhatIsMissing() {
    try (LogCapture log = new LogCapture()) {
      assertThatThrownBy(() ->
              database()
                  .inTransaction(session -> {
                    insert(session, "a", 1);
                    return run(session, "UPDATE missing SET n = 1");
                  }))
          .isInstanceOf(DatabaseUnavailableException.class);
      assertThat(log.lines("database-unfit"))
          .singleElement()
          .asString()
          .contains("missing")
          .doesNotContain("\n");
    }

    assertThat(names()).isEmpty();
    assertThat(database().isAvailable()).isTrue();
  }

  @Test
  void aSnapshotOfADatabaseThatIsNotAsItMustBeIsUnavailableAndLogged() {
    try (LogCapture log = new LogCapture()) {
      assertThatThrownBy(
              () -> database().inSnapshot(session -> run(session, "UPDATE missing SET n = 1")))
          .isInstanceOf(DatabaseUnavailableException.class);

      assertThat(log.lines("database-unfit")).hasSize(1);
    }
    assertThat(names()).isEmpty();
  }

  @Test
  void aMissingTableCantBeCaughtAroundAPart() {
    assertThatThrownBy(() ->
            database()
                .inTransaction(session -> {
                  assertThatThrownBy(
                          () -> session.inSavepoint(part -> run(part, "UPDATE missing SET n = 1")))
                      .isInstanceOf(SQLException.class);
                  return 0;
                }))
        .isInstanceOf(DatabaseUnavailableException.class);
  }

  @Test
  void aFailedPartIsUndoneAndTheTransactionGoesOn() {
    List<Throwable> seen = new ArrayList<>();

    database()
        .inTransaction(session -> {
          insert(session, "before", 1);
          try {
            session.inSavepoint(inner -> {
              insert(inner, "part", 1);
              return insert(inner, "part", -1);
            });
          } catch (SQLException e) {
            seen.add(e);
          }
          return insert(session, "after", 1);
        });

    assertThat(seen).hasSize(1);
    assertThat(names()).containsExactly("after", "before");
  }

  @Test
  void partsMayStandInParts() {
    database()
        .inTransaction(session -> {
          session.inSavepoint(outer -> {
            insert(outer, "outer", 1);
            assertThatThrownBy(() ->
                    outer.inSavepoint(inner -> {
                      insert(inner, "inner", 1);
                      throw new IllegalArgumentException();
                    }))
                .isInstanceOf(IllegalArgumentException.class);
            return outer.inSavepoint(inner -> insert(inner, "second", 1));
          });
          return insert(session, "end", 1);
        });

    assertThat(names()).containsExactly("end", "outer", "second");
  }

  @Test
  void aFailureOfTheDatabaseCantBeCaughtAroundAPart() {
    assertThatThrownBy(() ->
            database()
                .inTransaction(session -> {
                  insert(session, "before", 1);
                  assertThatThrownBy(() ->
                          session.inSavepoint(_ -> {
                            throw new IllegalStateException(
                                new SQLTransientConnectionException("away"));
                          }))
                      .isInstanceOf(IllegalStateException.class);
                  assertThatThrownBy(() -> insert(session, "after", 1))
                      .isInstanceOf(SQLException.class);
                  return 0;
                }))
        .isInstanceOf(DatabaseUnavailableException.class)
        .hasStackTraceContaining("away");

    assertThat(names()).isEmpty();
    database().inTransaction(session -> insert(session, "next", 1));
    assertThat(names()).containsExactly("next");
  }

  @Test
  void aSnapshotDoesNotSeeWhatIsCommittedLater() {
    database().inTransaction(session -> insert(session, "before", 1));

    List<String> seen =
        database()
            .inSnapshot(session -> {
              List<String> first = names(session);
              database().inTransaction(writing -> insert(writing, "later", 1));
              assertThat(names(session)).isEqualTo(first);
              return first;
            });

    assertThat(seen).containsExactly("before");
    assertThat(names()).containsExactly("before", "later");
  }

  @Test
  void aSnapshotCantWrite() {
    assertThatThrownBy(() -> database().inSnapshot(session -> insert(session, "a", 1)))
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(names()).isEmpty();
  }

  @Test
  void concurrentWritersOfOneRowLoseNothing() throws Exception {
    database().inTransaction(session -> insert(session, "n", 0));
    String lock = dialect() == Dialect.POSTGRESQL ? " FOR UPDATE" : "";
    int writers = 16;
    int rounds = 25;

    inParallel(
        writers,
        () -> {
          for (int i = 0; i < rounds; i++) {
            database()
                .inTransaction(session -> {
                  long n;
                  try (ResultSet row =
                      session
                          .prepare("SELECT n FROM counter WHERE name = 'n'" + lock)
                          .executeQuery()) {
                    row.next();
                    n = row.getLong(1);
                  }
                  return run(session, "UPDATE counter SET n = ? WHERE name = 'n'", n + 1);
                });
          }
        });

    assertThat(
            database()
                .<Long>inSnapshot(session -> {
                  try (ResultSet row = session.prepare("SELECT n FROM counter").executeQuery()) {
                    row.next();
                    return row.getLong(1);
                  }
                }))
        .isEqualTo((long) writers * rounds);
  }

  /// Runs a task on some virtual threads at once and waits for all of them.
  static void inParallel(int threads, Runnable task) throws Exception {
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> futures = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        futures.add(executor.submit(task));
      }
      for (Future<?> each : futures) {
        each.get();
      }
    }
  }

  @Test
  void aStatementIsKeptForTheNextUseOfItsText() {
    database()
        .inTransaction(session -> {
          PreparedStatement first = session.prepare("SELECT n FROM counter");

          assertThat(session.prepare("SELECT n FROM counter")).isSameAs(first);
          return 0;
        });
  }

  @Test
  void moreTextsThanAreKeptCanBeUsed() {
    database()
        .inTransaction(session -> {
          for (int i = 0; i < 1_000; i++) {
            run(session, "INSERT INTO counter (name, n) VALUES ('" + i + "', 0)");
          }
          return 0;
        });

    assertThat(names()).hasSize(1_000);
  }

  @Test
  void theDialectIsTold() {
    assertThat(database().<Dialect>inTransaction(Session::dialect)).isEqualTo(dialect());
    assertThat(database().<Dialect>inSnapshot(Session::dialect)).isEqualTo(dialect());
  }

  @Test
  void theDatabaseHasANameAndAKeyThatStay() {
    String epoch = meta(database(), "epoch");
    String key = meta(database(), "cookie-key");

    assertThat(epoch).matches("[0-9a-f]{8}");
    assertThat(key).matches("[0-9a-f]{64}");
    database().close();
    Database again = open();
    assertThat(meta(again, "epoch")).isEqualTo(epoch);
    assertThat(meta(again, "cookie-key")).isEqualTo(key);
  }

  @Test
  void aSchemaFromTheFutureStopsTheStart() {
    database()
        .inTransaction(session -> run(session, "INSERT INTO schema_version (version) VALUES (99)"));
    database().close();

    assertThatThrownBy(this::open)
        .isInstanceOf(DatabaseStartException.class)
        .hasMessageStartingWith("replistream.db.url: ")
        .hasMessageContaining("99")
        .hasMessageNotContaining("\n");

    removeSchema99();
  }

  /// Takes back what the test of the future did, where a database outlives its test.
  abstract void removeSchema99();

  @Test
  void keysAndIdsHaveTheOrderOfTheirBytes() {
    List<String> keys = List.of("B", "a", "a b", "a-b", "aB", "ab", "z", "ä", "\uffee", "😀");

    List<String> sorted =
        database()
            .inTransaction(session -> {
              for (String key : keys.reversed()) {
                run(
                    session,
                    "INSERT INTO entry (space, key, born, version, value, changed_at) VALUES (?, ?, 1, 1, NULL, 0)",
                    key,
                    key.getBytes(StandardCharsets.UTF_8));
              }
              List<String> result = new ArrayList<>();
              try (ResultSet rows =
                  session.prepare("SELECT space FROM entry ORDER BY space").executeQuery()) {
                while (rows.next()) {
                  result.add(rows.getString(1));
                }
              }
              try (ResultSet rows =
                  session.prepare("SELECT key FROM entry ORDER BY key").executeQuery()) {
                while (rows.next()) {
                  result.add(new String(rows.getBytes(1), StandardCharsets.UTF_8));
                }
              }
              run(session, "DELETE FROM entry");
              return result;
            });

    assertThat(sorted.subList(0, keys.size())).isEqualTo(keys);
    assertThat(sorted.subList(keys.size(), sorted.size())).isEqualTo(keys);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 100_000, 1 << 20})
  void aValueComesBackAsItWas(int sizeBytes) {
    byte[] value = new byte[sizeBytes];
    for (int i = 0; i < sizeBytes; i++) {
      value[i] = (byte) (i * 31);
    }

    byte[] read =
        database()
            .inTransaction(session -> {
              run(
                  session,
                  "INSERT INTO entry (space, key, born, version, value, changed_at) VALUES ('s', ?, 1, 1, ?, 0)",
                  new byte[] {0, 1, (byte) 255},
                  value);
              byte[] result;
              try (ResultSet row = session.prepare("SELECT value FROM entry").executeQuery()) {
                row.next();
                result = row.getBytes(1);
              }
              run(session, "DELETE FROM entry");
              return result;
            });

    assertThat(read).isEqualTo(value);
  }

  @Test
  void theListenerHearsOfEachTransactionAndSnapshot() {
    database().inTransaction(session -> insert(session, "a", 1));
    assertThatThrownBy(() -> database().inTransaction(session -> insert(session, "a", 1)))
        .isInstanceOf(StatementFailedException.class);
    names();
    assertThatThrownBy(() -> database().inSnapshot(session -> run(session, "NONSENSE")))
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(listener.transactions()).containsExactly(true, false);
    assertThat(listener.snapshots()).containsExactly(true, false);
    assertThat(listener.groups()).startsWith(1);
  }

  @Test
  void anInterruptReachesTheWorkOfASnapshotAndStaysWithTheCaller() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    AtomicInteger interrupts = new AtomicInteger();
    AtomicReference<Boolean> kept = new AtomicReference<>();
    Thread caller =
        Thread.startVirtualThread(() -> {
          database()
              .inSnapshot(_ -> {
                begun.countDown();
                try {
                  new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                  interrupts.incrementAndGet();
                  Thread.currentThread().interrupt();
                }
                return 0;
              });
          kept.set(Thread.currentThread().isInterrupted());
        });
    awaitSoon(begun);

    caller.interrupt();
    caller.join();

    assertThat(interrupts).hasValue(1);
    assertThat(kept).hasValue(true);
    assertThat(names()).isEmpty(); // nobody else was interrupted
  }

  @Test
  void aClosedDatabaseIsUnavailable() {
    database().close();

    assertThatThrownBy(() -> database().inTransaction(session -> insert(session, "a", 1)))
        .isInstanceOf(DatabaseUnavailableException.class);
    assertThatThrownBy(this::names).isInstanceOf(DatabaseUnavailableException.class);
    assertThat(database().isAvailable()).isFalse();
    database().close();
  }

  @Test
  void theEndWaitsForTheWorkUnderWay() throws Exception {
    CountDownLatch begun = new CountDownLatch(2);
    CountDownLatch mayEnd = new CountDownLatch(1);
    TransactionCallback<Integer> slow =
        session -> {
          int size = names(session).size();
          begun.countDown();
          awaitUninterruptibly(mayEnd);
          return size;
        };
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Integer> writing =
          executor.submit(() ->
              database()
                  .inTransaction(session -> {
                    slow.run(session);
                    return insert(session, "a", 1);
                  }));
      Future<Integer> reading = executor.submit(() -> database().inSnapshot(slow));
      awaitSoon(begun);
      Future<?> closing = executor.submit(database()::close);
      Eventually.holds("closing begins", () -> !database().isAvailable());
      assertThat(closing.isDone()).isFalse();

      mayEnd.countDown();

      assertThat(writing.get()).isEqualTo(1);
      assertThat(reading.get()).isZero();
      closing.get();
    }
  }

  /// Waits for what is about to happen.
  static void awaitSoon(CountDownLatch latch) throws InterruptedException {
    assertThat(latch.await(20, TimeUnit.SECONDS)).as("it happens").isTrue();
  }

  static void awaitUninterruptibly(CountDownLatch latch) {
    Uninterruptibly.run(latch::await);
  }
}
