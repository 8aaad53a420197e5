package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.LogCapture;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import dev.replistream.db.PostgresProcesses;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// A service whose PostgreSQL is stopped and started again, or breaks in the middle of an answer.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DatabaseAwayTest {
  private static final JsonValue ONE = JsonValue.of(1);

  /// What a caller may wait, and something for a busy machine.
  private static final Duration ANSWER = Duration.ofMillis(5_500);

  /// What a probe may wait, in the same way.
  private static final Duration READY = Duration.ofMillis(2_800);

  /// What PostgreSQL may take to start, in the same way.
  private static final Duration START = Duration.ofMinutes(1);

  private Path data;
  private EmbeddedPostgres server;
  private TestService service;
  private ServiceClient client;

  @BeforeAll
  void start(@TempDir Path directory) throws IOException {
    data = directory.resolve("data");
    server = builder().start();
    service =
        TestService.start(
            "DB_URL", server.getJdbcUrl("postgres", "postgres"), "DB_USER", "postgres");
    client = service.client();
  }

  private EmbeddedPostgres.Builder builder() {
    return EmbeddedPostgres.builder()
        .setPGStartupWait(START)
        .setDataDirectory(data)
        .setCleanDataDirectory(false);
  }

  @AfterAll
  void stop() throws IOException {
    service.close();
    server.close();
  }

  private static <T> T within(Duration limit, Supplier<T> request) {
    long start = System.nanoTime();
    T reply = request.get();
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(limit);
    return reply;
  }

  private int ready() {
    return client.admin("/health/ready").status();
  }

  @Test
  void whileTheDatabaseIsAwayPushAndPullSaySoAndAllElseGoesOn() throws IOException {
    Replica replica = Replica.of(client, "alice");
    replica.push(replica.put("before", ONE));
    replica.pull();
    assertThat(ready()).isEqualTo(200);
    try (LogCapture _ = new LogCapture();
        StreamClient stream = client.connected("alice")) {
      int port = server.getPort();
      server.close();

      JsonValue pending = replica.put("during", ONE);
      assertAway(replica, pending, stream);

      server = builder().setPort(port).start();
      Eventually.holds("it is ready again", () -> ready() == 200);
      replica.push(pending);
      stream.expect("sync");
    }
    replica.pull();
    assertThat(replica.view()).containsOnlyKeys("before", "during");
    assertThat(replica.acknowledged()).isEqualTo(2);
  }

  @Test
  void aDatabaseThatHangsIsAsGoodAsAwayTillItGoesOn() throws Exception {
    Replica replica = Replica.of(client, "carol");
    replica.push(replica.put("before", ONE));
    replica.pull();
    assertThat(ready()).isEqualTo(200);
    try (LogCapture _ = new LogCapture();
        StreamClient stream = client.connected("carol")) {
      JsonValue pending = replica.put("during", ONE);
      try {
        PostgresProcesses.suspend(data);

        assertAway(replica, pending, stream);
      } finally {
        PostgresProcesses.resume(data);
      }

      Eventually.holds("it is ready again", () -> ready() == 200);
      Eventually.holds("it takes pushes again", () -> replica.send(pending).status() == 200);
      stream.expect("sync");
    }
    replica.pull();
    assertThat(replica.view()).containsOnlyKeys("before", "during");
    assertThat(replica.acknowledged()).isEqualTo(2);
  }

  /// Checks that all is answered in time, and what needs no database goes on.
  private void assertAway(Replica replica, JsonValue push, StreamClient stream) {
    String user = replica.userId;
    HttpRequest create = HttpRequest.api("POST", "/rooms").by(client.token(user));
    assertThat(within(READY, this::ready)).isEqualTo(503);
    for (HttpReply reply :
        List.of(
            within(ANSWER, () -> replica.send(push)),
            within(ANSWER, () -> replica.sendPull(replica.cookie())),
            within(
                ANSWER, () -> client.send(HttpRequest.api("GET", "/rooms").by(client.token(user)))),
            within(ANSWER, () -> client.send(create.with("{\"id\":\"plan\"}"))))) {
      Problems.detail(reply, 503);
      assertThat(reply.header("Retry-After")).isEqualTo("1");
    }
    assertThat(client.admin("/health/live").status()).isEqualTo(200);
    assertThat(client.poke(user)).isEqualTo(1);
    stream.expect("sync");
  }

  @Test
  void anAnswerThatTheDatabaseBreaksIsCutAndNeverLooksWhole() throws SQLException {
    try (Connection connection = server.getPostgresDatabase().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("INSERT INTO space (id, version, compacted) VALUES ('u/rich', 1, 0)");
      statement.execute(
          """
          INSERT INTO entry (space, key, born, version, value, changed_at)
          SELECT 'u/rich', convert_to('key' || i, 'UTF8'), 1, 1,
          convert_to('"' || repeat('x', 200) || '"', 'UTF8'), 0 FROM generate_series(1, 200000) i
          """);
      statement.execute("ANALYZE entry"); // else a busy server sorts for longer than a pull waits
      Replica replica = Replica.of(client, "rich");
      try (LogCapture log = new LogCapture();
          HttpConnection pull = new HttpConnection(service.application().port(), 1 << 16)) {
        pull.send(
            HttpRequest.api("POST", "/pull")
                .by(client.token("rich"))
                .with(replica.pullBody(JsonValue.ofNull()).toJson())
                .toBytes());
        assertThat(pull.head()).startsWith("HTTP/1.1 200").contains("chunked");
        assertThat(terminate(statement)).isPositive(); // it goes on reading, into a file

        String rest = new String(pull.rest(), StandardCharsets.UTF_8);

        assertThat(rest.contains("\"op\":\"clear\"")).isTrue();
        assertThat(rest.endsWith("0\r\n\r\n")).isFalse();
        assertThat(log.lines("answer-cut")).hasSize(1);
      }
      Eventually.holds("it serves", () -> replica.sendPull(JsonValue.ofNull()).status() == 200);
    }
  }

  private static int terminate(Statement statement) throws SQLException {
    try (ResultSet row =
        statement.executeQuery(
            """
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE state <> 'idle' AND query LIKE '%FROM entry%' AND pid <> pg_backend_pid()
            """)) {
      row.next();
      return row.getInt(1);
    }
  }
}
