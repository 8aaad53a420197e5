package dev.replistream.db;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What stands between the service and PostgreSQL must not take its sessions away.
class PoolerTest {
  @ParameterizedTest
  @CsvSource({
    "TRANSACTION, 1",
    "TRANSACTION, 5",
    "TRANSACTION_IN_TURN, 1",
    "TRANSACTION_IN_TURN, 2",
    "TRANSACTION_IN_TURN, 7",
  })
  void aPoolerOfTransactionsStopsTheStart(TestPooler.Mode mode, int size) throws IOException {
    try (TestPooler pooler = TestPooler.start(TestPostgres.newDatabase(), mode, size)) {
      long begin = System.nanoTime();

      assertThatThrownBy(() ->
              Databases.open(TestPostgres.settings(pooler.url()), DatabaseListener.NONE).close())
          .isInstanceOf(DatabaseStartException.class)
          .hasMessageStartingWith("replistream.db.url: ")
          .hasMessageContaining("pool_mode = session")
          .hasMessageNotContaining("\n");
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(2));
    }
  }

  @Test
  void aPoolerOfSessionsIsAsGoodAsNone() throws IOException {
    try (TestPooler pooler =
            TestPooler.start(TestPostgres.newDatabase(), TestPooler.Mode.SESSION, 12);
        Database database =
            Databases.open(TestPostgres.settings(pooler.url()), DatabaseListener.NONE)) {
      List<String> told = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        told.add(
            database.inTransaction(session -> {
              try (ResultSet row = session.prepare("SHOW synchronous_commit").executeQuery()) {
                row.next();
                return row.getString(1); // the server's own is off
              }
            }));
      }
      assertThat(told).containsOnly("on");
    }
  }

  /// As a migration may take long, and wait long for that of another node.
  @Test
  void whatIsTriedWithTheFirstConnectionIsUndone() throws IOException, SQLException {
    try (TestPooler pooler =
        TestPooler.start(TestPostgres.newDatabase(), TestPooler.Mode.SESSION, 3)) {
      PostgresServer server = new PostgresServer(TestPostgres.settings(pooler.url()));
      try (Connection connection = server.connectAtStart(Duration.ofSeconds(20))) {
        String before = settings(connection);

        server.requireSession(connection);

        assertThat(settings(connection)).isEqualTo(before);
      }
    }
  }

  private static String settings(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings")) {
      row.next();
      return row.getString(1);
    }
  }
}
