package dev.replistream.db;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.BeforeAll;

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
}
