package dev.replistream.db;

import static dev.replistream.db.DatabaseContractTest.awaitSoon;
import static dev.replistream.db.DatabaseContractTest.awaitUninterruptibly;
import static dev.replistream.db.DatabaseContractTest.inParallel;
import static dev.replistream.db.DatabaseContractTest.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.Eventually;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Works that wait for the one writer, and snapshots that wait for a thread.
class SqliteGroupsTest {
  @TempDir private Path directory;
  private final RecordingListener listener = new RecordingListener();
  private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
  private final CountDownLatch mayEnd = new CountDownLatch(1);
  private Database database;

  @BeforeEach
  void open() {
    database = SqliteFiles.open(directory.resolve("x.db"), listener);
    database.inTransaction(session ->
        run(session, "CREATE TABLE counter (name TEXT PRIMARY KEY, n BIGINT CHECK (n >= 0))"));
    listener.clear();
  }

  @AfterEach
  void close() {
    mayEnd.countDown();
    callers.close();
    database.close();
  }

  private void reopen(Duration patience) {
    database.close();
    database = SqliteFiles.open(directory.resolve("x.db"), patience);
  }

  private static int insert(Session session, String name, long n) throws SQLException {
    return run(session, "INSERT INTO counter (name, n) VALUES (?, ?)", name, n);
  }

  /// Makes the disk full, as far as this connection knows.
  private static int allowNoMorePages(Session session) throws SQLException {
    session.prepare("PRAGMA max_page_count = 1").executeQuery().close(); // no less than there are
    return 0;
  }

  private static int insertBigRow(Session session) throws SQLException {
    return run(session, "INSERT INTO counter (name, n) VALUES (hex(randomblob(20000)), 1)");
  }

  private long count() {
    return database.inSnapshot(session -> {
      try (ResultSet row = session.prepare("SELECT count(*) FROM counter").executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    });
  }

  /// Keeps the writer busy until {@link #mayEnd}.
  private Future<Integer> holdTheWriter() throws InterruptedException {
    return holdTheWriter(session -> insert(session, "held", 1));
  }

  private Future<Integer> holdTheWriter(TransactionCallback<Integer> work)
      throws InterruptedException {
    CountDownLatch begun = new CountDownLatch(1);
    Future<Integer> held =
        callers.submit(() ->
            database.inTransaction(session -> {
              begun.countDown();
              awaitUninterruptibly(mayEnd);
              return work.run(session);
            }));
    awaitSoon(begun);
    return held;
  }

  /// Starts transactions and waits till all of them wait for the writer.
  private List<Future<Integer>> submit(int count, TransactionCallback<Integer> work) {
    List<Future<Integer>> futures = new ArrayList<>();
    List<Thread> started = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int n = i;
      futures.add(
          callers.submit(() -> {
            synchronized (started) {
              started.add(Thread.currentThread());
            }
            return database.inTransaction(session -> {
              insert(session, "a" + n, 1);
              return work.run(session);
            });
          }));
    }
    Eventually.holds(
        "all wait",
        () -> {
          synchronized (started) {
            return started.size() == count
                && started.stream().allMatch(each -> each.getState() == Thread.State.TIMED_WAITING);
          }
        });
    return futures;
  }

  @Test
  void worksThatWaitShareACommit() throws Exception {
    Future<Integer> held = holdTheWriter();
    List<Future<Integer>> waiting = submit(20, _ -> 7);

    mayEnd.countDown();

    assertThat(held.get()).isEqualTo(1);
    for (Future<Integer> each : waiting) {
      assertThat(each.get()).isEqualTo(7);
    }
    assertThat(count()).isEqualTo(21);
    assertThat(listener.groups().stream().mapToInt(Integer::intValue).sum()).isEqualTo(21);
    assertThat(listener.groups()).hasSizeLessThanOrEqualTo(3);
  }

