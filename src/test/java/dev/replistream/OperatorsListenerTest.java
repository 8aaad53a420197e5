package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

  private static HttpReply exchange(String method, String path, String field) {
    try (HttpConnection connection = connect(SERVICE)) {
      connection.send(method + " " + path + " HTTP/1.1\r\nHost: h\r\n" + field + "\r\n");
      return connection.reply();
    }
  }

  private static void expectProblem(HttpReply reply, int status) {
    assertThat(reply.status()).as(reply.toString()).isEqualTo(status);
    assertThat(reply.header("Content-Type")).isEqualTo("application/problem+json");
    assertThat(reply.json().getInt("status")).isEqualTo(status);
    assertThat(reply.json().getString("detail")).isNotBlank();
  }

  /// A proxy's rule for a path has no way around it.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "/%68ealth/live",
        "//health/live",
        "/health//live",
        "/health/live/",
        "/health/../metrics",
        "/health/live/../ready",
        "/./health",
        "/health/%6Cive",
        "/health%2Flive",
        "/health/live;a=b",
        "/Health/live",
        "/health/",
        "/health/check/listener",
        "/health/live/listener",
        "/metrics/",
        "/%6detrics",
        "/metrics/base",
        "/metrics;",
        "/observe",
        "/",
        "http://h/health/../metrics"
      })
  void aPathHasOneSpelling(String path) {
    expectProblem(exchange("GET", path, ""), 404);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/health", "/health/live", "/health/ready", "/health/started", "/metrics"})
  void headIsAnsweredAsGetIsButForTheBody(String path) {
    try (HttpConnection connection = connect(SERVICE)) {
      for (String method : List.of("HEAD", "HEAD", "GET")) {
        connection.send(method + " " + path + "?a=b HTTP/1.1\r\nHost: h\r\n\r\n");
      }

      for (int i = 0; i < 2; i++) {
        HttpReply head = connection.replyWithoutBody();
        assertThat(head.status()).isEqualTo(200);
        assertThat(head.header("Content-Length")).isNull();
      }
      HttpReply get = connection.reply();
      assertThat(get.status()).isEqualTo(200);
      assertThat(get.body()).isNotEmpty();
    }
  }

  @Test
  void aRefusedHeadHasNoBodyEither() {
    try (HttpConnection connection = connect(SERVICE)) {
      connection.send("HEAD /nothing HTTP/1.1\r\nHost: h\r\n\r\n");
      connection.send("GET /health/live HTTP/1.1\r\nHost: h\r\n\r\n");

      assertThat(connection.replyWithoutBody().status()).isEqualTo(404);
      assertThat(connection.reply().status()).isEqualTo(200);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"})
  void othersThanGetAndHeadAreToldSo(String method) {
    for (String path : List.of("/health", "/health/live", "/metrics")) {
      HttpReply reply = exchange(method, path, "");

      expectProblem(reply, 405);
      assertThat(reply.header("Allow")).isEqualTo("GET, HEAD");
    }
  }

  @Test
  void whatMetricsCannotGiveIsToldAsAProblem() {
    expectProblem(exchange("GET", "/metrics", "Accept: image/png\r\n"), 406);
    expectProblem(exchange("GET", "/metrics?name=nothing", ""), 404);
    HttpReply unreadable = exchange("GET", "/metrics", "Accept: garbage\r\n");
    expectProblem(unreadable, 400);
    assertThat(unreadable.json().getString("detail")).startsWith("Accept ");
    assertThat(exchange("GET", "/metrics?scope=base", "").status()).isEqualTo(200);
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
