package dev.replistream.http.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.LogCapture;
import dev.replistream.ServiceClient;
import dev.replistream.TestService;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/// How long a client may keep the server waiting. A deadline is kept to within the half second of
/// the sweep; what is allowed above that is for a busy machine.
class DeadlinesTest {
  private static final Duration HEAD = Duration.ofMillis(300);
  private static final Duration BODY = Duration.ofMillis(400);
  private static final Duration IDLE = Duration.ofMillis(500);
  private static final Duration SLACK = Duration.ofMillis(2_500);

  private static final TestService SERVICE =
      TestService.start(
          "HTTP_HEAD_TIMEOUT", HEAD.toString(),
          "HTTP_BODY_TIMEOUT", BODY.toString(),
          "HTTP_IDLE_TIMEOUT", IDLE.toString());

  /// One where a head that has no deadline of its own would have much time.
  private static final TestService PATIENT =
      TestService.start("HTTP_HEAD_TIMEOUT", HEAD.toString(), "HTTP_IDLE_TIMEOUT", "PT1M");

  private final ServiceClient client = SERVICE.client();
  private final ServiceClient patient = PATIENT.client();
  private final HttpRequest poke = HttpRequest.api("POST", "/poke-user").by(client.token("alice"));

  @AfterAll
  static void close() {
    SERVICE.close();
    PATIENT.close();
  }

  /// Sends byte after byte until the connection ends or there are no more.
  ///
  /// @return how long the connection was up after the first byte was sent
  private static Duration trickle(HttpConnection connection, String text) {
    long begin = System.nanoTime();
    byte[] answer = new byte[1024];
    try {
      for (byte b : text.getBytes(StandardCharsets.ISO_8859_1)) {
        connection.send(new byte[] {b});
        if (connection.read(answer, Duration.ofMillis(10)) != 0) {
          break;
        }
      }
    } catch (UncheckedIOException _) {
      // reset by the server
    }
    return Duration.ofNanos(System.nanoTime() - begin);
  }

  @Test
  void aHeadThatTricklesInIsCutOff() {
    try (HttpConnection connection = patient.connect()) {
      Duration life = trickle(connection, "GET / HTTP/1.1\r\nHost: h\r\nA: " + "a".repeat(4_000));

      assertThat(life).isBetween(HEAD, HEAD.plus(SLACK));
      assertThat(connection.rest()).isEmpty();
    }
  }

  @Test
  void aConnectionThatSentTheSameRequestOftenIsStillEndedWhenItIsIdle() {
    try (HttpConnection connection = client.connect()) {
      for (int i = 0; i < 40; i++) {
        connection.send(poke.toBytes()).reply();
      }
      long begin = System.nanoTime();

      assertThat(connection.rest()).isEmpty();
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isBetween(IDLE, IDLE.plus(SLACK));
    }
  }

  @Test
  void theHeadOfALaterRequestHasTheSameDeadline() {
    try (HttpConnection connection = patient.connect()) {
      connection.send(HttpRequest.api("GET", "/stats").toBytes()).reply();

      Duration life = trickle(connection, "GET / HTTP/1.1\r\nHost: h\r\nA: " + "a".repeat(4_000));

      assertThat(life).isBetween(HEAD, HEAD.plus(SLACK));
    }
  }

  /// Whose idle time between requests is a minute.
  @Test
  void aConnectionThatSendsNothingIsClosedWhenAHeadIsDue() {
    try (HttpConnection connection = patient.connect()) {
      long begin = System.nanoTime();
      byte[] rest = connection.rest(HEAD.plus(SLACK));

      assertThat(rest).isEmpty();
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThan(HEAD.minusMillis(50));
    }
  }

  @Test
  void aConnectionIsClosedWhenNoFurtherRequestComes() {
    try (HttpConnection connection = client.connect()) {
      HttpReply reply = connection.send(poke.toBytes()).reply();
      long begin = System.nanoTime();
      byte[] rest = connection.rest(IDLE.plus(SLACK));

      assertThat(reply.status()).isEqualTo(200);
      assertThat(rest).isEmpty();
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThan(IDLE.minusMillis(50));
    }
  }

  @Test
  void aBodyThatTricklesInIsCutOffAndNobodyIsBothered() {
    try (LogCapture log = new LogCapture();
        HttpConnection connection = client.connect()) {
      connection.send(poke.with("Content-Length", "5000").toBytes());
      Duration life = trickle(connection, " ".repeat(4_000));

      assertThat(life).isBetween(BODY.minusMillis(50), BODY.plus(SLACK));
      assertThat(connection.rest()).isEmpty();
      assertThat(log.warnings()).isEmpty();
    }
  }

  /// As the push of a client that was offline for long, and now has a slow line.
  @Test
  void aBodyThatComesSlowlyButSteadilyIsRead() {
    String part = " ".repeat(1_000);
    int parts = 60;
    byte[] answer = new byte[1024];
    try (HttpConnection connection = client.connect()) {
      connection.send(
          poke.with("Content-Length", Integer.toString(2 + parts * part.length())).toBytes());
      for (int i = 0; i < parts; i++) {
        connection.send(part);
        assertThat(connection.read(answer, BODY.plusMillis(1_500).dividedBy(parts))).isZero();
      }

      assertThat(connection.send("{}").reply().status()).isEqualTo(200);
    }
  }

  @Test
  void aRefusedBodyThatTricklesInIsCutOffToo() {
    try (HttpConnection connection = client.connect()) {
      connection.send(
          HttpRequest.api("POST", "/poke-user").with("Content-Length", "5000").toBytes());
      HttpReply reply = connection.reply();
      Duration life = trickle(connection, " ".repeat(4_000));

      assertThat(reply.status()).isEqualTo(401);
      assertThat(life).isLessThan(IDLE.plus(HEAD).plus(SLACK));
    }
  }

  @Test
  void aStreamIsNotCutOffByTheDeadlinesOfRequests() {
    Duration idleAndSweep = IDLE.plusMillis(1_000);
    try (var stream = client.connected("alice")) {
      assertThat(stream.poll(idleAndSweep)).isNull();
      assertThat(stream.hasEnded()).isFalse();
      client.poke("alice");
      stream.expect("sync");
    }
  }
}
