package dev.replistream.poke;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Application;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.Settings;
import dev.replistream.TestService;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.testing.junit5.ServerTest;
import io.helidon.webserver.testing.junit5.SetUpServer;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `POST /poke-user` over the wire, on a clock that stands still at a full second.
@ServerTest
class PokeHandlerTest {
  private static final String TAIL =
      ",\"message\":\"User-specific sync triggered\",\"timestamp\":\"2026-11-23T12:00:00.000Z\"}";
  private static final Clock NOON =
      Clock.fixed(Instant.parse("2026-11-23T12:00:00Z"), ZoneOffset.UTC);
  private static final Settings SETTINGS = TestService.settings("HTTP_MAX_BODY", "200000");
  private static final Application APPLICATION = new Application(SETTINGS, NOON);

  private final ServiceClient client;

  PokeHandlerTest(WebServer server) {
    client = new ServiceClient(server.port(), server.port(Application.ADMIN), SETTINGS, NOON);
  }

  @SetUpServer
  static void setUp(WebServerConfig.Builder server) {
    APPLICATION.configure(server);
  }

  @AfterAll
  static void close() {
    APPLICATION.close();
  }

  private HttpReply poke(String token, String body) {
    return client.send(HttpRequest.api("POST", "/poke-user").by(token).with(body));
  }

  private String service() {
    return client.token("a-backend", "replicache:poke");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{}", " { } ", "sync", "{\"userId\":\"alice\"}"})
  void aCallerPokesItsOwnClients(String body) {
    try (var first = client.connected("alice");
        var second = client.connected("alice");
        var other = client.connected("bob")) {
      HttpReply reply = poke(client.token("alice"), body);

      assertThat(reply.status()).isEqualTo(200);
      assertThat(reply.header("Content-Type")).isEqualTo("application/json");
      assertThat(reply.header("Access-Control-Allow-Origin")).isEqualTo("*");
      assertThat(reply.body())
          .isEqualTo("{\"success\":true,\"userId\":\"alice\",\"clientsNotified\":2" + TAIL);
      assertThat(first.expect("sync")).isEqualTo(second.expect("sync"));
      client.poke("bob");
      other.expect("sync");
    }
  }

  @Test
  void aPokeWithoutAContentLengthIsThatOfTheCaller() {
    HttpReply reply = client.send(HttpRequest.api("POST", "/poke-user").by(client.token("alice")));

    assertThat(reply.body())
        .isEqualTo("{\"success\":true,\"userId\":\"alice\",\"clientsNotified\":0" + TAIL);
  }

