package dev.replistream.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import dev.replistream.sync.Replica;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a restart of the service on the same database, or on another one, means for clients.
class EpochTest {
  @TempDir private Path directory;

  private TestService start(String file) {
    return TestService.start("DB_URL", "jdbc:sqlite:" + directory.resolve(file));
  }

  private static HttpReply send(TestService service, Replica replica, String route, String body) {
    return service
        .client()
        .send(HttpRequest.api("POST", route).by(service.client().token(replica.userId)).with(body));
  }

  private static JsonValue pull(TestService service, Replica replica) {
    HttpReply reply = send(service, replica, "/pull", replica.pullBody(replica.cookie()).toJson());
    assertThat(reply.status()).isEqualTo(200);
    return JsonValue.parse(reply.body());
  }

  private Replica pulled(TestService service) {
    Replica replica = Replica.of(service.client(), "alice");
    replica.push(replica.put("a", JsonValue.of(1)));
    replica.pull();
    return replica;
  }

  @Test
  void aCookieOutlivesTheService() {
    Replica replica;
    try (TestService service = start("one.db")) {
      replica = pulled(service);
    }
    try (TestService service = start("one.db")) {
      assertThat(pull(service, replica).get("cookie")).isEqualTo(replica.cookie());
    }
  }

  @Test
  void aCookieOfAnotherEpochGetsEverythingAnew() throws SQLException {
    Replica replica;
    try (TestService service = start("one.db")) {
      replica = pulled(service);
    }
    try (var connection =
            DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("one.db"));
        Statement statement = connection.createStatement()) {
      assertThat(statement.executeUpdate("UPDATE meta SET content = 'next' WHERE name = 'epoch'"))
          .isOne();
    }
    try (TestService service = start("one.db")) {
      JsonValue answer = pull(service, replica);

      assertThat(answer.get("patch").toJson()).startsWith("[{\"op\":\"clear\"}").contains("\"a\"");
      assertThat(answer.get("lastMutationIDChanges").get(replica.clientId))
          .isEqualTo(JsonValue.of(1));
      assertThat(Replica.order(answer.get("cookie")))
          .isGreaterThan(Replica.order(replica.cookie()));
    }
  }

  @Test
  void aClientOfADatabaseThatIsGoneIsClearedAndToldSoWhenItPushes() {
    Replica replica;
    try (TestService service = start("one.db")) {
      replica = pulled(service);
    }
    try (TestService service = start("two.db")) {
      JsonValue answer = pull(service, replica);
      assertThat(answer.get("patch").toJson()).isEqualTo("[{\"op\":\"clear\"}]");
      assertThat(Replica.order(answer.get("cookie")))
          .isGreaterThan(Replica.order(replica.cookie()));

      String push = replica.pushBody(java.util.List.of(replica.put("b", JsonValue.of(1)))).toJson();
      assertThat(send(service, replica, "/push", push).body())
          .isEqualTo("{\"error\":\"ClientStateNotFound\"}");
    }
  }
}
