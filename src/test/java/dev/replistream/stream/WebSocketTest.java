package dev.replistream.stream;

import static dev.replistream.WebSocketClient.PING;
import static dev.replistream.WebSocketClient.PONG;
import static dev.replistream.WebSocketClient.TEXT;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.LogCapture;
import dev.replistream.Problems;
import dev.replistream.ServerSentEvent;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.WebSocketClient;
import dev.replistream.poke.EventId;
import jakarta.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.assertj.core.util.introspection.PropertyOrFieldSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A WebSocket tells what a stream tells, by the same rules, and ends for the same reasons.
class WebSocketTest {
  private static final Duration SOON = Duration.ofSeconds(2);
  private static final TestService SERVICE =
      TestService.start(
          "AUTH_CLOCK_SKEW", "PT0S",
          "STREAM_PING_INTERVAL", "PT0.8S",
          "STREAM_MAX_CONNECTIONS_PER_USER", "200");

  private final ServiceClient client = SERVICE.client();

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  private double metric(String name) {
    return client.metrics().getOrDefault(name, -1.0);
  }

  private double closed(String reason) {
    return metric("replistream_connections_closed_total{reason=\"" + reason + "\"}");
  }

  private static HttpRequest since(ServiceClient client, String userId, String lastEventId) {
    return WebSocketClient.handshake("?lastEventId=" + lastEventId).by(client.token(userId));
  }

  @Test
  void framesAreTheNamesOfEvents() {
    try (WebSocketClient socket =
        client.openWebSocket(WebSocketClient.handshake("").by(client.token("names")))) {
      socket.expect(TEXT, "connected");
      client.poke("names");
      socket.expect(TEXT, "sync");
      socket.expect(TEXT, "ping");
      client.poke("names");
      socket.expect(TEXT, "sync");
    }
  }

  @Test
  void whoSaysWhatItSawLastIsToldIdsToo() {
    try (WebSocketClient socket = client.openWebSocket(since(client, "ids", ""));
        StreamClient stream = client.open(client.stream("ids"))) {
      String id = stream.expect("connected").lastEventId();
      socket.expect(TEXT, "connected " + id);
      client.poke("ids");
      socket.expect(TEXT, "sync " + stream.expect("sync").lastEventId());
      socket.expect(TEXT, "ping");
    }
  }

  @Test
  void silenceBeginsAnewWithEachEventButNotWithAPong() {
    try (WebSocketClient socket = client.connectedWebSocket("silence")) {
      long begin = System.nanoTime();
      WebSocketClient.Frame frame;
      do {
        frame = socket.send(PING, "are you there").next();
      } while (frame.opcode() == PONG);
      assertThat(frame).isEqualTo(new WebSocketClient.Frame(TEXT, "ping"));
      assertThat(Duration.ofNanos(System.nanoTime() - begin))
          .isBetween(Duration.ofMillis(700), Duration.ofSeconds(5));
    }
  }

  @Test
  void whoComesBackIsToldOnceOfWhatItMissedAndNotOfWhatItSaw() {
    String seen;
    try (WebSocketClient socket = client.connectedWebSocket("back")) {
      client.poke("back");
      seen = socket.expect("sync").lastEventId();
    }
    try (WebSocketClient socket = client.openWebSocket(since(client, "back", seen))) {
      assertThat(socket.expect("connected").lastEventId()).isEqualTo(seen);
      socket.expect(TEXT, "ping"); // and so no sync
    }
    client.poke("back");
    client.poke("back");
    try (WebSocketClient socket = client.openWebSocket(since(client, "back", seen))) {
      assertThat(socket.expect("connected").lastEventId()).isEqualTo(seen);
      assertThat(socket.expect("sync").lastEventId()).isNotEqualTo(seen);
      socket.expect(TEXT, "ping");
    }
  }

