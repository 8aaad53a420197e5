package dev.replistream.db;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

class FailureTest {
  private static Failure ofState(@Nullable String state) {
    return Failure.of(new SQLException("said", state));
  }

  @ParameterizedTest
  @CsvSource({
    "22001, OWN",
    "22P02, OWN",
    "23505, OWN",
    "54000, OWN",
    "40001, CONFLICT",
    "40P01, CONFLICT",
    "08006, UNAVAILABLE",
    "53100, UNAVAILABLE",
    "57P01, UNAVAILABLE",
    "57014, UNAVAILABLE",
    "25006, UNAVAILABLE",
    "XX001, UNAVAILABLE",
    "42501, UNFIT",
    "42P01, UNFIT",
    "26000, UNFIT",
    "0A000, UNFIT",
    "XX000, UNFIT",
    "25P02, UNFIT",
    "40002, UNFIT",
    "28P01, UNFIT",
    "'', UNFIT",
    ", UNFIT",
  })
  void aStateMeans(@Nullable String state, Failure failure) {
    assertThat(ofState(state)).isEqualTo(failure);
  }

  /// Of all codes only these say that it was what the statement was given.
  @ParameterizedTest
  @EnumSource(SQLiteErrorCode.class)
  void aCodeOfSqliteIsTheWorksOwnWhereItIsAboutValues(SQLiteErrorCode code) {
    boolean isOwn =
        switch (code.code & 0xff) {
          case 18, 19, 20, 25 -> true;
          default -> false;
        };

    assertThat(Failure.of(new SQLiteException("said", code)) == Failure.OWN).isEqualTo(isOwn);
  }

  @Test
  void whatSaysNothingOfTheDatabaseIsTheWorksOwn() {
    assertThat(Failure.of(new IllegalStateException("mine"))).isEqualTo(Failure.OWN);
    assertThat(Failure.of(new StackOverflowError())).isEqualTo(Failure.OWN);
    assertThat(Failure.of(new IOException("mine"))).isEqualTo(Failure.OWN);
  }

  @Test
  void theFirstTellingCauseCounts() {
    SQLException away = new SQLTransientConnectionException("away");
    SQLException unfit = new SQLException("no privilege", "42501");

    assertThat(Failure.of(new IllegalStateException(new IOException(unfit))))
        .isEqualTo(Failure.UNFIT);
    assertThat(Failure.of(new IllegalStateException(away))).isEqualTo(Failure.UNAVAILABLE);
  }

  @Test
  void whatIsNotKnownTellsLessThanItsCause() {
    SQLException conflict = new SQLException("conflict", "40001");

    assertThat(Failure.of(new SQLException("the transaction can't go on", conflict)))
        .isEqualTo(Failure.CONFLICT);
    assertThat(Failure.of(new SQLException("said", new SQLTransientConnectionException("away"))))
        .isEqualTo(Failure.UNAVAILABLE);
  }

  @Test
  void aCircleOfCausesHasAnEnd() {
    IllegalStateException one = new IllegalStateException("one");
    one.initCause(new IllegalStateException("two", one));

    assertThat(Failure.of(one)).isEqualTo(Failure.OWN);
  }
}
