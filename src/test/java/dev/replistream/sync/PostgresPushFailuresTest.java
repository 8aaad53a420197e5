package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.api.JsonValue;
import dev.replistream.api.Transaction;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.db.TestPostgres;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Its server fails with the state that a mutator's key names.
class PostgresPushFailuresTest extends PushFailures {
  private Database database;

  @BeforeEach
  void open() {
    database = TestDatabase.postgres(TestPostgres.newDatabase());
    TestDatabase.execute(
        database,
        """
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN RAISE EXCEPTION ''made up'' USING ERRCODE = substr(convert_from(NEW.key, ''UTF8''), 6); END'
        """);
    TestDatabase.execute(
        database,
        """
        CREATE TRIGGER fail BEFORE INSERT ON entry FOR EACH ROW
        WHEN (convert_from(NEW.key, 'UTF8') LIKE 'fail/%') EXECUTE FUNCTION fail()
        """);
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Override
  Database database() {
    return database;
  }

  private static void fail(Transaction transaction, String state) {
    transaction.put("fail/" + state, JsonValue.of(1));
  }

  @Override
  void refuse(Transaction transaction) {
    fail(transaction, "23514");
  }

  @ParameterizedTest
  @EnumSource
  void whateverTheMutatorMakesOfATransientFailureItsMutationIsNotAcknowledged(Ending ending) {
    assertThatThrownBy(() -> push(transaction -> fail(transaction, "53200"), ending))
        .isInstanceOf(DatabaseUnavailableException.class);
    nothingIsKept();
  }

  @ParameterizedTest
  @EnumSource
  void whateverTheMutatorMakesOfAConflictItIsRunAgain(Ending ending) {
    AtomicInteger attempts = new AtomicInteger();

    assertThat(
            push(
                transaction -> {
                  if (attempts.getAndIncrement() == 0) {
                    fail(transaction, "40001");
                  }
                },
                ending))
        .isEqualTo(Push.Outcome.DONE);

    assertThat(TestDatabase.number(database, "SELECT COUNT(*) FROM room")).isOne();
  }

  @ParameterizedTest
  @CsvSource({"42501", "26000", "XX000", "42P01", "0A000", "P0001", "57014", "25006"})
  void whatIsNotTheMutationsOwnFailureNeverAcknowledgesIt(String state) {
    assertThatThrownBy(() -> push(transaction -> fail(transaction, state), Ending.THROWS_ITS_OWN))
        .isInstanceOf(DatabaseUnavailableException.class);
    nothingIsKept();
  }

  @ParameterizedTest
  @CsvSource({"22001", "23505", "54000"})
  void aValueThatTheDatabaseRefusesFailsItsMutationAlone(String state) {
    assertThat(push(transaction -> fail(transaction, state), Ending.THROWS_WHAT_IT_CAUGHT))
        .isEqualTo(Push.Outcome.DONE);
    isAcknowledgedWithoutEffect();
  }
}
