package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Application;
import dev.replistream.AtOnce;
import dev.replistream.Eventually;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.ServerSentEvent;
import dev.replistream.ServiceClient;
import dev.replistream.Settings;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.testing.junit5.ServerTest;
import io.helidon.webserver.testing.junit5.SetUpServer;
import jakarta.json.JsonObject;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The routes of sessions over raw HTTP: who is shown what, and what becomes of a stream that its
/// user ends. Each test has users of its own.
@ServerTest
class SessionHandlerTest {
  private static final Duration SOON = Duration.ofSeconds(1);
  private static final Settings SETTINGS = TestService.settings();
  private static final Application APPLICATION = new Application(SETTINGS, Clock.systemUTC());
  private static final AtomicInteger TESTS = new AtomicInteger();

  private final ServiceClient client;
  private final String alice = "alice" + TESTS.incrementAndGet();
  private final String eve = "eve" + TESTS.get();

  SessionHandlerTest(WebServer server) {
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

  private List<JsonObject> sessions(String user) {
    HttpReply reply = client.send(HttpRequest.api("GET", "/sessions").by(client.token(user)));
    assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
    assertThat(reply.header("Cache-Control")).isEqualTo("no-store");
    assertThat(reply.json().keySet()).containsExactly("sessions");
    return reply.json().getJsonArray("sessions").getValuesAs(JsonObject.class);
  }

  private String onlyId(String user) {
    List<JsonObject> sessions = sessions(user);
    assertThat(sessions).hasSize(1);
    return sessions.getFirst().getString("id");
  }

  private HttpReply end(String id, String user) {
    return client.send(HttpRequest.api("DELETE", "/sessions/" + id).by(client.token(user)));
  }

  private StreamClient openAs(String user, String query, String userAgent) {
    StreamClient stream =
        client.open(
            HttpRequest.api("GET", "/stream" + query)
                .by(client.token(user))
                .with("User-Agent", userAgent));
    stream.expect("connected");
    return stream;
  }

  private double closed(String reason) {
    return client
        .metrics()
        .getOrDefault("replistream_connections_closed_total{reason=\"" + reason + "\"}", -1.0);
  }

  @Test
  void aUserSeesItsOwnConnectionsTheOldestFirst() {
    Instant begin = Instant.now().minusMillis(1);
    try (StreamClient _ = openAs(alice, "?device=Kitchen%20tablet", "curl/8");
        StreamClient _ = openAs(alice, "", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0");
        StreamClient _ = openAs(alice, "", "curl/8");
        StreamClient _ = client.connected(eve)) {
      List<JsonObject> sessions = sessions(alice);

      assertThat(sessions)
          .extracting(session -> session.getString("device"))
          .containsExactly("Kitchen tablet", "Firefox on Linux", "curl");
      assertThat(sessions)
          .allSatisfy(session -> {
            assertThat(session.keySet())
                .containsExactly("id", "transport", "device", "connectedAt", "lastWriteAt");
            assertThat(session.getString("transport")).isEqualTo("sse");
            assertThat(session.getString("id")).matches("[A-Za-z0-9_-]{22}");
            for (String time : List.of("connectedAt", "lastWriteAt")) {
              assertThat(session.getString(time))
                  .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z");
              assertThat(Instant.parse(session.getString(time))).isBetween(begin, Instant.now());
            }
          });
      assertThat(sessions).extracting(session -> session.getString("id")).doesNotHaveDuplicates();
      assertThat(sessions(alice))
          .extracting(session -> session.getString("id"))
          .containsExactlyElementsOf(
              sessions.stream().map(session -> session.getString("id")).toList());
      assertThat(sessions(eve)).hasSize(1).doesNotContainAnyElementsOf(sessions);
    }
    Eventually.holdsWithin(SOON, "gone", () -> sessions(alice).isEmpty());
  }

  @Test
  void theTimeOfTheLastWriteMovesOnWithAPokeAndThatOfTheConnectionStays() {
    try (StreamClient stream = client.connected(alice)) {
      JsonObject before = sessions(alice).getFirst();
      Instant poked = Instant.now();
      client.poke(alice);
      stream.expect("sync");
      JsonObject after = sessions(alice).getFirst();

      assertThat(Instant.parse(after.getString("lastWriteAt")))
          .isAfterOrEqualTo(poked.minusMillis(2));
      assertThat(
              Duration.between(
                      Instant.parse(before.getString("connectedAt")),
                      Instant.parse(after.getString("connectedAt")))
                  .abs())
          .isLessThanOrEqualTo(Duration.ofMillis(2));
    }
  }

  @Test
  void whoEndsAConnectionEndsThatOneAndItsClientIsToldNotToComeBack() {
    double before = closed("ended");
    try (StreamClient ended = openAs(alice, "?device=old", "curl/8");
        StreamClient kept = openAs(alice, "?device=new", "curl/8")) {
      String id = sessions(alice).getFirst().getString("id");

      HttpReply reply = end(id, alice);

      assertThat(reply.status()).isEqualTo(204);
      assertThat(sessions(alice))
          .extracting(session -> session.getString("device"))
          .containsExactly("new");
      assertThat(ended.untilEnd(SOON))
          .containsExactly(new ServerSentEvent("ended", "ended", "ended-" + id));
      Eventually.holdsWithin(SOON, "counted", () -> closed("ended") == before + 1);
      assertThat(client.poke(alice)).isEqualTo(1);
      kept.expect("sync");
    }
  }

  @Test
  void whatIsPendingGoesOutBeforeTheEnd() {
    MemoryService service = new MemoryService();
    MemoryConnection memory = new MemoryConnection();
    Connection connection = service.register(alice);
    assertThat(service.manager().end(alice, connection.id())).isTrue();
    service.poke(alice);

    service.serve(connection, null, memory);

    Eventually.holds("the end", memory::hasEnded);
    assertThat(
            Stream.generate(() -> memory.poll(Duration.ofMillis(1)))
                .limit(3)
                .map(event -> event == null ? "nothing" : event.data()))
        .containsExactly("connected", "sync", "ended");
    service.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/stream", "/events"})
  void whoComesBackAllTheSameIsAnswered204ByAnyRoute(String route) {
    String id;
    try (StreamClient stream = client.connected(alice)) {
      String session = onlyId(alice);
      end(session, alice);
      id = stream.untilEnd(SOON).getLast().lastEventId();
    }
    String app = "https://app.example.com";
    String ticket = client.ticket(alice);
    HttpRequest byHeader =
        HttpRequest.api("GET", route).by(client.token(alice)).with("Last-Event-ID", id);
    HttpRequest byUrl = HttpRequest.api("GET", route + "?ticket=" + ticket + "&lastEventId=" + id);
    HttpRequest withItsFirstUrl =
        HttpRequest.api("GET", route + "?ticket=used-up&lastEventId=7f3a-1")
            .with("Last-Event-ID", id);
    for (HttpRequest request : List.of(byHeader, byUrl, withItsFirstUrl)) {
      HttpReply reply = client.send(request.with("Origin", app));

      assertThat(reply.status()).as(reply.toString()).isEqualTo(204);
      assertThat(reply.header("Access-Control-Allow-Origin")).isEqualTo("*");
    }
    assertThat(client.connections(alice)).isZero();
    try (StreamClient anew = client.connected(alice)) {
      assertThat(anew.head()).startsWith("HTTP/1.1 200");
    }
  }

  @Test
  void aStreamThatIsEndedTwiceIsGoneTheSecondTime() {
    try (StreamClient stream = client.connected(alice)) {
      String id = onlyId(alice);

      assertThat(end(id, alice).status()).isEqualTo(204);
      assertThat(Problems.detail(end(id, alice), 404)).contains("/sessions");
      assertThat(stream.untilEnd(SOON)).hasSize(1);
    }
  }

  @Test
  void nobodyEndsTheConnectionOfAnother() {
    try (StreamClient stream = client.connected(alice);
        StreamClient own = client.connected(eve)) {
      Problems.detail(end(onlyId(alice), eve), 404);

      assertThat(client.poke(alice)).isEqualTo(1);
      stream.expect("sync");
      client.poke(eve);
      own.expect("sync");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"x", "AAAAAAAAAAAAAAAAAAAAAA", "..", "%2F", "%00", "ended-1"})
  void whatIsNoIdOfAConnectionIsNotThere(String id) {
    try (StreamClient stream = client.connected(alice)) {
      Problems.detail(end(id, alice), 404);

      client.poke(alice);
      stream.expect("sync");
    }
  }

  @Test
  void whoIsNobodyIsShownNothingAndEndsNothing() {
    Problems.detail(client.send(HttpRequest.api("GET", "/sessions")), 401);
    try (StreamClient stream = client.connected(alice)) {
      Problems.detail(client.send(HttpRequest.api("DELETE", "/sessions/" + onlyId(alice))), 401);
      Problems.detail(
          client.send(HttpRequest.api("POST", "/sessions").by(client.token(alice))), 405);

      client.poke(alice);
      stream.expect("sync");
    }
  }

  @Test
  void ofManyWhoEndAConnectionAtOnceOneDid() throws Exception {
    for (int round = 0; round < 10; round++) {
      try (StreamClient stream = client.connected(alice)) {
        String id = onlyId(alice);

        List<HttpReply> replies = AtOnce.send(8, _ -> end(id, alice));

        assertThat(replies).filteredOn(reply -> reply.status() == 204).hasSize(1);
        assertThat(replies).filteredOn(reply -> reply.status() == 404).hasSize(7);
        assertThat(stream.untilEnd(SOON)).hasSize(1);
      }
      Eventually.holdsWithin(SOON, "gone", () -> client.connections(alice) == 0);
    }
  }

  @Test
  void aConnectionThatEndsByItselfMeanwhileIsCountedOnceAndLeavesNothing() throws Exception {
    int rounds = 40;
    double before = closed("ended") + closed("client-closed");
    double endedBefore = closed("ended");
    int answered = 0;
    for (int round = 0; round < rounds; round++) {
      StreamClient stream = client.connected(alice);
      String id = onlyId(alice);
      Thread leaving = Thread.startVirtualThread(stream::reset);
      int status = end(id, alice).status();
      leaving.join();

      assertThat(status).isIn(204, 404);
      answered += status == 204 ? 1 : 0;
      Eventually.holdsWithin(SOON, "gone", () -> client.connections(alice) == 0);
    }
    double expected = endedBefore + answered;
    Eventually.holds("counted", () -> closed("ended") + closed("client-closed") == before + rounds);
    assertThat(closed("ended")).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "Kitchen%20iPad, Kitchen iPad",
    "%20%20phone%20, phone",
    "%F0%9F%93%B1, \uD83D\uDCF1",
    "Jos%C3%A9+1, José 1",
  })
  void aClientMayNameItsDevice(String parameter, String label) {
    try (StreamClient _ = openAs(alice, "?device=" + parameter, "curl/8")) {
      assertThat(sessions(alice).getFirst().getString("device")).isEqualTo(label);
    }
    String longest = "x".repeat(64);
    try (StreamClient _ = openAs(eve, "?device=" + longest, "curl/8")) {
      assertThat(sessions(eve).getFirst().getString("device")).isEqualTo(longest);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "device=",
        "device",
        "device=%20",
        "device=a%00b",
        "device=a%0Ab",
        "device=a%7F",
        "device=a%C2%85b",
        "device=a%E2%80%A8b",
        "device=a&device=b",
        "device=LONG",
      })
  void aDeviceThatCanNotBeShownIsRefusedBeforeTheTicketIsUsed(String query) {
    String ticket = client.ticket(alice);
    String parameters = "?ticket=" + ticket + "&";

    HttpReply reply =
        client.send(
            HttpRequest.api("GET", "/stream" + parameters + query.replace("LONG", "x".repeat(65))));

    assertThat(Problems.detail(reply, 400)).contains("device", "64");
    assertThat(client.connections(alice)).isZero();
    try (StreamClient stream =
        client.open(HttpRequest.api("GET", "/stream" + parameters + "device=good"))) {
      stream.expect("connected");
    }
  }

  @Test
  void aHeaderThatSaysNothingMakesAnUnknownDevice() {
    try (StreamClient _ = client.connected(alice)) {
      assertThat(sessions(alice).getFirst().getString("device")).isEqualTo("unknown");
    }
    String quoted = URLEncoder.encode("\"<script>", StandardCharsets.UTF_8);
    try (StreamClient _ = openAs(eve, "?device=" + quoted, "x")) {
      assertThat(sessions(eve).getFirst().getString("device")).isEqualTo("\"<script>");
    }
  }
}
