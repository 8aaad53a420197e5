package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.LogCapture;
import dev.replistream.api.JsonValue;
import dev.replistream.api.Mutators;
import dev.replistream.api.RejectedException;
import dev.replistream.api.Transaction;
import dev.replistream.data.RoomLimits;
import dev.replistream.data.TestTransactions;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.rules.MutatorRegistry;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Pushes whose statements fail beneath their mutators.
abstract class PushFailures {
  /// The database of the test, empty at its begin.
  abstract Database database();

  /// How a mutator ends after it has caught the failure of a statement.
  enum Ending {
    RETURNS,
    REJECTS,
    THROWS_ITS_OWN,
    OVERFLOWS,
    THROWS_WHAT_IT_CAUGHT,
    GOES_ON
  }

  private static Transaction end(Transaction transaction, RuntimeException caught, Ending ending) {
    return switch (ending) {
      case RETURNS -> transaction;
      case REJECTS -> throw new RejectedException("my decision");
      case THROWS_ITS_OWN -> throw new IllegalStateException("mine");
      case OVERFLOWS -> throw new StackOverflowError();
      case THROWS_WHAT_IT_CAUGHT -> throw caught;
      case GOES_ON -> {
        transaction.put("after", JsonValue.of(1)); // fails too, where the transaction is broken
        yield transaction;
      }
    };
  }

  final Push.Outcome push(Consumer<Transaction> failing, Ending ending) {
    Mutators mutators =
        () ->
            Map.of(
                "fail",
                (transaction, _) -> {
                  transaction.createRoom("plan");
                  try {
                    failing.accept(transaction);
                  } catch (RuntimeException caught) {
                    end(transaction, caught, ending);
                  }
                });
    Push push =
        new Push(
            TestTransactions.of(database()),
            MutatorRegistry.of(List.of(mutators), Optional.of(true)),
            1_000_000,
            RoomLimits.direct(10, 10),
            TestStorage.unlimited(database()),
            TestStorage.NO_FEEDBACK,
            Clock.systemUTC(),
            new SyncMetrics(Services.get(MetricsFactory.class).globalRegistry()));
    return push.push(
        TestPusher.of("alice"),
        new PushRequest("p1", "g1", "", List.of(new Mutation(1, "c1", "fail", "null")), false));
  }

  private long lastMutationID() {
    return TestDatabase.number(
        database(), "SELECT COALESCE(MAX(last_mutation_id), 0) FROM client WHERE id = 'c1'");
  }

  final void nothingIsKept() {
    assertThat(lastMutationID()).isZero();
    assertThat(TestDatabase.number(database(), "SELECT COUNT(*) FROM room")).isZero();
  }

  final void isAcknowledgedWithoutEffect() {
    assertThat(lastMutationID()).isOne();
    assertThat(TestDatabase.number(database(), "SELECT COUNT(*) FROM room")).isZero();
  }

  @ParameterizedTest
  @EnumSource
  void whateverTheMutatorMakesOfADatabaseThatIsUnfitItsMutationIsNotAcknowledged(Ending ending) {
    TestDatabase.execute(database(), "ALTER TABLE entry RENAME TO entry_away");
    try (LogCapture log = new LogCapture()) {
      assertThatThrownBy(() -> push(transaction -> transaction.get("a"), ending))
          .isInstanceOf(DatabaseUnavailableException.class);

      assertThat(log.lines("database-unfit")).singleElement().asString().contains("entry");
      assertThat(log.lines("mutation-")).isEmpty();
    } finally {
      TestDatabase.execute(database(), "ALTER TABLE entry_away RENAME TO entry");
    }
    nothingIsKept();

    assertThat(push(transaction -> transaction.get("a"), ending)).isEqualTo(Push.Outcome.DONE);
    assertThat(lastMutationID()).isOne();
  }

  /// A statement that was refused for its values.
  abstract void refuse(Transaction transaction);

  @ParameterizedTest
  @EnumSource
  void aRefusedStatementIsTheMutationsOwnFailureWhateverItsMutatorMakesOfIt(Ending ending) {
    try (LogCapture log = new LogCapture()) {
      assertThat(push(this::refuse, ending)).isEqualTo(Push.Outcome.DONE);

      assertThat(log.lines("mutation-failed"))
          .singleElement()
          .asString()
          .contains("reason=\"SQL state ");
    }
    isAcknowledgedWithoutEffect();
  }

  @Test
  void aTransactionThatAMutatorKeptDoesNothingOnceTheMutatorHasEnded() {
    AtomicReference<Transaction> kept = new AtomicReference<>();
    push(transaction -> kept.set(transaction.unrestricted()), Ending.RETURNS);

    assertThatThrownBy(() -> kept.get().put("plan", "late", JsonValue.of(1)))
        .isInstanceOf(IllegalStateException.class);
    assertThat(TestDatabase.number(database(), "SELECT COUNT(*) FROM entry")).isZero();
  }

  @Test
  void aTransactionIsForTheThreadOfItsMutatorAlone() {
    List<Throwable> thrown = new CopyOnWriteArrayList<>();
    push(
        transaction -> {
          Thread other = Thread.ofVirtual().unstarted(() -> transaction.get("plan", "n"));
          other.setUncaughtExceptionHandler((_, e) -> thrown.add(e));
          other.start();
          try {
            other.join();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
        },
        Ending.RETURNS);

    assertThat(thrown).singleElement().isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aMutatorThatIsRejectedByTheTransactionItselfHasFailedNoStatement() {
    assertThat(
            push(transaction -> transaction.put("elsewhere", "a", JsonValue.of(1)), Ending.RETURNS))
        .isEqualTo(Push.Outcome.DONE);

    assertThat(lastMutationID()).isOne();
    assertThat(TestDatabase.number(database(), "SELECT COUNT(*) FROM room")).isOne();
  }
}
