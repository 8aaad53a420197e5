package dev.replistream.db;

import static dev.replistream.db.DatabaseContractTest.awaitSoon;
import static dev.replistream.db.DatabaseContractTest.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.Eventually;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// A server that goes away, comes back, hangs, or is not there at the start. It is one of this
/// class's own.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PostgresOutageTest {
  /// What a caller may wait, and something for a busy machine.
  private static final Duration ANSWER = Duration.ofMillis(5_500);

  private static final Duration BACK = Duration.ofSeconds(15);

  private Path data;
  private EmbeddedPostgres server;
  private int port;
  private String url;

  @BeforeAll
  void start(@TempDir Path directory) throws IOException {
    data = directory.resolve("data");
    server = TestPostgres.builder().setDataDirectory(data).setCleanDataDirectory(false).start();
    port = server.getPort();
    url = server.getJdbcUrl("postgres", "postgres");
  }

  @AfterAll
  void stop() throws IOException {
    server.close();
  }

  private void startAgain() throws IOException {
    server.close(); // it is dead, and the class that started it holds a lock
    server =
        TestPostgres.builder()
            .setDataDirectory(data)
            .setCleanDataDirectory(false)
            .setPort(port)
            .start();
  }

  private static DbSettings settings(String url) {
    return new DbSettings(url, Optional.of("postgres"), Optional.empty(), 4);
  }

  private Database open() {
    return Databases.open(settings(url), DatabaseListener.NONE);
  }

  private static int write(Database database) {
    return database.inTransaction(
        session -> run(session, "UPDATE meta SET content = content WHERE name = 'epoch'"));
  }

  private static long read(Database database) {
    return database.inSnapshot(session -> count(session));
  }

  private static long count(Session session) throws SQLException {
    try (ResultSet row = session.prepare("SELECT count(*) FROM meta").executeQuery()) {
      row.next();
      return row.getLong(1);
    }
  }

  private static void assertUnavailableInTime(ThrowingCallable call) {
    long start = System.nanoTime();

    assertThatThrownBy(call).isInstanceOf(DatabaseUnavailableException.class);

    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(ANSWER);
  }

  private static void assertWorksAgain(Database database) {
    Eventually.holdsWithin(BACK, "the database is back", database::isAvailable);
    Eventually.holdsWithin(
        BACK,
        "it takes writes",
        () -> {
          try {
            return write(database) == 1 && read(database) > 0;
          } catch (DatabaseUnavailableException _) {
            return false;
          }
        });
  }

  /// Begins a transaction and a snapshot, does `outage` while they are under way, and checks that
  /// all who use the database are answered in time.
  private static void assertOutage(Database database, Outage outage) throws Exception {
    assertThat(database.isAvailable()).isTrue();
    CountDownLatch begun = new CountDownLatch(2);
    CountDownLatch away = new CountDownLatch(1);
    TransactionCallback<Long> underWay =
        session -> {
          count(session);
          begun.countDown();
          DatabaseContractTest.awaitUninterruptibly(away);
          return count(session);
        };
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> answers = new ArrayList<>();
      answers.add(
          callers.submit(() ->
              assertThatThrownBy(() -> database.inTransaction(underWay))
                  .isInstanceOf(DatabaseUnavailableException.class)));
      answers.add(
          callers.submit(() ->
              assertThatThrownBy(() -> database.inSnapshot(underWay))
                  .isInstanceOf(DatabaseUnavailableException.class)));
      awaitSoon(begun);
      outage.begin();
      long start = System.nanoTime();
      away.countDown();
      for (int i = 0; i < 8; i++) { // twice the pool
        answers.add(callers.submit(() -> assertUnavailableInTime(() -> write(database))));
        answers.add(callers.submit(() -> assertUnavailableInTime(() -> read(database))));
      }
      assertThat(database.isAvailable()).isFalse();
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(3));
      for (Future<?> each : answers) {
        each.get();
      }
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(ANSWER.plusSeconds(1));
    }
  }

  @FunctionalInterface
  private interface Outage {
    void begin() throws Exception;
  }

  @Test
  void aKilledServerIsAnsweredForAndUsedWhenItIsBack() throws Exception {
    try (Database database = open()) {
      write(database);
      assertOutage(
          database,
          () -> {
            List<ProcessHandle> processes = PostgresProcesses.of(data);
            processes.forEach(ProcessHandle::destroyForcibly);
            Eventually.holds("killed", () -> processes.stream().noneMatch(ProcessHandle::isAlive));
          });

      startAgain();

      assertWorksAgain(database);
    }
  }

  @Test
  void aServerThatHangsIsAnsweredForAndUsedWhenItGoesOn() throws Exception {
    try (Database database = open()) {
      write(database);
      try {
        assertOutage(database, () -> PostgresProcesses.suspend(data));
      } finally {
        PostgresProcesses.resume(data);
      }

      assertWorksAgain(database);
    }
  }

  @Test
  void endedConnectionsAreReplaced() throws Exception {
    try (Database database = open()) {
      write(database);
      assertThatThrownBy(() ->
              database.inTransaction(session -> {
                run(session, "UPDATE meta SET content = content WHERE name = 'epoch'");
                return run(session, "SELECT pg_terminate_backend(pg_backend_pid())");
              }))
          .isInstanceOf(DatabaseUnavailableException.class);

      assertThat(write(database)).isOne();
    }
  }

  @Test
  void aServerThatIsNotThereStopsTheStart() {
    long start = System.nanoTime();

    assertThatThrownBy(() ->
            PostgresDatabase.open(
                settings("jdbc:postgresql://127.0.0.1:1/x?password=secret"),
                Migrations.of(Dialect.POSTGRESQL),
                DatabaseListener.NONE,
                Duration.ofSeconds(1)))
        .isInstanceOf(DatabaseStartException.class)
        .hasMessageStartingWith("replistream.db.url: PostgreSQL did not answer for 1 seconds")
        .hasMessageNotContaining("secret")
        .hasMessageNotContaining("\n");

    assertThat(Duration.ofNanos(System.nanoTime() - start))
        .isBetween(Duration.ofMillis(800), Duration.ofSeconds(5));
  }

  @Test
  void aServerThatHangsStopsTheStart() throws Exception {
    try {
      PostgresProcesses.suspend(data);

      assertThatThrownBy(() ->
              PostgresDatabase.open(
                  settings(url),
                  Migrations.of(Dialect.POSTGRESQL),
                  DatabaseListener.NONE,
                  Duration.ofSeconds(2)))
          .isInstanceOf(DatabaseStartException.class)
          .hasMessageStartingWith("replistream.db.url: PostgreSQL did not answer for 2 seconds");
    } finally {
      PostgresProcesses.resume(data);
    }
  }

  @Test
  void aServerThatComesLateIsWaitedFor() throws Exception {
    PostgresProcesses.of(data).forEach(ProcessHandle::destroyForcibly);
    try (ExecutorService starter = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Database> opening = starter.submit(this::open);
      startAgain();
      try (Database database = opening.get()) {
        assertThat(write(database)).isOne();
      }
    }
  }

  @Test
  void whatTheServerRefusesStopsTheStartAtOnce() {
    long start = System.nanoTime();

    assertThatThrownBy(() ->
            Databases.open(
                settings("jdbc:postgresql://127.0.0.1:" + port + "/nobody-made-it"),
                DatabaseListener.NONE))
        .isInstanceOf(DatabaseStartException.class)
        .hasMessageStartingWith("replistream.db.url: PostgreSQL refused: ")
        .hasMessageContaining("nobody-made-it");
    assertThatThrownBy(() ->
            Databases.open(
                new DbSettings(
                    "jdbc:postgresql://127.0.0.1:" + port + "/postgres",
                    Optional.of("nobody"),
                    Optional.of("secret"),
                    4),
                DatabaseListener.NONE))
        .isInstanceOf(DatabaseStartException.class)
        .hasMessageContaining("nobody")
        .hasMessageNotContaining("secret");
    assertThatThrownBy(
            () -> Databases.open(settings("jdbc:postgresql://host:port:/x"), DatabaseListener.NONE))
        .isInstanceOf(DatabaseStartException.class)
        .hasMessage("replistream.db.url: PostgreSQL's driver can't read this URL");

    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
  }
}
