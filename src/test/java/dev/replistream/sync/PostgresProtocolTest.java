package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import dev.replistream.db.TestPostgres;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PostgresProtocolTest extends ProtocolRules {
  private static TestService service;
  private static String url;

  @BeforeAll
  static void start() {
    url = TestPostgres.newDatabase();
    service =
        TestService.start(
            new TestMutators(),
            Stream.concat(Stream.of("DB_URL", url, "DB_USER", "postgres"), Arrays.stream(SETTINGS))
                .toArray(String[]::new));
  }

  @AfterAll
  static void close() {
    service.close();
  }

  @Override
  TestService service() {
    return service;
  }

  @Override
  String databaseUrl() {
    return url;
  }

  /// More entries than one statement purges in the time that it has.
  private static final int MANY = 500_000;

  @Test
  void aRoomOfAnySizeIsDeletedAtOnceAndIsInNoViewThen() {
    Replica owner = replica(alice);
    Replica member = replica(bob);
    owner.push(owner.mutation("createRoom", JsonValue.of(room)), owner.join(room, bob, "reader"));
    member.pull();
    execute(
        """
        INSERT INTO entry (space, key, born, version, value, changed_at)
        SELECT ?, convert_to('key' || i, 'UTF8'), 1, 1, convert_to('1', 'UTF8'), 0
        FROM generate_series(1, ?) AS i\
        """,
        "r/" + room,
        MANY);
    execute("ANALYZE entry"); // as the server does by itself within a minute
    long start = System.nanoTime();

    owner.push(owner.mutation("deleteRoom", JsonValue.of(room)));

    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(4));
    assertThat(member.pull()).contains("clear"); // too many changes to tell them
    assertThat(member.view()).isEmpty();
    // else the compaction has no time for other tests
    execute(
        "DELETE FROM entry WHERE space = (SELECT id FROM space WHERE id = ? FOR UPDATE)",
        "r/" + room);
  }

  /// Two writers that lock the same two rooms the other way round, again and again.
  @Test
  void rule8whatLosesAgainstAnotherPushIsTriedAgainAndNeverGivenUp() throws Exception {
    String other = room + "b";
    Replica owner = replica(alice);
    owner.push(
        owner.mutation("createRoom", JsonValue.of(room)),
        owner.mutation("createRoom", JsonValue.of(other)),
        owner.put(room, "a", JsonValue.of(0)),
        owner.put(other, "b", JsonValue.of(0)),
        owner.join(room, bob, "writer"),
        owner.join(other, bob, "writer"));
    double retriesBefore = retries();
    int rounds = 0;
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      // until the two have met in the middle at least once
      while (retries() == retriesBefore && rounds < 500) {
        rounds++;
        Future<?> forth = threads.submit(() -> increment(replica(alice), "a", "b"));
        Future<?> back = threads.submit(() -> increment(replica(bob), "b", "a"));
        forth.get(60, TimeUnit.SECONDS);
        back.get(60, TimeUnit.SECONDS);
      }
    }

    assertThat(retries()).isGreaterThan(retriesBefore);
    owner.pull();
    assertThat(owner.view())
        .containsEntry("a", JsonValue.of(2L * rounds))
        .containsEntry("b", JsonValue.of(2L * rounds));
  }

  private static void increment(Replica replica, String first, String second) {
    replica.push(
        replica.mutation("increment", JsonValue.of(first)),
        replica.mutation("increment", JsonValue.of(second)));
  }

  private double retries() {
    return client().metrics().getOrDefault("replistream_database_retries_total", 0.0);
  }
}
