package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.EventStreamParser;
import dev.replistream.HttpConnection;
import dev.replistream.HttpRequest;
import dev.replistream.ServerSentEvent;
import dev.replistream.ServiceClient;
import dev.replistream.TestService;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The bytes of a stream, all of them.
class StreamBytesTest {
  private static final Clock NOON =
      Clock.fixed(Instant.parse("2026-11-23T12:00:00Z"), ZoneOffset.UTC);
  private static final TestService SERVICE =
      TestService.start(NOON, "STREAM_PING_INTERVAL", "PT0.4S");

  private final ServiceClient client = SERVICE.client();

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  /// Reads until the text ends with `end`. Whatever one read brings ends where an event ends.
  private static String readTo(HttpConnection connection, String end) {
    StringBuilder text = new StringBuilder();
    byte[] buffer = new byte[65_536];
    long deadline = System.nanoTime() + HttpConnection.PATIENCE.toNanos();
    while (!text.toString().endsWith(end)) {
      int count = connection.read(buffer, Duration.ofNanos(deadline - System.nanoTime()));
      assertThat(count).as("%s after %s", end, text).isPositive();
      text.append(new String(buffer, 0, count, StandardCharsets.UTF_8));
      assertThat(text.toString()).endsWith("\n\n");
    }
    return text.toString();
  }

  @ParameterizedTest
  @CsvSource({
    "/stream, ''",
    "/events, 'Deprecation: @1767225600\r\n"
        + "Link: </api/v1/replicache/stream>; rel=\"successor-version\"\r\n'",
  })
  void aStreamIsTheseBytes(String route, String moreHeaders) {
    client.poke("alice"); // the stamps count all pokes of the service
    try (HttpConnection connection = client.connect()) {
      connection.send(HttpRequest.api("GET", route).by(client.token("alice")).toBytes());
      String connected = readTo(connection, "data: connected\n\n");
      client.poke("alice");
      String sync = readTo(connection, "data: sync\n\n");
      String ping = readTo(connection, "data: ping\n\n");
      client.poke("alice");
      String secondSync = readTo(connection, "data: sync\n\n");

      String epoch = connected.replaceAll("(?s).*\nid: ([0-9a-z]{8})-\\d+\n.*", "$1");
      int first =
          Integer.parseInt(connected.replaceAll("(?s).*\nid: [0-9a-z]{8}-(\\d+)\n.*", "$1"));
      assertThat(connected)
          .isEqualTo(
              "HTTP/1.1 200 OK\r\n"
                  + "Content-Type: text/event-stream\r\n"
                  + "Cache-Control: no-cache, no-transform\r\n"
                  + "Connection: keep-alive\r\n"
                  + "X-Accel-Buffering: no\r\n"
                  + "Date: Mon, 23 Nov 2026 12:00:00 GMT\r\n"
                  + "Access-Control-Allow-Origin: *\r\n"
                  + moreHeaders
                  + "\r\n"
                  + "retry: 2000\nid: %s-%d\ndata: connected\n\n".formatted(epoch, first));
      assertThat(sync.replace("data: ping\n\n", ""))
          .isEqualTo("id: %s-%d\ndata: sync\n\n".formatted(epoch, first + 1));
      assertThat(ping).isEqualTo("data: ping\n\n");
      assertThat(secondSync.replace("data: ping\n\n", ""))
          .isEqualTo("id: %s-%d\ndata: sync\n\n".formatted(epoch, first + 2));
    }
  }

  @Test
  void pingsComeAfterSilenceOnly() {
    Duration interval = Duration.ofMillis(400);
    try (var stream = client.connected("pings")) {
      long connected = System.nanoTime();
      stream.expect("ping");
      long first = System.nanoTime();
      stream.expect("ping");
      long second = System.nanoTime();
      for (int i = 0; i < 20; i++) {
        assertThat(stream.poll(Duration.ofMillis(30))).isNull();
        client.poke("pings");
        stream.expect("sync");
      }

      Duration least = interval.minusMillis(100); // the reader may have been late before
      assertThat(Duration.ofNanos(first - connected)).isGreaterThan(least);
      assertThat(Duration.ofNanos(second - first)).isGreaterThan(least);
    }
  }

  @Test
  void aBrowserReadsTheSameEventsHoweverTheBytesAreCut() {
    String text;
    try (HttpConnection connection = client.connect()) {
      connection.send(HttpRequest.api("GET", "/stream").by(client.token("cut")).toBytes());
      text = readTo(connection, "data: connected\n\n");
      client.poke("cut");
      text += readTo(connection, "data: sync\n\n");
      text += readTo(connection, "data: ping\n\n");
    }
    byte[] bytes = text.substring(text.indexOf("\r\n\r\n") + 4).getBytes(StandardCharsets.UTF_8);
    List<ServerSentEvent> whole = new EventStreamParser().feed(bytes, 0, bytes.length);
    assertThat(whole)
        .extracting(ServerSentEvent::data)
        .containsSubsequence("connected", "sync", "ping");
    long firstSeed = System.nanoTime();

    for (long seed = firstSeed; seed < firstSeed + 5_000; seed++) {
      Random random = new Random(seed);
      EventStreamParser parser = new EventStreamParser();
      List<ServerSentEvent> events = new ArrayList<>();
      for (int at = 0; at < bytes.length; ) {
        int length = Math.min(1 + random.nextInt(1 + random.nextInt(60)), bytes.length - at);
        events.addAll(parser.feed(bytes, at, length));
        at += length;
      }
      assertThat(events).as("seed %d", seed).isEqualTo(whole);
      assertThat(parser.reconnectionMillis()).as("seed %d", seed).isEqualTo(2_000);
    }
  }

  @Test
  void aServerOfAnyLocaleWritesTheSameDigits() {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
    try (HttpConnection connection = client.connect()) {
      connection.send(HttpRequest.api("GET", "/stream").by(client.token("locale")).toBytes());

      assertThat(readTo(connection, "data: connected\n\n")).contains("retry: 2000\n");
    } finally {
      Locale.setDefault(before);
    }
  }
}
