package dev.replistream.db;

import static dev.replistream.db.DatabaseContractTest.run;
import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.LogCapture;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PostgresDatabaseTest extends DatabaseContractTest {
  private static String url = "";

  @BeforeAll
  static void makeDatabase() {
    url = TestPostgres.newDatabase();
  }

  @Override
  Database connect(DatabaseListener listener) {
    return Databases.open(TestPostgres.settings(url), listener);
  }

  @Override
  Dialect dialect() {
    return Dialect.POSTGRESQL;
  }

  @Override
  void removeSchema99() {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      assertThat(statement.executeUpdate("DELETE FROM schema_version WHERE version = 99")).isOne();
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
  }

  /// The first use of a connection must not take back what was said to it when it was new.
  @Test
  void whatTheServerWasToldStaysAfterARollback() {
    try (Database fresh = connect(DatabaseListener.NONE)) {
      for (int i = 0; i < 3; i++) {
        String timeout =
            fresh.inSnapshot(session -> {
              try (ResultSet row = session.prepare("SHOW lock_timeout").executeQuery()) {
                row.next();
                return row.getString(1);
              }
            });
        assertThat(timeout).isEqualTo("3s");
      }
    }
  }

  /// The stop of the service interrupts requests that take too long, and that breaks what they
  /// read.
  @Test
  void anInterruptOfTheCallerIsNoOutageInTheLog() throws InterruptedException {
    try (LogCapture log = new LogCapture();
        Database fresh = connect(DatabaseListener.NONE)) {
      AtomicReference<Throwable> thrown = new AtomicReference<>();
      Thread caller =
          Thread.startVirtualThread(() -> {
            try {
              fresh.inTransaction(session -> run(session, "SELECT pg_sleep(60) FROM meta"));
            } catch (DatabaseUnavailableException e) {
              thrown.set(e);
            }
          });
      Eventually.holds("it waits for the server", () -> sleepers(fresh) == 1);

      caller.interrupt();
      caller.join();

      assertThat(thrown.get()).rootCause().hasMessageContaining("interrupt");
      assertThat(log.warnings()).isEmpty();
    }
  }

  private static int sleepers(Database database) {
    return database.inSnapshot(session -> {
      String sql =
          "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
              + " AND datname = current_database()";
      try (ResultSet row = session.prepare(sql).executeQuery()) {
        row.next();
        return row.getInt(1);
      }
    });
  }
}
