package dev.replistream.http.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.LogCapture;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.TestService;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Requests whose ends readers have taken differently, each with a canary behind it: another
/// request of another user. Either the first is refused and the connection closed, so that nobody
/// answers the canary, or both are answered once and right.
class FramingMatrixTest {
  private static final TestService SERVICE = TestService.start();
  private static final String BAD_HEADS = "dev.replistream.http.wire.FramingCases#badHeads";
  private static final String BAD_CHUNKS = "dev.replistream.http.wire.FramingCases#badChunks";
  private static final String POKE = "POST /api/v1/replicache/poke-user HTTP/1.1\r\n";

  private final ServiceClient client = SERVICE.client();
  private final String by = "Authorization: Bearer " + client.token("alice") + "\r\n";
  private final HttpRequest stats = HttpRequest.api("GET", "/stats").by(client.token("canary"));

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  @Test
  void theMatrixIsLarge() {
    assertThat(FramingCases.good().count()).isGreaterThan(40);
    assertThat(FramingCases.badHeads().count() + FramingCases.badChunks().count())
        .isGreaterThan(120);
  }

  private byte[] first(String fields, String body) {
    return (POKE + "Host: h\r\n" + by + fields + "\r\n" + body)
        .getBytes(StandardCharsets.ISO_8859_1);
  }

  /// Connections that have and have not been answered known requests, and have sent many.
  private HttpConnection connect(int known) {
    HttpConnection connection = client.connect();
    byte[] poke = HttpRequest.api("POST", "/poke-user").by(client.token("known")).toBytes();
    for (int i = 0; i < known; i++) {
      assertThat(connection.send(poke).reply().status()).isEqualTo(200);
    }
    return connection;
  }

  private static void sendEachByte(HttpConnection connection, byte[] bytes) {
    for (byte b : bytes) {
      connection.send(new byte[] {b});
    }
  }

  private static byte[] both(byte[] one, byte[] other) {
    byte[] both = new byte[one.length + other.length];
    System.arraycopy(one, 0, both, 0, one.length);
    System.arraycopy(other, 0, both, one.length, other.length);
    return both;
  }

  private void expectCanary(HttpConnection connection, String name) {
    HttpReply canary = connection.reply();
    assertThat(canary.status()).as(name).isEqualTo(200);
    assertThat(canary.json().getString("userId")).as(name).isEqualTo("canary");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("dev.replistream.http.wire.FramingCases#good")
  void aGoodRequestIsAnsweredAndSoIsTheNext(String name, String fields, String body) {
    byte[] bytes = both(first(fields, body), stats.toBytes());
    for (int known : new int[] {0, 2, 20}) {
      try (HttpConnection connection = connect(known)) {
        HttpReply reply = connection.send(bytes).reply();
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.json().getString("userId")).isEqualTo("alice");
        expectCanary(connection, name);
        assertThat(connection.send(stats.toBytes()).reply().status()).isEqualTo(200);
      }
    }
    if (bytes.length < 2_000) {
      try (HttpConnection connection = client.connect()) {
        sendEachByte(connection, bytes);
        assertThat(connection.reply().status()).isEqualTo(200);
        expectCanary(connection, name);
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource({BAD_HEADS, BAD_CHUNKS})
  void aBadRequestIsRefusedAndNothingBehindItIsRead(String name, String fields, String body) {
    byte[] bytes = both(first(fields, body), stats.toBytes());
    try (LogCapture log = new LogCapture()) {
      for (int known : new int[] {0, 20}) {
        try (HttpConnection connection = connect(known)) {
          expectRefusal(connection, () -> connection.send(bytes), name);
        }
      }
      if (bytes.length < 2_000) {
        try (HttpConnection connection = client.connect()) {
          expectRefusal(connection, () -> sendEachByte(connection, bytes), name);
        }
      }
      assertThat(log.warnings()).isEmpty();
    }
  }

  private static void expectRefusal(HttpConnection connection, Runnable send, String name) {
    try {
      send.run();
    } catch (UncheckedIOException _) {
      // closed before all was sent
    }
    HttpReply reply = connection.reply();
    Problems.detail(reply, 400);
    assertThat(reply.header("Connection")).as(name).isEqualTo("close");
    assertThat(connection.rest()).as(name).isEmpty();
  }

  /// Bodies there may be small; the routes there read none.
  static Stream<Arguments> small() {
    return FramingCases.good().filter(arguments -> arguments.get()[2].toString().length() < 1_000);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("small")
  void theOperatorsListenerAnswersAGoodRequest(String name, String fields, String body) {
    try (HttpConnection connection = new HttpConnection(SERVICE.application().adminPort())) {
      connection.send(admin(fields, body));
      assertThat(connection.reply().status()).as(name).isEqualTo(200);
      assertThat(connection.reply().status()).as(name).isEqualTo(404);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource({BAD_HEADS, BAD_CHUNKS})
  void theOperatorsListenerReadsNothingBehindABadRequest(String name, String fields, String body) {
    try (LogCapture log = new LogCapture();
        HttpConnection connection = new HttpConnection(SERVICE.application().adminPort())) {
      try {
        connection.send(admin(fields, body));
      } catch (UncheckedIOException _) {
        // closed before all was sent
      }
      assertThat(connection.reply().status()).as(name).isIn(400, 200);
      assertThat(connection.rest()).as(name).isEmpty();
      assertThat(log.warnings()).isEmpty();
    }
  }

  private static byte[] admin(String fields, String body) {
    return ("GET /health/started HTTP/1.1\r\nHost: h\r\n"
            + fields
            + "\r\n"
            + body
            + "GET /canary HTTP/1.1\r\nHost: h\r\n\r\n")
        .getBytes(StandardCharsets.ISO_8859_1);
  }
}