  @Test
  void aListOfOnesOwnIdNeedsNoScope() {
    HttpReply reply = poke(client.token("alice"), "{\"userIds\":[\"alice\",\"alice\"]}");

    assertThat(reply.body())
        .isEqualTo("{\"success\":true,\"userIds\":[\"alice\"],\"clientsNotified\":0" + TAIL);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"userId\":\"bob\"}",
        "{\"userIds\":[\"bob\"]}",
        "{\"userIds\":[\"alice\",\"bob\"]}"
      })
  void pokingOthersNeedsTheScope(String body) {
    try (var alice = client.connected("alice");
        var bob = client.connected("bob")) {
      HttpReply reply = poke(client.token("alice", "replicache:push", "replicache"), body);

      assertThat(Problems.detail(reply, 403)).contains("replicache:poke");
      client.poke("alice");
      client.poke("bob");
      long first = alice.expect("sync").stamp();
      assertThat(bob.expect("sync").stamp()).isEqualTo(first + 1);
    }
  }

  @Test
  void aServicePokesAnyUser() {
    try (var bob = client.connected("bob")) {
      HttpReply reply = poke(service(), "{\"userId\":\"bob\"}");

      assertThat(reply.body())
          .isEqualTo("{\"success\":true,\"userId\":\"bob\",\"clientsNotified\":1" + TAIL);
      bob.expect("sync");
    }
  }

  @Test
  void aServicePokesManyUsersAtOnceAndEachOnce() {
    try (var bob = client.connected("bob");
        var carol1 = client.connected("carol");
        var carol2 = client.connected("carol")) {
      HttpReply reply = poke(service(), "{\"userIds\":[\"bob\",\"carol\",\"nobody\",\"bob\"]}");

      assertThat(reply.body())
          .isEqualTo(
              "{\"success\":true,\"userIds\":[\"bob\",\"carol\",\"nobody\"],\"clientsNotified\":3"
                  + TAIL);
      long stamp = bob.expect("sync").stamp();
      assertThat(carol1.expect("sync").stamp()).isEqualTo(stamp + 1);
      assertThat(carol2.expect("sync").stamp()).isEqualTo(stamp + 1);
    }
  }

  @Test
  void aServicePokesAsManyAsAThousand() {
    HttpReply reply = poke(service(), users(1_000));

    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.json().getJsonArray("userIds")).hasSize(1_000);
  }

  @Test
  void moreThanAThousandAreRefused() {
    Problems.detail(poke(service(), users(1_001)), 400);
  }

  private static String users(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "\"user-" + i + '"')
        .collect(Collectors.joining(",", "{\"userIds\":[", "]}"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"é", "日本", "a b", "\"", "\\", "/", "\uD83D\uDE00", "x{0}'%s"})
  void aUserIdMayHoldAnyCharacter(String userId) {
    String quoted = '"' + userId.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    try (var stream = client.connected(userId)) {
      HttpReply reply = poke(service(), "{\"userId\":" + quoted + "}");

      assertThat(reply.json().getString("userId")).isEqualTo(userId);
      assertThat(reply.json().getInt("clientsNotified")).isEqualTo(1);
      stream.expect("sync");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        " sync",
        "{\"userId\"",
        "not json",
        "[]",
        "null",
        "1",
        "\"bob\"",
        "{\"user\":\"bob\"}",
        "{\"userId\":null}",
        "{\"userId\":1}",
        "{\"userId\":{}}",
        "{\"userId\":[\"bob\"]}",
        "{\"userId\":\"\"}",
        "{\"userId\":\"a\\nb\"}",
        "{\"userId\":\"a\\u0000\"}",
        "{\"userId\":\"a\\u007f\"}",
        "{\"userId\":\"a\\u0085\"}",
        "{\"userId\":\"\\ud800\"}",
        "{\"userId\":\"a\",\"userIds\":[\"b\"]}",
        "{\"userId\":\"a\",\"more\":1}",
        "{\"userId\":\"a\",\"userId\":\"b\"}",
        "{\"userIds\":\"bob\"}",
        "{\"userIds\":null}",
        "{\"userIds\":{}}",
        "{\"userIds\":[]}",
        "{\"userIds\":[\"a\",1]}",
        "{\"userIds\":[\"a\",null]}",
        "{\"userIds\":[\"a\",\"\"]}",
        "{\"userIds\":[[\"a\"]]}",
        "{} {}",
      })
  void aBodyOfAnotherFormIsRefused(String body) {
    assertThat(Problems.detail(poke(service(), body), 400)).isNotEmpty();
  }

  @Test
  void aUserIdOf129CharactersIsRefusedAndOneOf128IsNot() {
    assertThat(poke(service(), "{\"userId\":\"" + "a".repeat(128) + "\"}").status()).isEqualTo(200);
    Problems.detail(poke(service(), "{\"userId\":\"" + "a".repeat(129) + "\"}"), 400);
  }

  @Test
  void aBodyThatNestsTooDeepIsRefused() {
    Problems.detail(poke(service(), "{\"userId\":" + "[".repeat(90_000)), 400);
  }

  @Test
  void aBodyThatIsNotUtf8IsRefused() {
    try (var connection = client.connect()) {
      connection.send(
          HttpRequest.api("POST", "/poke-user")
              .by(service())
              .with("Content-Length", "14")
              .toBytes());
      HttpReply reply = connection.send("{\"userId\":\"\u00ff\"}").reply();

      Problems.detail(reply, 400);
    }
  }

  @Test
  void whoMayNotPokeIsToldSoBeforeTheBodyIsLookedAt() {
    HttpReply reply = client.send(HttpRequest.api("POST", "/poke-user").with("not json"));

    Problems.detail(reply, 401);
  }
}
