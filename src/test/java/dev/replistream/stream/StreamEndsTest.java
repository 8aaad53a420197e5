package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpConnection;
import dev.replistream.HttpRequest;
import dev.replistream.LogCapture;
import dev.replistream.ServerSentEvent;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.assertj.core.util.introspection.PropertyOrFieldSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/// The ends that a client or its token brings about: soon noticed, rightly named, nothing left.
class StreamEndsTest {
  private static final Duration SOON = Duration.ofSeconds(1);
  private static final TestService SERVICE =
      TestService.start(
          "AUTH_CLOCK_SKEW",
          "PT0S",
          "STREAM_MAX_CONNECTIONS_PER_USER",
          "2000",
          "PRESENCE_GRACE",
          "PT0S");

  private final ServiceClient client = SERVICE.client();

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  private double closed(String reason) {
    return client
        .metrics()
        .getOrDefault("replistream_connections_closed_total{reason=\"" + reason + "\"}", -1.0);
  }

  private void expectClosed(String reason, double count) {
    Eventually.holdsWithin(SOON, "counted", () -> closed(reason) == count);
  }

  private void expectGone(String userId) {
    Eventually.holdsWithin(SOON, "gone", () -> client.connections(userId) == 0);
  }

  @Test
  void aStreamWhoseRequestIsCutOffWithinItsBodyLeavesNothingBehind() {
    double before = closed("stalled");
    try (TestService service = TestService.start("HTTP_BODY_TIMEOUT", "PT0.5S")) {
      ServiceClient client = service.client();
      for (int i = 0; i < 5; i++) {
        try (HttpConnection connection = client.connect()) {
          connection.send(client.stream("alice").with("Content-Length", "10").toBytes());
          Eventually.holds("registered", () -> client.connections("alice") == 1);
          Eventually.holds("cut off", () -> client.connections("alice") == 0);
        }
      }
    }
    expectClosed("stalled", before + 5);
  }

  @Test
  void aClientThatClosesIsGoneWithinASecond() {
    double before = closed("client-closed");
    StreamClient stream = client.connected("fin");
    assertThat(client.connections("fin")).isEqualTo(1);

    stream.close();

    expectGone("fin");
    expectClosed("client-closed", before + 1);
  }

  @Test
  void aClientThatResetsIsGoneWithinASecond() {
    double before = closed("client-closed");
    StreamClient stream = client.connected("rst");
    assertThat(client.connections("rst")).isEqualTo(1);

    stream.reset();

    expectGone("rst");
    expectClosed("client-closed", before + 1);
  }

  @Test
  void whatAClientSendsOnItsStreamIsDropped() {
    double before = closed("client-closed");
    HttpConnection connection = client.connect();
    StreamClient stream = new StreamClient(connection, client.stream("chatty"));
    stream.expect("connected");

    for (int i = 0; i < 10; i++) {
      connection.send("x".repeat(100_000));
    }
    client.poke("chatty");

    stream.expect("sync");
    assertThat(client.connections("chatty")).isEqualTo(1);
    stream.close();
    expectGone("chatty");
    expectClosed("client-closed", before + 1);
  }

  @Test
  void aTokenThatExpiresEndsItsStream() {
    double before = closed("token-expired");
    double closedBefore = closed("client-closed");
    String token = client.token("short", Duration.ofMillis(500)); // rounded up to a second
    long begin = System.nanoTime();
    try (StreamClient other = client.connected("short");
        StreamClient stream = client.open(HttpRequest.api("GET", "/stream").by(token))) {
      stream.expect("connected");
      client.poke("short");
      stream.expect("sync");
      List<ServerSentEvent> rest = stream.untilEnd(Duration.ofMillis(1_500).plus(SOON));

      assertThat(rest).isEmpty();
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThan(Duration.ofMillis(450));
      Eventually.holdsWithin(SOON, "gone", () -> client.connections("short") == 1);
      expectClosed("token-expired", before + 1);
      other.expect("sync");
    }
    expectGone("short");
    expectClosed("client-closed", closedBefore + 1);
  }

  @Test
  void aThousandStreamsEndInAllTheseWaysAndLeaveNothing() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Map<String, Double> before = client.metrics();
    Eventually.holds(
        "nobody is left of the tests before",
        () -> client.stats("x").getInt("totalConnections") == 0);
    List<StreamClient> open = new ArrayList<>();
    try (LogCapture log = new LogCapture()) {
      for (int i = 0; i < 1_000; i++) {
        String userId = "user-" + random.nextInt(20);
        switch (random.nextInt(5)) {
          case 0 -> client.connected(userId).close();
          case 1 -> client.connected(userId).reset();
          case 2 -> client.connect().send(client.stream(userId).toBytes()).close();
          case 3 -> client.connect().send(client.stream(userId).toBytes()).reset();
          default -> open.add(client.connected(userId));
        }
        if (random.nextInt(10) == 0) {
          client.poke(userId);
        }
        if (open.size() > 20) {
          open.remove(random.nextInt(open.size())).reset();
        }
      }
      open.forEach(StreamClient::close);
      Eventually.holds(
          "all have left, seed " + seed, () -> client.stats("x").getInt("totalConnections") == 0);

      assertThat(log.warnings()).as("seed %d", seed).isEmpty();
    }
    assertThat(SERVICE.sseManager())
        .extracting("users")
        .asInstanceOf(InstanceOfAssertFactories.MAP)
        .isEmpty();
    assertThat(SERVICE.sseManager())
        .extracting("gracePeriods.leftNanoTime")
        .asInstanceOf(InstanceOfAssertFactories.MAP)
        .isEmpty();
    Eventually.holds("no connection is left", () -> openWires() == 0);
    Eventually.holds(
        "all are counted",
        () -> {
          Map<String, Double> after = client.metrics();
          return opened(after) - opened(before) == closed(after) - closed(before)
              && after.getOrDefault(OPEN, 0.0) <= before.getOrDefault(OPEN, 0.0);
        });
  }

  /// Another service of this process may have a part in it.
  private static final String OPEN = "replistream_connections_open{transport=\"sse\"}";

  private static double opened(Map<String, Double> metrics) {
    return sum(metrics, "replistream_connections_opened_total");
  }

  private static double closed(Map<String, Double> metrics) {
    return sum(metrics, "replistream_connections_closed_total");
  }

  private static int openWires() {
    return ((Collection<?>)
            PropertyOrFieldSupport.EXTRACTION.getValueOf("wires.crowd.open", SERVICE.application()))
        .size();
  }

  private static double sum(Map<String, Double> metrics, String name) {
    return metrics.entrySet().stream()
        .filter(sample -> sample.getKey().startsWith(name))
        .mapToDouble(Map.Entry::getValue)
        .sum();
  }
}