  @Test
  void anIdIsGoodForBothTransports() {
    String seen;
    try (WebSocketClient socket = client.connectedWebSocket("both")) {
      client.poke("both");
      seen = socket.expect("sync").lastEventId();
    }
    try (StreamClient stream = client.resumed("both", seen)) {
      stream.expect("ping");
      client.poke("both");
      seen = stream.expect("sync").lastEventId();
    }
    try (WebSocketClient socket = client.openWebSocket(since(client, "both", seen))) {
      socket.expect("connected");
      socket.expect("ping");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"garbage", "%00", "0-1", "x%20y", "%F0%9F%98%80"})
  void anUnknownIdMeansThatAnythingMayHaveBeenMissed(String id) {
    try (WebSocketClient socket = client.openWebSocket(since(client, "unknown", id))) {
      socket.expect("connected");
      socket.expect("sync");
      socket.expect(TEXT, "ping");
    }
  }

  @Test
  void aPokeReachesAllTransportsOfAUser() {
    List<WebSocketClient> sockets = new ArrayList<>();
    for (int i = 0; i < 100; i++) { // more than one thread serves
      sockets.add(client.connectedWebSocket("many"));
    }
    try (StreamClient stream = client.connected("many")) {
      assertThat(client.poke("many")).isEqualTo(101);

      String id = stream.expect("sync").lastEventId();
      for (WebSocketClient socket : sockets) {
        ServerSentEvent event = socket.poll(HttpConnection.PATIENCE);
        while (event != null && event.data().equals("ping")) {
          event = socket.poll(HttpConnection.PATIENCE);
        }
        assertThat(event).isEqualTo(new ServerSentEvent("message", "sync", id));
      }
    } finally {
      sockets.forEach(WebSocketClient::close);
    }
  }

  @Test
  void aClientThatLeavesWithoutACloseIsGoneSoon() {
    Eventually.holds(
        "those of other tests are gone",
        () -> client.stats("leaves").getInt("totalConnections") == 0);
    double before = closed("client-closed");
    client.connectedWebSocket("leaves").close();
    client.connectedWebSocket("leaves").reset();
    WebSocketClient half = client.connectedWebSocket("leaves");
    half.halfClose();

    Eventually.holdsWithin(SOON, "gone", () -> client.connections("leaves") == 0);
    Eventually.holdsWithin(SOON, "counted", () -> closed("client-closed") == before + 3);
  }

  @Test
  void aTokenThatExpiresClosesWith4401() {
    double before = closed("token-expired");
    String token = client.token("short", Duration.ofMillis(500)); // rounded up to a second
    try (WebSocketClient socket = client.openWebSocket(WebSocketClient.handshake("").by(token))) {
      socket.expect("connected");

      assertThat(socket.expectClose(4401)).contains("token");
      Eventually.holdsWithin(SOON, "gone", () -> client.connections("short") == 0);
      assertThat(closed("token-expired")).isEqualTo(before + 1);
      client.poke("short"); // nothing follows a close frame
      socket.sendClose(4401, "");
      socket.expectEnd(SOON);
    }
  }

  @Test
  void aBugClosesWith1011AndNothingFollowsAClose() {
    try (WebSocketClient socket = client.connectedWebSocket("bug")) {
      Connection connection = only("bug");
      connection.end(CloseReason.FAILED);
      assertThat(socket.expectClose(1011)).isNotEmpty();

      // as a poke does that found the connection before it went
      connection.offer(new SyncEvent(new EventId("e", 1_000_000), System.nanoTime()));
      socket.send(PING, "anybody there");
      socket.sendClose(1011, "");
      socket.expectEnd(SOON);
    }
  }

  private static Connection only(String userId) {
    Map<?, ?> users =
        (Map<?, ?>) PropertyOrFieldSupport.EXTRACTION.getValueOf("users", SERVICE.sseManager());
    return ((UserConnections) requireNonNull(users.get(userId))).snapshot()[0];
  }

