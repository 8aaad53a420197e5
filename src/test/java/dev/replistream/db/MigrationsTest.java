package dev.replistream.db;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.HttpRequest;
import dev.replistream.ServiceClient;
import dev.replistream.TestService;
import dev.replistream.sync.Replica;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
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

      assertThatThrownBy(() -> Migrations.of(dialect).run(connection))
          .isInstanceOf(DatabaseStartException.class)
          .hasMessageStartingWith("replistream.db.url: the database has schema 99");
    }
    assertThat(versions(url)).containsExactly("1", "2", "99");
    assertThat(query(url, "SELECT more FROM first")).isEmpty();
  }

  /// The script that gives tombstones a table of their own.
  private static final int TOMBSTONES = 2;

  /// Runs the service's scripts from one on and before another, as an earlier release did.
  private static void runBefore(Dialect dialect, String url, int end) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY)");
      for (int version = 1; version < end; version++) {
        String script = Migrations.inDialect(dialect, script(version));
        for (String each : script.split(";\n", -1)) {
          if (!each.isBlank()) {
            statement.execute(each);
          }
        }
        statement.execute("INSERT INTO schema_version (version) VALUES (" + version + ")");
      }
    }
  }

  private static String script(int version) {
    try (InputStream in = MigrationsTest.class.getResourceAsStream("/db/V" + version + ".sql")) {
      return new String(requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @EnumSource
  void tombstonesOfAnEarlierReleaseAreKeptAndRoomsOfUnknownHistoryCountAsCompacted(Dialect dialect)
      throws SQLException {
    String url = url(dialect);
    runBefore(dialect, url, TOMBSTONES);
    try (Connection connection = DriverManager.getConnection(url);
        PreparedStatement insert =
            connection.prepareStatement("INSERT INTO entry VALUES (?, ?, 2, ?, ?, 7)");
        Statement statement = connection.createStatement()) {
      statement.execute("INSERT INTO space VALUES ('u/alice', 5, 1), ('r/plan', 6, 1)");
      for (String space : List.of("u/alice", "r/plan")) {
        insert.setString(1, space);
        insert.setBytes(2, new byte[] {'a'});
        insert.setLong(3, 4);
        insert.setBytes(4, new byte[] {'1'});
        insert.executeUpdate();
        insert.setBytes(2, new byte[] {'b'});
        insert.setLong(3, 3);
        insert.setBytes(4, null);
        insert.executeUpdate();
      }
      Migrations.of(dialect).run(connection);
    }

    String key = dialect == Dialect.SQLITE ? "hex(key)" : "upper(encode(key, 'hex'))";
    assertThat(
            query(
                url,
                "SELECT space || ' ' || %s || ' ' || born || ' ' || version FROM entry ORDER BY space"
                    .formatted(key)))
        .containsExactly("r/plan 61 2 4", "u/alice 61 2 4");
    assertThat(
            query(
                url,
                "SELECT space || ' ' || %s || ' ' || born || ' ' || died || ' ' || changed_at FROM tombstone ORDER BY space"
                    .formatted(key)))
        .containsExactly("r/plan 62 2 3 7", "u/alice 62 2 3 7");
    assertThat(query(url, "SELECT id || ' ' || compacted FROM space ORDER BY id"))
        .containsExactly("r/plan 6", "u/alice 1");
  }

  /// The script by which client groups know their epoch.
  private static final int EPOCHS = 4;

  @ParameterizedTest
  @EnumSource
  void clientGroupsOfAnEarlierReleaseAreOfThePresentEpoch(Dialect dialect) throws SQLException {
    String url = url(dialect);
    runBefore(dialect, url, EPOCHS);
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute("INSERT INTO meta (name, content) VALUES ('epoch', 'e1')");
      statement.execute(
          "INSERT INTO client_group (id, user_id, version, seen_at, folded_version)"
              + " VALUES ('g', 'alice', 5, 6, 0)");

      Migrations.of(dialect).run(connection);
    }

    assertThat(query(url, "SELECT epoch || ' ' || version FROM client_group"))
        .containsExactly("e1 5");
    assertThat(query(url, "SELECT group_id FROM former_epoch")).isEmpty();
  }

  /// The script that counts members and gives folded clients a row each.
  private static final int COUNTS = 5;

  @ParameterizedTest
  @EnumSource
  void membersOfAnEarlierReleaseAreCountedAndItsFoldedClientsKept(Dialect dialect)
      throws SQLException {
    String url = url(dialect);
    runBefore(dialect, url, COUNTS);
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute(
          "INSERT INTO member (room, user_id, role, since)"
              + " VALUES ('a', 'ann', 'owner', 1), ('a', 'bob', 'reader', 1), ('b', 'ann', 'owner', 1)");
      statement.execute(
          "INSERT INTO client_group (id, user_id, version, seen_at, folded, folded_version)"
              + " VALUES ('g1', 'ann', 3, 1, '{\"c1\":7,\"a \\\" b\":9007199254740991}', 2),"
              + " ('g2', 'bob', 1, 1, NULL, 0)");
      Migrations.of(dialect).run(connection);
    }

    assertThat(query(url, "SELECT space || ' ' || members FROM member_count ORDER BY space"))
        .containsExactly("r/a 2", "r/b 1", "u/ann 2", "u/bob 1");
    assertThat(
            query(
                url,
                "SELECT group_id || ' ' || id || ' ' || last_mutation_id FROM folded_client ORDER BY id"))
        .containsExactly("g1 a \" b 9007199254740991", "g1 c1 7");
    assertThat(
            query(
                url,
                "SELECT id || ' ' || version || ' ' || folded_version FROM client_group ORDER BY id"))
        .containsExactly("g1 3 2", "g2 1 0");
  }

  /// The script by which members are invited.
  private static final int CONSENT = 6;

  @ParameterizedTest
  @EnumSource
  void membersOfAnEarlierReleaseStayAndSeeWhatTheySaw(Dialect dialect) throws SQLException {
    String url = url(dialect);
    runBefore(dialect, url, CONSENT);
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        PreparedStatement insert =
            connection.prepareStatement("INSERT INTO entry VALUES ('r/plan', ?, 1, 1, ?, 7)")) {
      statement.execute("INSERT INTO room (id, created_at) VALUES ('plan', 1)");
      statement.execute("INSERT INTO space (id, version, compacted) VALUES ('r/plan', 1, 0)");
      statement.execute(
          "INSERT INTO member (room, user_id, role, since)"
              + " VALUES ('plan', 'alice', 'owner', 1), ('plan', 'bob', 'reader', 1)");
      statement.execute(
          "INSERT INTO member_count (space, members)"
              + " VALUES ('r/plan', 2), ('u/alice', 1), ('u/bob', 1)");
      insert.setBytes(1, "task".getBytes(StandardCharsets.UTF_8));
      insert.setBytes(2, "\"paint\"".getBytes(StandardCharsets.UTF_8));
      insert.executeUpdate();
    }

    String[] environment =
        dialect == Dialect.SQLITE
            ? new String[] {"DB_URL", url.substring(0, url.indexOf('?'))}
            : new String[] {"DB_URL", url, "DB_USER", "postgres"};
    try (TestService service = TestService.start(environment)) {
      ServiceClient client = service.client();
      Replica member = Replica.of(client, "bob");
      assertThat(member.pull()).contains("put task");
      assertThat(
              client
                  .send(HttpRequest.api("GET", "/rooms/plan/members").by(client.token("bob")))
                  .body())
          .contains("\"alice\"")
          .contains("\"bob\"");
      HttpRequest invite =
          HttpRequest.api("PUT", "/rooms/plan/members/carol")
              .by(client.token("alice"))
              .with("{\"role\":\"reader\"}");
      assertThat(client.send(invite).status()).isEqualTo(202);
    }
  }

  /// The script that counts what spaces take of the disk.
  private static final int STORAGE = 7;

  @ParameterizedTest
  @EnumSource
  void whatSpacesOfAnEarlierReleaseTakeIsCounted(Dialect dialect) throws SQLException {
    String url = url(dialect);
    runBefore(dialect, url, STORAGE);
    try (Connection connection = DriverManager.getConnection(url);
        PreparedStatement entry =
            connection.prepareStatement("INSERT INTO entry VALUES (?, ?, 1, 1, ?, 7)");
        PreparedStatement tombstone =
            connection.prepareStatement("INSERT INTO tombstone VALUES (?, ?, ?, 1, 7)");
        Statement statement = connection.createStatement()) {
      statement.execute("INSERT INTO space VALUES ('u/ann', 5, 1), ('r/gone', 6, 1)");
      for (String space : List.of("u/ann", "r/plan")) { // the room has no row
        entry.setString(1, space);
        entry.setBytes(2, new byte[3]);
        entry.setBytes(3, new byte[100_000]);
        entry.executeUpdate();
        entry.setBytes(2, new byte[4]);
        entry.setBytes(3, new byte[1]);
        entry.executeUpdate();
      }
      for (int died = 2; died < 5; died++) {
        tombstone.setString(1, "r/gone"); // deleted, with nobody in it
        tombstone.setInt(2, died);
        tombstone.setBytes(3, new byte[10]);
        tombstone.executeUpdate();
      }
      statement.execute(
          "INSERT INTO client_group (id, user_id, version, seen_at, folded_version, epoch)"
              + " VALUES ('g1', 'ann', 3, 1, 0, ''), ('g2', 'böb', 1, 1, 0, '')");
      statement.execute("INSERT INTO client VALUES ('c1', 'g1', 1, 1, 1), ('c2', 'g2', 1, 1, 1)");
      statement.execute("INSERT INTO folded_client VALUES ('g1', 'cü3', 1)");
      Migrations.of(dialect).run(connection);
    }

    assertThat(
            query(
                url,
                "SELECT id || ' ' || version || ' ' || compacted || ' ' || entry_bytes || ' '"
                    + " || tombstone_bytes || ' ' || client_bytes FROM space ORDER BY id"))
        .containsExactly(
            "r/gone 6 1 0 222 0",
            "r/plan 0 0 100136 0 0",
            "u/ann 5 1 100136 0 207",
            "u/böb 0 0 0 0 138");
  }

  /// The script by which rejections are kept.
  private static final int REJECTIONS = 8;

  @ParameterizedTest
  @EnumSource
  void aDatabaseOfAnEarlierReleaseKeepsRejections(Dialect dialect) throws SQLException {
    String url = url(dialect);
    runBefore(dialect, url, REJECTIONS);
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      Migrations.of(dialect).run(connection);
      statement.execute(
          "INSERT INTO rejection SELECT 'ann', 1795435200000000, content FROM (SELECT %s AS content) AS one"
              .formatted(dialect == Dialect.SQLITE ? "X'7B7D'" : "'{}'::bytea"));
    }

    assertThat(query(url, "SELECT user_id || ' ' || seq FROM rejection"))
        .containsExactly("ann 1795435200000000");
    assertThat(versions(url)).contains("8");
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
