package dev.replistream.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.db.Database;
import dev.replistream.db.Dialect;
import dev.replistream.db.TestPostgres;
import dev.replistream.sync.TestDatabase;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class JournalStoreTest {
  private static final Instant NOON = Instant.parse("2026-11-23T12:00:00Z");

  @TempDir private Path directory;

  private Database open(Dialect dialect) {
    return dialect == Dialect.SQLITE
        ? TestDatabase.sqlite(directory)
        : TestDatabase.postgres(TestPostgres.newDatabase());
  }

  private static JournalStore.Line line(String name, Instant at) {
    return new JournalStore.Line("alice", at, ("{\"name\":\"" + name + "\"}").getBytes(UTF_8));
  }

  private static void add(Database database, String name, Instant at) {
    database.inTransaction(session -> {
      new JournalStore(session).add(List.of(line(name, at)));
      return name;
    });
  }

  private static List<String> read(Database database, long after) {
    return database.inTransaction(session -> {
      JournalStore store = new JournalStore(session);
      if (store.hasToPlace()) {
        store.place();
      }
      return store.read(after, 100, 1_000_000).stream()
          .map(each ->
              each.place() + " " + new String(each.json(), UTF_8).replaceAll("\\W|name", ""))
          .toList();
    });
  }

  @Test
  void onPostgresWhatIsCommittedLaterStandsBehindWhatWasReadBefore() throws Exception {
    try (Database database = TestDatabase.postgres(TestPostgres.newDatabase());
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      CountDownLatch hasWritten = new CountDownLatch(1);
      CountDownLatch mayCommit = new CountDownLatch(1);
      Future<?> first =
          threads.submit(() ->
              database.inTransaction(session -> {
                new JournalStore(session).add(List.of(line("first", NOON)));
                hasWritten.countDown();
                await(mayCommit);
                return "first";
              }));
      hasWritten.await();
      add(database, "second", NOON);
      assertThat(read(database, 0)).containsExactly("1 second");
      add(database, "third", NOON);

      mayCommit.countDown();
      first.get();

      assertThat(read(database, 1)).containsExactly("2 first", "3 third");
      assertThat(read(database, 0)).containsExactly("1 second", "2 first", "3 third");
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatIsTooOldGoesAndNoPlaceIsGivenTwice(Dialect dialect) {
    try (Database database = open(dialect)) {
      Stream.of("a", "b").forEach(name -> add(database, name, NOON));
      add(database, "c", NOON.plusSeconds(1));

      int removed =
          database.inTransaction(session -> JournalStore.removeOlder(session, NOON.plusMillis(1)));

      assertThat(removed).isEqualTo(2);
      assertThat(read(database, 0)).containsExactly("3 c");
      long floor = database.inSnapshot(session -> new JournalStore(session).floor());
      assertThat(floor).isEqualTo(2);
      database.inTransaction(session -> JournalStore.removeOlder(session, NOON.plusSeconds(2)));
      add(database, "d", NOON.plusSeconds(3));
      assertThat(read(database, 0)).containsExactly("4 d");
      long given = database.inSnapshot(session -> new JournalStore(session).given());
      assertThat(given).isEqualTo(4);
    }
  }
}