  @Test
  void oneThatItsUserEndsClosesWith4204AndOneWhoseTokenIsRevokedWith4401() {
    ServiceClient client = SERVICE.client();
    String token = client.token("ended-user");
    try (WebSocketClient socket =
        client.openWebSocket(WebSocketClient.handshake("?device=phone").by(token))) {
      socket.expect("connected");
      JsonObject session =
          client
              .send(HttpRequest.api("GET", "/sessions").by(token))
              .json()
              .getJsonArray("sessions")
              .getJsonObject(0);
      assertThat(session.getString("transport")).isEqualTo("websocket");
      assertThat(session.getString("device")).isEqualTo("phone");

      HttpRequest end = HttpRequest.api("DELETE", "/sessions/" + session.getString("id"));
      assertThat(client.send(end.by(token)).status()).isEqualTo(204);

      socket.expectClose(4204);
    }
    try (WebSocketClient socket = client.openWebSocket(WebSocketClient.handshake("").by(token))) {
      socket.expect("connected");

      HttpRequest revoke =
          HttpRequest.api("POST", "/revoke").by(client.token("backend", "replicache:revoke"));
      assertThat(client.send(revoke.with("{\"userId\":\"ended-user\"}")).status()).isEqualTo(200);

      socket.expectClose(4401);
    }
  }

  @Test
  void aClientThatNeverAnswersACloseIsCutOff() {
    try (TestService service =
        TestService.start("AUTH_CLOCK_SKEW", "PT0S", "STREAM_WRITE_TIMEOUT", "PT0.5S")) {
      String token = service.client().token("short", Duration.ofMillis(500));
      try (WebSocketClient socket =
          service.client().openWebSocket(WebSocketClient.handshake("").by(token))) {
        socket.expectClose(4401);
        long begin = System.nanoTime();

        for (int i = 0; i < 20; i++) {
          socket.send(PING, "not yet");
        }
        socket.expectEnd(Duration.ofSeconds(5));

        assertThat(Duration.ofNanos(System.nanoTime() - begin))
            .isGreaterThan(Duration.ofMillis(300));
      }
    }
  }

  @Test
  void atTheLimitAnApiClientGetsAStatus() {
    try (TestService service = TestService.start("STREAM_MAX_CONNECTIONS_PER_USER", "2");
        StreamClient _ = service.client().connected("alice");
        WebSocketClient _ = service.client().connectedWebSocket("alice");
        HttpConnection connection = service.client().connect()) {
      HttpRequest request = WebSocketClient.handshake("").by(service.client().token("alice"));
      HttpReply reply = connection.send(request.toBytes()).reply();

      assertThat(Problems.detail(reply, 429)).contains("2 streams");
      assertThat(reply.header("Retry-After")).isEqualTo("2");
      HttpReply stream = service.client().send(service.client().stream("alice"));
      assertThat(stream.status()).isEqualTo(429);
    }
  }

  @Test
  void atTheLimitABrowserGetsAWebSocketThatIsClosedWith1013AndMayComeBackWithItsTicket() {
    try (TestService service = TestService.start("STREAM_MAX_CONNECTIONS", "1")) {
      ServiceClient client = service.client();
      HttpRequest byTicket = WebSocketClient.handshake("?ticket=" + client.ticket("bob"));
      HttpRequest byCookie =
          WebSocketClient.handshake("")
              .with("Cookie", "replistream_token=" + client.token("bob"))
              .with("Origin", "http://localhost");
      try (WebSocketClient _ = client.connectedWebSocket("alice")) {
        for (HttpRequest request : List.of(byTicket, byCookie)) {
          try (WebSocketClient socket = client.openWebSocket(request)) {
            assertThat(socket.head()).startsWith("HTTP/1.1 101 ");
            String reason = socket.expectClose(1013);
            assertThat(reason).matches("retry: \\d+");
            assertThat(Integer.parseInt(reason.substring("retry: ".length())))
                .isBetween(2_000, 8_000);
            socket.sendClose(1013, "");
            socket.expectEnd(SOON);
          }
        }
        assertThat(client.connections("bob")).isZero();
        assertThat(client.connections("alice")).isEqualTo(1);
      }
      Eventually.holds(
          "there is room", () -> client.stats("alice").getInt("totalConnections") == 0);
      try (WebSocketClient socket = client.openWebSocket(byTicket)) {
        socket.expect("connected");
      }
    }
  }

