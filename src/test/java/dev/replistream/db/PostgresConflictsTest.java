package dev.replistream.db;

import static dev.replistream.db.DatabaseContractTest.awaitSoon;
import static dev.replistream.db.DatabaseContractTest.awaitUninterruptibly;
import static dev.replistream.db.DatabaseContractTest.inParallel;
import static dev.replistream.db.DatabaseContractTest.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Transactions of PostgreSQL that meet, and the connections that they share.
class PostgresConflictsTest {
  private static final int POOL_SIZE = 8;
  private static final int MAX_SNAPSHOTS = 6;

  private final RecordingListener listener = new RecordingListener();
  private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
  private final CountDownLatch mayEnd = new CountDownLatch(1);
  private Database database;

  @BeforeEach
  void open() {
    database =
        Databases.open(
            new DbSettings(
                TestPostgres.newDatabase(), Optional.of("postgres"), Optional.empty(), POOL_SIZE),
            listener);
    database.inTransaction(session -> {
      run(session, "CREATE TABLE counter (name TEXT PRIMARY KEY, n BIGINT NOT NULL)");
      return run(session, "INSERT INTO counter (name, n) VALUES ('a', 0), ('b', 0)");
    });
    listener.clear();
  }

  @AfterEach
  void close() {
    mayEnd.countDown();
    callers.close();
    database.close();
  }

  private static int increment(Session session, String name) throws SQLException {
    return run(session, "UPDATE counter SET n = n + 1 WHERE name = ?", name);
  }

  private List<Long> counters() {
    return database.inSnapshot(session -> {
      List<Long> counters = new ArrayList<>();
      try (ResultSet rows = session.prepare("SELECT n FROM counter ORDER BY name").executeQuery()) {
        while (rows.next()) {
          counters.add(rows.getLong(1));
        }
      }
      return counters;
    });
  }

  /// Locks a row until {@link #mayEnd}.
  private Future<Integer> hold(String name) throws InterruptedException {
    CountDownLatch begun = new CountDownLatch(1);
    Future<Integer> held =
        callers.submit(() ->
            database.inTransaction(session -> {
              int count = increment(session, name);
              begun.countDown();
              awaitUninterruptibly(mayEnd);
              return count;
            }));
    awaitSoon(begun);
    return held;
  }

  @Test
  void aDeadlockIsSolvedByDoingOneOfThemAgain() throws Exception {
    CyclicBarrier bothHoldOne = new CyclicBarrier(2);
    AtomicInteger number = new AtomicInteger();

    inParallel(
        2,
        () -> {
          boolean forward = number.getAndIncrement() == 0;
          AtomicInteger attempts = new AtomicInteger();
          database.inTransaction(session -> {
            increment(session, forward ? "a" : "b");
            if (attempts.getAndIncrement() == 0) {
              awaitAll(bothHoldOne);
            }
            return increment(session, forward ? "b" : "a");
          });
        });

    assertThat(counters()).containsExactly(2L, 2L);
    assertThat(listener.retries()).isPositive(); // one, unless they met once more
    assertThat(listener.transactions()).containsExactly(true, true);
  }

