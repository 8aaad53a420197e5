package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/// What the second port does to whoever keeps it busy.
class OperatorsListenerTest {
  private static final Duration HEAD = Duration.ofMillis(300);
  private static final Duration SLACK = Duration.ofMillis(2_500);
  private static final int SHARE = 64;
  private static final int STRANGERS = 4;

  /// One where nothing but the number of connections ends them. The gauges of a process are those
  /// of the first.
  private static final TestService PATIENT =
      TestService.start(
          "HTTP_HEAD_TIMEOUT", "PT1M",
          "HTTP_IDLE_TIMEOUT", "PT1M",
          "LIMITS_STRANGERS_PER_ADDRESS", Integer.toString(STRANGERS));

  private static final TestService SERVICE =
      TestService.start("HTTP_HEAD_TIMEOUT", HEAD.toString(), "HTTP_IDLE_TIMEOUT", "PT1M");

  @AfterAll
  static void stop() {
    SERVICE.close();
    PATIENT.close();
  }

  private static HttpConnection connect(TestService service) {
    return new HttpConnection(service.application().adminPort());
  }

  @Test
  void aSlowHeadIsCutOff() {
    try (HttpConnection silent = connect(SERVICE);
        HttpConnection slow = connect(SERVICE)) {
      slow.send("GET /health/live HTTP/1.1\r\nHost: h\r\nA: ");

      assertThat(silent.rest(HEAD.plus(SLACK))).isEmpty();
      assertThat(slow.rest(HEAD.plus(SLACK))).isEmpty();
    }
  }

  @Test
  void aLargeBodyIsRefused() {
    try (HttpConnection connection = connect(SERVICE)) {
      connection.send("POST /health/live HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");

      assertThat(connection.reply().status()).isBetween(400, 499);
    }
  }

  @Test
  void probesAndScrapersGetInAmongSlowHeads() {
    List<HttpConnection> slow = Stream.generate(() -> connect(PATIENT)).limit(5L * SHARE).toList();
    try {
      slow.forEach(OperatorsListenerTest::begin);

      assertThat(PATIENT.client().admin("/health/live").status()).isEqualTo(200);
      assertThat(
              PATIENT
                  .client()
                  .metrics()
                  .getOrDefault("replistream_tcp_open{listener=\"admin\"}", Double.NaN))
          .isLessThanOrEqualTo(SHARE);
    } finally {
      slow.forEach(HttpConnection::close);
    }
  }

  private static void begin(HttpConnection connection) {
    try {
      connection.send("GET /metrics HTTP/1.1\r\nHost:");
    } catch (UncheckedIOException _) {
      // it had to go already
    }
  }

  /// The check of the API's listener is no client of it: a crowd would keep that out, and it would
  /// take somebody's place.
  @Test
  void checksTakeNobodysPlaceOnTheApisListener() {
    List<HttpConnection> strangers =
        Stream.generate(() -> new HttpConnection(PATIENT.application().port()))
            .limit(STRANGERS)
            .toList();
    try {
      Eventually.holds(
          "all are in",
          () ->
              PATIENT
                      .client()
                      .metrics()
                      .getOrDefault("replistream_tcp_open{listener=\"api\"}", Double.NaN)
                  == STRANGERS);
      for (int i = 0; i < 10; i++) {
        assertThat(PATIENT.client().admin("/health/live").status()).isEqualTo(200);
        assertThat(PATIENT.client().admin("/health/ready").status()).isEqualTo(200);
      }

      assertThat(strangers)
          .allMatch(stranger -> stranger.read(new byte[1], Duration.ofMillis(100)) == 0);
    } finally {
      strangers.forEach(HttpConnection::close);
    }
  }
}