  @Test
  void aNodeThatGoesClosesWith1001AndSaysWhenToComeBack() {
    TestService service = TestService.start("STREAM_DRAIN", "PT0.5S");
    List<WebSocketClient> sockets = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      sockets.add(service.client().connectedWebSocket("user-" + i));
    }
    CompletableFuture<Void> closing = CompletableFuture.runAsync(service::close);
    List<Integer> retries = new ArrayList<>();
    for (WebSocketClient socket : sockets) {
      String reason = socket.expectClose(1001);
      assertThat(reason).startsWith("retry: ");
      retries.add(Integer.parseInt(reason.substring("retry: ".length())));
      socket.sendClose(1001, "");
      socket.expectEnd(SOON);
    }
    closing.join();

    assertThat(retries).allMatch(millis -> millis >= 2_000 && millis <= 8_000);
    assertThat(retries.stream().distinct().count()).isGreaterThan(5);
  }

  @Test
  void aNodeIsSoonGoneEvenIfNobodyAnswersItsCloses() {
    TestService service = TestService.start();
    List<WebSocketClient> sockets = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      sockets.add(service.client().connectedWebSocket("user-" + i));
    }
    long begin = System.nanoTime();

    service.close();

    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(4));
    for (WebSocketClient socket : sockets) {
      socket.expectClose(1001);
      socket.expectEnd(SOON);
    }
  }

  @Test
  void aPokeBeforeTheDrainGoesOutBeforeTheClose() {
    TestService service = TestService.start();
    try (WebSocketClient socket = service.client().connectedWebSocket("alice")) {
      service.client().poke("alice");
      service.close();

      socket.expect("sync");
      socket.expectClose(1001);
    }
  }

  @Test
  void twoThousandThatEndInAllWaysLeaveNothing() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    List<WebSocketClient> sockets = new ArrayList<>();
    try (TestService service =
            TestService.start(
                "STREAM_MAX_CONNECTIONS_PER_USER",
                "2000",
                "STREAM_PING_INTERVAL",
                "PT1M",
                "PRESENCE_GRACE",
                "PT0S");
        LogCapture log = new LogCapture()) {
      ServiceClient client = service.client();
      Map<String, Double> before = client.metrics();
      for (int i = 0; i < 2_000; i++) {
        sockets.add(client.connectedWebSocket("user-" + i % 20));
      }
      assertThat(client.stats("x").getInt("totalConnections")).isEqualTo(2_000);
      for (int i = 0; i < 20; i++) {
        assertThat(client.poke("user-" + i)).isEqualTo(100);
      }
      for (WebSocketClient socket : sockets) {
        socket.expect("sync");
        switch (random.nextInt(5)) {
          case 0 -> socket.close();
          case 1 -> socket.reset();
          case 2 -> socket.send(new byte[] {0, 0});
          case 3 -> socket.halfClose();
          default -> socket.sendClose(1000, "");
        }
      }
      Eventually.holds(
          "all have left, seed " + seed, () -> client.stats("x").getInt("totalConnections") == 0);
      sockets.forEach(WebSocketClient::close);
      assertThat(log.warnings()).as("seed %d", seed).isEmpty();
      assertThat(service.sseManager())
          .extracting("users")
          .asInstanceOf(InstanceOfAssertFactories.MAP)
          .isEmpty();
      Eventually.holds("no connection is left", () -> openWires(service) == 0);
      Eventually.holds("all are counted", () -> sum(client.metrics()) - sum(before) == 2_000);
    }
  }

  private static int openWires(TestService service) {
    return ((Collection<?>)
            PropertyOrFieldSupport.EXTRACTION.getValueOf("wires.crowd.open", service.application()))
        .size();
  }

  private static double sum(Map<String, Double> metrics) {
    return metrics.entrySet().stream()
        .filter(sample -> sample.getKey().startsWith("replistream_connections_closed_total"))
        .mapToDouble(Map.Entry::getValue)
        .sum();
  }
}