  private static void awaitAll(CyclicBarrier barrier) {
    try {
      barrier.await(20, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"40001", "40P01"})
  void aConflictThatTheWorkWrapsOrSwallowsIsRetriedToo(String state) {
    AtomicInteger attempts = new AtomicInteger();

    int result =
        database.inTransaction(session -> {
          increment(session, "a");
          int attempt = attempts.incrementAndGet();
          if (attempt == 1) {
            throw new IllegalStateException(new SQLException("conflict", state));
          }
          if (attempt == 2) {
            TransactionCallback<Integer> conflicting =
                part -> {
                  increment(part, "b");
                  throw new IllegalStateException(new SQLException("conflict", state));
                };
            assertThatThrownBy(() -> session.inSavepoint(conflicting))
                .isInstanceOf(IllegalStateException.class);
          }
          return attempt;
        });

    assertThat(result).isEqualTo(3);
    assertThat(counters()).containsExactly(1L, 0L);
    assertThat(listener.retries()).isEqualTo(2);
    assertThat(listener.groups()).containsExactly(1);
  }

  @Test
  void oneThatAlwaysLosesIsGivenUp() {
    AtomicInteger attempts = new AtomicInteger();

    assertThatThrownBy(() ->
            database.inTransaction(session -> {
              attempts.incrementAndGet();
              increment(session, "a");
              throw new SQLException("conflict", "40001");
            }))
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(attempts).hasValue(10);
    assertThat(listener.retries()).isEqualTo(9);
    assertThat(counters()).containsExactly(0L, 0L);
  }

  @Test
  void aConflictAtTheCommitIsRetried() {
    AtomicInteger attempts = new AtomicInteger();
    database.inTransaction(session -> {
      run(
          session,
          """
          CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN IF NEW.n = 1 THEN RAISE EXCEPTION ''lost'' USING ERRCODE = ''40001''; END IF; RETURN NEW; END'
          """);
      return run(
          session,
          """
          CREATE CONSTRAINT TRIGGER at_commit AFTER UPDATE ON counter
          DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lose()
          """);
    });
    listener.clear();

    database.inTransaction(session ->
        run(session, "UPDATE counter SET n = ? WHERE name = 'a'", attempts.incrementAndGet()));

    assertThat(counters()).containsExactly(2L, 0L);
    assertThat(listener.retries()).isEqualTo(1);
  }

  /// The server ends the connection in the commit, which looks like any other loss of it.
  @Test
  void aConnectionThatIsLostInTheCommitLeavesItOpenWhetherTheWorkWasKept() {
    database.inTransaction(session -> {
      run(
          session,
          """
          CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); RETURN NEW; END'
          """);
      return run(
          session,
          """
          CREATE CONSTRAINT TRIGGER at_commit AFTER UPDATE ON counter
          DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lose()
          """);
    });

    assertThatThrownBy(() -> database.inTransaction(session -> increment(session, "a")))
        .isInstanceOfSatisfying(
            DatabaseUnavailableException.class, e -> assertThat(e.mayBeCommitted()).isTrue());
    assertThatThrownBy(() ->
            database.inTransaction(
                session -> run(session, "SELECT pg_terminate_backend(pg_backend_pid())")))
        .isInstanceOfSatisfying(
            DatabaseUnavailableException.class, e -> assertThat(e.mayBeCommitted()).isFalse());
  }

  @Test
  void aWorkThatSwallowsAFailureOutsideOfAPartIsNotKept() {
    assertThatThrownBy(() ->
            database.inTransaction(session -> {
              increment(session, "a");
              assertThatThrownBy(() -> run(session, "NONSENSE")).isInstanceOf(SQLException.class);
              return 0;
            }))
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(counters()).containsExactly(0L, 0L);
  }

  @Test
  void manyFailedPartsInOneTransactionAreAllUndone() {
    database.inTransaction(session -> {
      for (int i = 0; i < 20; i++) { // the driver changes its ways after a few uses of a text
        assertThatThrownBy(() ->
                session.inSavepoint(part -> {
                  increment(part, "b");
                  return run(part, "INSERT INTO counter (name, n) VALUES ('a', 0)");
                }))
            .isInstanceOf(SQLException.class);
        session.inSavepoint(part -> increment(part, "a"));
      }
      return 0;
    });

    assertThat(counters()).containsExactly(20L, 0L);
  }

  @Test
  void writersOfDifferentRowsDontWaitForEachOther() throws Exception {
    Future<Integer> held = hold("a");

    assertThat(database.<Integer>inTransaction(session -> increment(session, "b"))).isOne();
    assertThat(held.isDone()).isFalse();

    mayEnd.countDown();
    assertThat(held.get()).isOne();
    assertThat(counters()).containsExactly(1L, 1L);
  }

  /// Three tests at once, as each takes seconds.
  @Test
  void oneStatementMayTakeFourSecondsAndATransactionMore() throws Exception {
    Future<Integer> held = hold("a");
    Future<?> locked =
        callers.submit(() -> assertEnded(session -> increment(session, "a"), "lock timeout"));
    Future<?> slow =
        callers.submit(
            () -> assertEnded(session -> run(session, "SELECT pg_sleep(60)"), "statement timeout"));
    Future<Integer> patient =
        callers.submit(() ->
            database.inTransaction(session -> {
              for (int i = 0; i < 3; i++) {
                session.prepare("SELECT pg_sleep(1.8)").executeQuery().close();
              }
              return increment(session, "b");
            }));

    locked.get();
    slow.get();
    assertThat(patient.get()).isOne();

    mayEnd.countDown();
    assertThat(held.get()).isOne();
    assertThat(counters()).containsExactly(1L, 1L);
  }

  private void assertEnded(TransactionCallback<Integer> work, String reason) {
    long start = System.nanoTime();

    assertThatThrownBy(() -> database.inTransaction(work))
        .isInstanceOf(DatabaseUnavailableException.class)
        .hasStackTraceContaining(reason);

    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
  }

  @Test
  void slowSnapshotsLeaveConnectionsToWriters() throws Exception {
    CountDownLatch begun = new CountDownLatch(MAX_SNAPSHOTS);
    List<Future<Integer>> slow = new ArrayList<>();
    for (int i = 0; i < MAX_SNAPSHOTS; i++) {
      slow.add(
          callers.submit(() ->
              database.inSnapshot(_ -> {
                begun.countDown();
                awaitUninterruptibly(mayEnd);
                return 0;
              })));
    }
    awaitSoon(begun);

    assertThatThrownBy(this::counters).isInstanceOf(DatabaseUnavailableException.class);
    assertThat(database.<Integer>inTransaction(session -> increment(session, "a"))).isOne();
    assertThat(database.isAvailable()).isTrue();

    mayEnd.countDown();
    for (Future<Integer> each : slow) {
      assertThat(each.get()).isZero();
    }
    assertThat(counters()).containsExactly(1L, 0L);
  }

  @Test
  void whoFindsAllConnectionsInUseIsAnsweredInTime() throws Exception {
    CountDownLatch begun = new CountDownLatch(POOL_SIZE);
    List<Future<Integer>> slow = new ArrayList<>();
    for (int i = 0; i < POOL_SIZE; i++) {
      slow.add(
          callers.submit(() ->
              database.inTransaction(_ -> {
                begun.countDown();
                awaitUninterruptibly(mayEnd);
                return 0;
              })));
    }
    awaitSoon(begun);
    long start = System.nanoTime();

    assertThatThrownBy(() -> database.inTransaction(session -> increment(session, "a")))
        .isInstanceOf(DatabaseUnavailableException.class);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));

