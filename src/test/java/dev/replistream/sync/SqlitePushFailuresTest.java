package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.api.JsonValue;
import dev.replistream.api.Transaction;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SqlitePushFailuresTest extends PushFailures {
  @TempDir private Path directory;
  private Database database;

  @BeforeEach
  void open() {
    database = TestDatabase.sqlite(directory);
    TestDatabase.execute(
        database,
        """
        CREATE TRIGGER refuse BEFORE INSERT ON entry WHEN NEW.key = CAST('refused' AS BLOB)
        BEGIN SELECT RAISE(ABORT, 'no'); END\
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

  @Override
  void refuse(Transaction transaction) {
    transaction.put("refused", JsonValue.of(1));
  }

  @ParameterizedTest
  @EnumSource
  void whateverTheMutatorMakesOfAFullDiskItsMutationIsNotAcknowledged(Ending ending) {
    database.inTransaction(session -> {
      try (ResultSet pages =
          session.prepare("PRAGMA max_page_count = 1").executeQuery()) { // no more than there are
        return pages.next();
      } catch (SQLException e) {
        throw new AssertionError(e);
      }
    });

    assertThatThrownBy(() ->
            push(transaction -> transaction.put("a", JsonValue.of("v".repeat(900_000))), ending))
        .isInstanceOf(DatabaseUnavailableException.class)
        .hasStackTraceContaining("SQLITE_FULL");
    nothingIsKept();

    assertThat(push(transaction -> transaction.get("a"), ending)).isEqualTo(Push.Outcome.DONE);
  }
}
