package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Application;
import dev.replistream.Eventually;
import dev.replistream.HttpConnection;
import dev.replistream.HttpRequest;
import dev.replistream.ServiceClient;
import dev.replistream.Settings;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.WebSocketClient;
import io.helidon.common.socket.SocketOptions;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import jakarta.json.JsonArray;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// A client that stops reading: the server's socket is given a small buffer, so that a few hundred
/// events fill it.
class StalledReaderTest {
  private static final Duration WRITE_TIMEOUT = Duration.ofSeconds(1);
  private static final Duration SWEEP_AND_SLACK = Duration.ofMillis(3_500);

  private final Settings settings =
      TestService.settings("STREAM_WRITE_TIMEOUT", WRITE_TIMEOUT.toString());
  private final Application application = new Application(settings, Clock.systemUTC());
  private final WebServer server;
  private final ServiceClient client;

  StalledReaderTest() {
    WebServerConfig.Builder builder = WebServer.builder();
    application.configure(builder);
    builder.connectionOptions(
        SocketOptions.builder().tcpNoDelay(true).socketSendBufferSize(4_096).build());
    server = builder.build().start();
    application.running(server);
    client =
        new ServiceClient(application.port(), application.adminPort(), settings, Clock.systemUTC());
  }

  @AfterEach
  void close() {
    application.close();
  }

  @BeforeEach
  void nobodyIsThere() {
    assertThat(TestService.sseManager(application).connections()).isZero();
  }

  private double closed(String reason) {
    return client
        .metrics()
        .getOrDefault("replistream_connections_closed_total{reason=\"" + reason + "\"}", -1.0);
  }

  /// Pokes alice until a write to one of her streams blocks, of which `sibling` reads.
  private void awaitBlocked(StreamClient sibling) {
    Eventually.holds(
        "a write to it blocks",
        () -> {
          double coalesced = coalesced();
          for (int i = 0; i < 200; i++) {
            application.pokes().notifyUser("alice");
            sibling.expect("sync");
          }
          return coalesced() - coalesced >= 200;
        });
  }

  @Test
  void whoStopsReadingIsCutOffAtTheDeadlineAndHoldsUpNobody() {
    double before = closed("stalled");
    HttpConnection deaf = new HttpConnection(application.port(), 1_024);
    try (StreamClient sibling = client.connected("alice");
        StreamClient other = client.connected("bob")) {
      new StreamClient(deaf, client.stream("alice")).expect("connected");
      awaitBlocked(sibling);
      long blocked = System.nanoTime();

      assertThat(client.poke("alice")).isEqualTo(2);
      sibling.expect("sync");
      client.poke("bob");
      other.expect("sync");
      assertThat(Duration.ofNanos(System.nanoTime() - blocked)).isLessThan(WRITE_TIMEOUT);
      Eventually.holdsWithin(
          WRITE_TIMEOUT.plus(SWEEP_AND_SLACK),
          "cut off",
          () -> {
            client.poke("alice"); // should the kernel find room for one event more
            sibling.expect("sync");
            return client.connections("alice") == 1;
          });

      Eventually.holds("counted", () -> closed("stalled") == before + 1);
      client.poke("alice");
      sibling.expect("sync");
    } finally {
      deaf.close();
    }
  }

  @Test
  void whoIsEndedWhileItDoesNotReadIsGoneFromTheListAtOnceAndCutOffAtTheDeadline() {
    HttpConnection deaf = new HttpConnection(application.port(), 1_024);
    double before = closed("ended");
    try (StreamClient sibling = client.connected("alice")) {
      new StreamClient(deaf, client.stream("alice")).expect("connected");
      awaitBlocked(sibling);
      String id = sessions().getJsonObject(1).getString("id");

      HttpRequest end = HttpRequest.api("DELETE", "/sessions/" + id).by(client.token("alice"));
      assertThat(client.send(end).status()).isEqualTo(204);

      assertThat(sessions()).hasSize(1);
      assertThat(client.send(end).status()).isEqualTo(404);
      Eventually.holdsWithin(
          WRITE_TIMEOUT.plus(SWEEP_AND_SLACK), "cut off", () -> client.connections("alice") == 1);
      Eventually.holds("counted", () -> closed("ended") == before + 1);
      client.poke("alice");
      sibling.expect("sync");
    } finally {
      deaf.close();
    }
  }

  private JsonArray sessions() {
    return client
        .send(HttpRequest.api("GET", "/sessions").by(client.token("alice")))
        .json()
        .getJsonArray("sessions");
  }

  @Test
  void aWebSocketThatStopsReadingIsCutOffToo() {
    double before = closed("stalled");
    HttpConnection deaf = new HttpConnection(application.port(), 1_024);
    WebSocketClient socket =
        new WebSocketClient(
            deaf, WebSocketClient.handshake("?lastEventId=").by(client.token("alice")));
    try (StreamClient other = client.connected("bob")) {
      socket.expect("connected");
      Eventually.holds(
          "cut off",
          () -> {
            for (int i = 0; i < 200; i++) {
              application.pokes().notifyUser("alice");
            }
            return client.connections("alice") == 0;
          });

      Eventually.holds("counted", () -> closed("stalled") == before + 1);
      client.poke("bob");
      other.expect("sync");
    } finally {
      socket.close();
    }
  }

  @Test
  void aWebSocketThatPingsAndReadsNoPongIsCutOffToo() {
    double before = closed("stalled");
    WebSocketClient socket =
        new WebSocketClient(
            new HttpConnection(application.port(), 1_024),
            WebSocketClient.handshake("").by(client.token("alice")));
    socket.expect("connected");
    try {
      while (client.connections("alice") == 1) {
        for (int i = 0; i < 500; i++) {
          socket.send(WebSocketClient.PING, "x".repeat(125));
        }
      }
    } catch (UncheckedIOException _) {
      // cut off while it sent
    } finally {
      socket.close();
    }
    Eventually.holds("gone", () -> client.connections("alice") == 0);
    Eventually.holds("counted", () -> closed("stalled") == before + 1);
  }

  @Test
  void whoReadsAgainInTimeGetsWholeEventsAndTheNewest() {
    HttpConnection deaf = new HttpConnection(application.port(), 1_024);
    try (StreamClient sibling = client.connected("alice");
        StreamClient slow = new StreamClient(deaf, client.stream("alice"))) {
      slow.expect("connected");
      double before = coalesced();
      Eventually.holds(
          "a write to it blocks",
          () -> {
            for (int i = 0; i < 200; i++) {
              application.pokes().notifyUser("alice");
              sibling.expect("sync");
            }
            return coalesced() - before >= 200;
          });
      application.pokes().notifyUser("alice");
      long newest = sibling.expect("sync").stamp();

      long last = 0;
      while (last < newest) {
        long stamp = slow.expect("sync").stamp();
        assertThat(stamp).isGreaterThan(last);
        last = stamp;
      }

      assertThat(last).isEqualTo(newest);
      assertThat(client.poke("alice")).isEqualTo(2);
      assertThat(slow.expect("sync").stamp()).isEqualTo(newest + 1);
    }
  }

  private double coalesced() {
    return client.metrics().getOrDefault("replistream_syncs_coalesced_total", -1.0);
  }
}