    mayEnd.countDown();
    for (Future<Integer> each : slow) {
      assertThat(each.get()).isZero();
    }
  }

  @Test
  void theResultOfASnapshotIsNotReadAtOnce() {
    int first =
        database.inSnapshot(session -> {
          // a minute for all rows
          PreparedStatement select =
              session.prepare("SELECT i, pg_sleep(0.006) FROM generate_series(1, 10000) AS s (i)");
          try (ResultSet rows = select.executeQuery()) {
            rows.next();
            return rows.getInt(1);
          }
        });

    assertThat(first).isOne();
  }

  @Test
  void eachConnectionHasTheSameSettingsForEachUse() throws Exception {
    assertSettings(true, MAX_SNAPSHOTS, "repeatable read on 3s 4s 1min on");
    assertSettings(false, POOL_SIZE, "read committed off 3s 4s 1min on");
  }

  /// Asks as many connections at once.
  private void assertSettings(boolean snapshot, int connections, String expected) throws Exception {
    CyclicBarrier allBegan = new CyclicBarrier(connections);
    TransactionCallback<String> work =
        session -> {
          awaitAll(allBegan);
          return String.join(
              " ",
              show(session, "transaction_isolation"),
              show(session, "transaction_read_only"),
              show(session, "lock_timeout"),
              show(session, "statement_timeout"),
              show(session, "idle_in_transaction_session_timeout"),
              // the server of the tests does not wait for the disk unless it is told to
              show(session, "synchronous_commit"));
        };
    inParallel(
        connections,
        () ->
            assertThat(snapshot ? database.inSnapshot(work) : database.inTransaction(work))
                .isEqualTo(expected));
  }

  @ParameterizedTest
  @CsvSource({"off, on", "local, local", "remote_apply, remote_apply"})
  void aCommitWaitsForTheDiskAndForWhateverElseTheDatabaseSays(String byDefault, String expected)
      throws SQLException {
    String url = TestPostgres.newDatabase();
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute(
          "ALTER DATABASE \"%s\" SET synchronous_commit = %s"
              .formatted(connection.getCatalog(), byDefault));
    }
    try (Database other = Databases.open(TestPostgres.settings(url), DatabaseListener.NONE)) {
      for (int use = 0; use < 2; use++) {
        assertThat(other.<String>inTransaction(session -> show(session, "synchronous_commit")))
            .isEqualTo(expected);
      }
    }
  }

  private static String show(Session session, String setting) throws SQLException {
    try (ResultSet row = session.prepare("SHOW " + setting).executeQuery()) {
      row.next();
      return row.getString(1);
    }
  }
}