  @Test
  void aWorkThatFailsInAGroupHarmsNobodyElse() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    Future<Integer> held = holdTheWriter();
    List<Future<Integer>> waiting =
        submit(
            20,
            session ->
                switch (calls.getAndIncrement() % 4) {
                  case 0 -> insert(session, "refused", -1);
                  case 1 -> throw new IllegalStateException("mine");
                  default -> 7;
                });

    mayEnd.countDown();

    assertThat(held.get()).isEqualTo(1);
    int failures = 0;
    for (Future<Integer> each : waiting) {
      try {
        assertThat(each.get()).isEqualTo(7);
      } catch (ExecutionException e) {
        assertThat(e.getCause())
            .isInstanceOfAny(StatementFailedException.class, IllegalStateException.class);
        failures++;
      }
    }
    assertThat(failures).isEqualTo(10);
    assertThat(count()).isEqualTo(11);
    assertThat(listener.groups()).hasSizeLessThanOrEqualTo(3);
  }

  @Test
  void aFullDiskFailsTheWholeGroupAndTheNextOneHasAnotherTry() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    var _ = holdTheWriter(SqliteGroupsTest::allowNoMorePages);
    List<Future<Integer>> waiting =
        submit(10, session -> calls.getAndIncrement() == 9 ? insertBigRow(session) : 7);

    mayEnd.countDown();

    int failures = 0;
    for (Future<Integer> each : waiting) {
      try {
        assertThat(each.get()).isEqualTo(7);
      } catch (ExecutionException e) {
        assertThat(e)
            .hasCauseInstanceOf(DatabaseUnavailableException.class)
            .hasStackTraceContaining("SQLITE_FULL");
        failures++;
      }
    }
    assertThat(failures).isGreaterThan(1); // 10, unless the first of them made a group before
    assertThat(count()).isEqualTo(10 - failures);
    assertThat(database.isAvailable()).isTrue();
    assertThat(database.<Integer>inTransaction(SqliteGroupsTest::insertBigRow)).isOne();
  }

  @Test
  void aWorkThatSwallowsAFullDiskIsNotKept() {
    assertThatThrownBy(() ->
            database.inTransaction(session -> {
              insert(session, "before", 1);
              allowNoMorePages(session);
              assertThatThrownBy(() -> insertBigRow(session)).hasMessageContaining("SQLITE_FULL");
              return 0;
            }))
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(count()).isZero();
  }

  @Test
  void aWorkThatWaitedTooLongIsNeverRun() throws Exception {
    reopen(Duration.ofMillis(300));
    AtomicBoolean ran = new AtomicBoolean();
    Future<Integer> held = holdTheWriter();

    assertThatThrownBy(() ->
            database.inTransaction(_ -> {
              ran.set(true);
              return 0;
            }))
        .isInstanceOf(DatabaseUnavailableException.class)
        .hasMessageContaining("busy");

    mayEnd.countDown();
    assertThat(held.get()).isEqualTo(1); // it ran on for longer than others may wait
    assertThat(database.<Integer>inTransaction(session -> insert(session, "next", 1))).isOne();
    assertThat(ran).isFalse();
  }

  @Test
  void anInterruptedCallerGivesUpAWorkThatWaits() throws Exception {
    AtomicBoolean ran = new AtomicBoolean();
    Future<Integer> held = holdTheWriter();
    Future<Boolean> caller =
        callers.submit(() -> {
          Thread.currentThread().interrupt();
          assertThatThrownBy(() ->
                  database.inTransaction(_ -> {
                    ran.set(true);
                    return 0;
                  }))
              .isInstanceOf(DatabaseUnavailableException.class);
          return Thread.interrupted();
        });

    assertThat(caller.get()).isTrue();

    mayEnd.countDown();
    held.get();
    database.inTransaction(session -> insert(session, "next", 1));
    assertThat(ran).isFalse();
  }

  @Test
  void anInterruptedCallerIsStillToldHowItsWorkEnded() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    Future<Boolean> interrupted =
        callers.submit(() -> {
          Thread caller = Thread.currentThread();
          int count =
              database.inTransaction(session -> {
                begun.countDown();
                caller.interrupt();
                awaitUninterruptibly(mayEnd);
                return insert(session, "a", 1);
              });
          assertThat(count).isOne();
          return Thread.interrupted();
        });
    awaitSoon(begun);

    mayEnd.countDown();

    assertThat(interrupted.get()).isTrue();
    assertThat(count()).isOne();
    database.inTransaction(_ -> {
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
      return 0;
    });
  }

  @Test
  void anInterruptOfOneCallerReachesNoOtherWork() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    AtomicBoolean reached = new AtomicBoolean();
    Future<Integer> interrupted =
        callers.submit(() -> {
          Thread caller = Thread.currentThread();
          return database.inTransaction(_ -> {
            begun.countDown();
            awaitUninterruptibly(mayEnd);
            caller.interrupt();
            Eventually.holds("it arrives", () -> Thread.currentThread().isInterrupted());
            return 1;
          });
        });
    awaitSoon(begun);
    List<Future<Integer>> others =
        submit(
            5,
            _ -> {
              reached.compareAndSet(false, Thread.currentThread().isInterrupted());
              return 7;
            });

    mayEnd.countDown();

    assertThat(interrupted.get()).isOne();
    for (Future<Integer> each : others) {
      assertThat(each.get()).isEqualTo(7);
    }
    assertThat(reached).isFalse();
  }

  @Test
  void moreThanMayWaitAreRefusedAtOnce() throws Exception {
    Future<Integer> held = holdTheWriter();
    AtomicInteger refused = new AtomicInteger();
    AtomicInteger kept = new AtomicInteger();
    List<Future<?>> futures = new ArrayList<>();
    for (int i = 0; i < 17_000; i++) {
      futures.add(
          callers.submit(() -> {
            try {
              kept.addAndGet(database.inTransaction(_ -> 1));
            } catch (DatabaseUnavailableException _) {
              refused.incrementAndGet();
            }
          }));
    }
    Eventually.holds("some are refused", () -> refused.get() == 17_000 - 16_384);

    mayEnd.countDown();

    held.get();
    for (Future<?> each : futures) {
      each.get();
    }
    assertThat(kept.get()).isEqualTo(16_384);
  }

  @Test
  void slowSnapshotsKeepNeitherWritersNorTheFileWaiting() throws Exception {
    reopen(Duration.ofMillis(300));
    CountDownLatch begun = new CountDownLatch(SqliteReaders.MAX_SNAPSHOTS);
    List<Future<Long>> slow = new ArrayList<>();
    for (int i = 0; i < SqliteReaders.MAX_SNAPSHOTS; i++) {
      slow.add(
          callers.submit(() ->
              database.inSnapshot(session -> {
                try (ResultSet row =
                    session.prepare("SELECT count(*) FROM counter").executeQuery()) {
                  row.next();
                  begun.countDown();
                  awaitUninterruptibly(mayEnd);
                  return row.getLong(1);
                }
              })));
    }
    awaitSoon(begun);

    assertThat(database.<Integer>inTransaction(session -> insert(session, "a", 1))).isOne();
    assertThatThrownBy(this::count).isInstanceOf(DatabaseUnavailableException.class);
    assertThat(database.isAvailable()).isTrue();

    mayEnd.countDown();
    for (Future<Long> each : slow) {
      assertThat(each.get()).isZero();
    }
    assertThat(count()).isOne();
  }

  @Test
  void manyWritersTakeFewCommits() throws Exception {
    int writers = 64;
    int rounds = 50;
    AtomicInteger number = new AtomicInteger();
    long start = System.nanoTime();

    inParallel(
        writers,
        () -> {
          for (int i = 0; i < rounds; i++) {
            database.inTransaction(session -> insert(session, "n" + number.getAndIncrement(), 1));
          }
        });

    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
    assertThat(count()).isEqualTo((long) writers * rounds);
    assertThat(listener.groups()).hasSizeLessThan(writers * rounds / 2);
  }
}
