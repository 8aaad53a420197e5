package dev.replistream.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Application;
import dev.replistream.HttpConnection;
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
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The routes of the service as a whole: which there are, and with which methods.
@ServerTest
class RoutesTest {
  private static final Settings SETTINGS = TestService.settings();
  private static final Application APPLICATION = new Application(SETTINGS, Clock.systemUTC());

  private final ServiceClient client;

  RoutesTest(WebServer server) {
    client =
        new ServiceClient(
            server.port(), server.port(Application.ADMIN), SETTINGS, Clock.systemUTC());
  }

  @SetUpServer
  static void setUp(WebServerConfig.Builder server) {
    APPLICATION.configure(server);
  }

  @AfterAll
  static void close() {
    APPLICATION.close();
  }

  static Stream<Arguments> methodsThatARouteDoesNotTake() {
    return Stream.of("/stream", "/events", "/stats", "/poke-user", "/ticket")
        .flatMap(route -> {
          String allowed = List.of("/poke-user", "/ticket").contains(route) ? "POST" : "GET";
          return Stream.of("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
              .filter(method -> !method.equals(allowed))
              .map(method -> Arguments.of(method, route, allowed));
        });
  }

  @ParameterizedTest
  @MethodSource("methodsThatARouteDoesNotTake")
  void anotherMethodIsAnsweredWithThoseAllowed(String method, String route, String allowed) {
    HttpReply reply = client.send(HttpRequest.api(method, route).by(client.token("alice")));

    assertThat(Problems.detail(reply, 405)).contains(method, route);
    assertThat(reply.header("Allow")).isEqualTo(allowed);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/nothing",
        "/api/v1/replicache",
        "/api/v1/replicache/",
        "/api/v1/replicache/stats/",
        "/api/v1/replicache/stats/x",
        "/api/v1/replicache/Stats",
        "/api/v2/replicache/stats",
        "/metrics",
        "/health/ready",
      })
  void whatIsNoRouteIsNotFound(String path) {
    HttpReply reply = client.send(HttpRequest.of("GET", path).by(client.token("alice")));

    Problems.detail(reply, 404);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/api/v1/replicache/stats", "/api/v1/replicache/stream", "/nothing"})
  void anAnswerToHeadHasNoBodyThatWouldStandBeforeTheNextAnswer(String path) {
    try (HttpConnection connection = client.connect()) {
      connection.send(HttpRequest.of("HEAD", path).toBytes());
      HttpReply head = connection.replyWithoutBody();
      connection.send(HttpRequest.api("GET", "/stats").by(client.token("alice")).toBytes());
      HttpReply stats = connection.reply();

      assertThat(head.status()).isIn(404, 405);
      assertThat(head.header("Content-Length")).isNotEqualTo("0");
      assertThat(stats.status()).isEqualTo(200);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/stream", "/events", "/stats", "/poke-user", "/ticket"})
  void noRouteServesACallerThatShowsNothing(String route) {
    String method = List.of("/poke-user", "/ticket").contains(route) ? "POST" : "GET";

    HttpReply reply = client.send(HttpRequest.api(method, route));

    Problems.detail(reply, 401);
    assertThat(reply.header("WWW-Authenticate")).isEqualTo("Bearer");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/stream", "/events", "/stats", "/poke-user", "/ticket"})
  void noRouteServesACallerWhoseTokenIsNotGood(String route) {
    String method = List.of("/poke-user", "/ticket").contains(route) ? "POST" : "GET";
    String forged = client.token("alice").replaceAll(".$", "").concat("-");

    HttpReply reply = client.send(HttpRequest.api(method, route).by(forged));

    Problems.detail(reply, 401);
    assertThat(reply.header("WWW-Authenticate")).startsWith("Bearer error=\"invalid_token\"");
    assertThat(reply.toString()).doesNotContain(forged);
  }

  @Test
  void statsNameTheCallerAndCountHisConnectionsAndAll() {
    try (var _ = client.connected("stats-of-one");
        var _ = client.connected("stats-of-one");
        var _ = client.connected("stats-of-another")) {
      HttpReply reply =
          client.send(HttpRequest.api("GET", "/stats").by(client.token("stats-of-one")));

      assertThat(reply.status()).isEqualTo(200);
      assertThat(reply.header("Content-Type")).isEqualTo("application/json");
      assertThat(reply.header("Access-Control-Allow-Origin")).isEqualTo("*");
      assertThat(reply.body())
          .matches(
              "\\{\"userId\":\"stats-of-one\",\"userConnections\":2,\"totalConnections\":3,"
                  + "\"timestamp\":\"\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z\"}");
    }
  }
}
