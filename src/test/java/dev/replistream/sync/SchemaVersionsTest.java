package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A service that takes two versions of its application's schema.
class SchemaVersionsTest {
  private static final String REFUSAL =
      "{\"error\":\"VersionNotSupported\",\"versionType\":\"schema\"}";

  private static TestService service;

  @BeforeAll
  static void start() {
    service = TestService.start("SYNC_SCHEMA_VERSIONS", ",v2 é", "SYNC_MAX_BODY", "2000");
  }

  @AfterAll
  static void close() {
    service.close();
  }

  private static HttpReply post(String route, JsonValue body) {
    return service
        .client()
        .send(
            HttpRequest.api("POST", route)
                .by(service.client().token("alice"))
                .with("Content-Type", "application/json")
                .with(body.toJson()));
  }

  private static JsonValue push(Replica replica, String version, String key) {
    return ((JsonValue.Obj) replica.pushBody(List.of(replica.put(key, JsonValue.of(1)))))
        .with("schemaVersion", JsonValue.of(version));
  }

  private static JsonValue pull(Replica replica, String version) {
    return ((JsonValue.Obj) replica.pullBody(JsonValue.ofNull()))
        .with("schemaVersion", JsonValue.of(version));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "v2 é"})
  void whatIsListedIsTaken(String version) {
    Replica replica = Replica.of(service.client(), "alice");

    assertThat(post("/push", push(replica, version, "k" + version)).body()).isEqualTo("{}");
    assertThat(post("/pull", pull(replica, version)).body()).contains("\"k" + version + "\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {"v2", "v1", "v2 é ", "V2 é", ","})
  void anotherOneIsToldToLoadNewerCodeAndChangesNothing(String version) {
    Replica replica = Replica.of(service.client(), "alice");

    for (HttpReply reply :
        List.of(
            post("/push", push(replica, version, "never")),
            post("/pull", pull(replica, version)))) {
      assertThat(reply.status()).isEqualTo(200);
      assertThat(reply.body()).isEqualTo(REFUSAL);
    }
    assertThat(post("/pull", pull(replica, "")).body()).doesNotContain("never");
  }

  /// It comes first, and another version than 1 is no version of ours at all.
  @Test
  void theVersionOfTheProtocolCountsBefore() {
    JsonValue body =
        JsonValue.object()
            .with("pullVersion", 0)
            .with("schemaVersion", "v1")
            .with("clientID", "c")
            .build();

    assertThat(post("/pull", body).body())
        .isEqualTo("{\"error\":\"VersionNotSupported\",\"versionType\":\"pull\"}");
  }

  /// Its version would come behind what is read of it.
  @Test
  void ofAPushThatIsTooLargeTheBeginningIsTaken() {
    Replica replica = Replica.of(service.client(), "alice");
    List<JsonValue> mutations =
        List.of(
            replica.put("first", JsonValue.of("x".repeat(900))),
            replica.put("second", JsonValue.of("x".repeat(900))),
            replica.put("third", JsonValue.of("x".repeat(900))));
    // as Replicache writes it
    String body =
        "{\"profileID\":\"p\",\"clientGroupID\":%s,\"mutations\":%s,\"pushVersion\":1,\"schemaVersion\":\"v2 é\"}"
            .formatted(
                ((JsonValue.Obj) replica.pushBody(mutations)).get("clientGroupID").toJson(),
                JsonValue.array(mutations).toJson());

    HttpReply reply =
        service
            .client()
            .send(
                HttpRequest.api("POST", "/push")
                    .by(service.client().token("alice"))
                    .with("Content-Type", "application/json")
                    .with(body));

    assertThat(reply.status()).isEqualTo(413);
    assertThat(post("/pull", pull(replica, "")).body()).contains("\"first\"");
  }
}
