package dev.replistream.db;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MigrationsTest {
  @TempDir private Path directory;

  private String url(Dialect dialect) {
    return switch (dialect) {
      case SQLITE -> "jdbc:sqlite:" + directory.resolve("x.db") + "?busy_timeout=20000";
      case POSTGRESQL -> TestPostgres.newDatabase();
    };
  }

  private static void migrate(Dialect dialect, String url, String scripts) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url)) {
      Migrations.of(dialect, "/migrations/" + scripts + "/").run(connection);
      assertThat(connection.getAutoCommit()).isTrue();
    }
  }

  private static List<String> query(String url, String sql) throws SQLException {
    List<String> result = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        result.add(rows.getString(1));
      }
    }
    return result;
  }

  private static List<String> versions(String url) throws SQLException {
    return query(url, "SELECT version FROM schema_version ORDER BY version");
  }

  @ParameterizedTest
  @EnumSource
  void eachScriptIsRunOnceAndInOrder(Dialect dialect) throws SQLException {
    String url = url(dialect);

    migrate(dialect, url, "two");
    migrate(dialect, url, "two");

    assertThat(versions(url)).containsExactly("1", "2");
    assertThat(query(url, "SELECT content FROM meta WHERE name = 'a;b'")).containsExactly("12");
    assertThat(query(url, "SELECT more FROM first")).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void aScriptThatFailsIsUndoneAndTheOnesBeforeItAreKept(Dialect dialect) throws SQLException {
    String url = url(dialect);

    assertThatThrownBy(() -> migrate(dialect, url, "bad"))
        .isInstanceOf(SQLException.class)
        .hasMessageContaining("nowhere");

    assertThat(versions(url)).containsExactly("1");
    migrate(dialect, url, "two");
    assertThat(versions(url)).containsExactly("1", "2");
    assertThatThrownBy(() -> query(url, "SELECT id FROM second")).isInstanceOf(SQLException.class);
  }

  @ParameterizedTest
  @EnumSource
  void aSchemaFromTheFutureIsLeftAlone(Dialect dialect) throws SQLException {
    String url = url(dialect);
    migrate(dialect, url, "two");

    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute("INSERT INTO schema_version (version) VALUES (99)");
      Migrations today = Migrations.of(dialect);

      assertThatThrownBy(() -> today.run(connection))
          .isInstanceOf(DatabaseStartException.class)
          .hasMessageStartingWith("replistream.db.url: the database has schema 99");
    }
    assertThat(versions(url)).containsExactly("1", "2", "99");
  }

  @ParameterizedTest
  @EnumSource
  void nodesThatStartAtOnceDontCollideAndAgreeOnTheKey(Dialect dialect) throws Exception {
    String url = url(dialect);
    Set<String> keys = ConcurrentHashMap.newKeySet();

    DatabaseContractTest.inParallel(
        8,
        () -> {
          try {
            migrate(dialect, url, "two");
            keys.addAll(query(url, "SELECT content FROM meta WHERE name = 'cookie-key'"));
          } catch (SQLException e) {
            throw new AssertionError(e);
          }
        });

    assertThat(versions(url)).containsExactly("1", "2");
    assertThat(keys).hasSize(1);
    assertThat(query(url, "SELECT content FROM meta WHERE name = 'a;b'")).containsExactly("12");
  }

  @Test
  void textOnPostgresIsOrderedByItsBytesWhateverTheDatabaseSays() throws SQLException {
    String url = TestPostgres.newDatabase();
    PostgresDatabase.open(
            TestPostgres.settings(url),
            Migrations.of(Dialect.POSTGRESQL),
            DatabaseListener.NONE,
            PostgresServer.START_PATIENCE)
        .close();

    assertThat(
            query(
                url,
                """
                SELECT table_name || '.' || column_name FROM information_schema.columns
                WHERE table_schema = 'public' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'
                """))
        .isEmpty();
    assertThat(
            query(
                url,
                """
                SELECT column_name FROM information_schema.columns
                WHERE table_schema = 'public' AND data_type = 'text'
                """))
        .contains("space", "user_id", "group_id");
  }
}
