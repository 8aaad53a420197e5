package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.api.JsonValue;
import dev.replistream.data.RoomLimits;
import dev.replistream.data.Spaces;
import dev.replistream.data.TestTransactions;
import dev.replistream.db.Database;
import dev.replistream.db.TestPostgres;
import dev.replistream.rules.MutatorRegistry;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Pushes beside other writers, which only PostgreSQL has.
class PostgresPushTest {
  private static final PushRequest THREE =
      new PushRequest(
          "p1",
          "g1",
          "",
          IntStream.rangeClosed(1, 3)
              .mapToObj(id -> new Mutation(id, "c1", "increment", JsonValue.of("n").toJson()))
              .toList(),
          false);

  private static Push pushTo(Database database) {
    return new Push(
        TestTransactions.of(database),
        MutatorRegistry.of(List.of(new TestMutators()), Optional.of(true)),
        1_000,
        RoomLimits.direct(2, 3),
        TestStorage.unlimited(database),
        TestStorage.NO_FEEDBACK,
        Clock.systemUTC(),
        new SyncMetrics(Services.get(MetricsFactory.class).globalRegistry()));
  }

  /// Where many wait for each other, a push of a few mutations would else be a long one.
  @Test
  void whoHasWaitedForAnotherWriterGoesOnInTheSameTransaction() throws Exception {
    try (Database database = TestDatabase.postgres(TestPostgres.newDatabase())) {
      FlakyDatabase counted = new FlakyDatabase(database);
      Push push = pushTo(counted);

      CompletableFuture<Push.Outcome> pushed =
          database.inTransaction(session -> {
            new Spaces(session).raise(Spaces.ofUser("alice"));
            CompletableFuture<Push.Outcome> waiting =
                CompletableFuture.supplyAsync(
                    () -> push.push(TestPusher.of("alice"), THREE), Thread::startVirtualThread);
            Eventually.holds("it has waited for longer than a run", () -> hasWaited(database));
            return waiting;
          });

      assertThat(pushed.get(20, TimeUnit.SECONDS)).isEqualTo(Push.Outcome.DONE);
      assertThat(counted.transactions).hasValue(1);
    }
  }

  private static boolean hasWaited(Database database) {
    return TestDatabase.number(
            database,
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'
            AND clock_timestamp() - query_start > CAST(? AS interval)\
            """,
            PushBatch.LONGEST_RUN.multipliedBy(2).toString())
        > 0;
  }
}
