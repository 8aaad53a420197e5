package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.auth.Refusals;
import dev.replistream.stream.CloseReasons;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What the operator sees on the second port, and nobody on the first.
class AdminListenerTest {
  private static final TestService SERVICE =
      TestService.start("STREAM_PING_INTERVAL", "PT0.05S", "STREAM_MAX_CONNECTIONS_PER_USER", "2");

  private final ServiceClient client = SERVICE.client();

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/health/live", "/health/ready", "/health/started"})
  void aServiceThatRunsSaysSo(String path) {
    HttpReply reply = client.admin(path);

    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.json().getString("status")).isEqualTo("UP");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/health",
        "/health/live",
        "/health/ready",
        "/health/started",
        "/metrics",
        "/observe"
      })
  void theApisPortKnowsNothingOfIt(String path) {
    Problems.detail(client.send(HttpRequest.of("GET", path)), 404);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/api/v1/replicache/stats", "/api/v1/replicache/stream"})
  void theOperatorsPortKnowsNothingOfTheApi(String path) {
    assertThat(client.admin(path).status()).isEqualTo(404);
  }

  @Test
  void everyNumberStandsThereFromTheBeginning() {
    Map<String, Double> metrics = client.metrics();

    assertThat(metrics)
        .containsKeys(
            "replistream_connections_open{transport=\"sse\"}",
            "replistream_connections_opened_total{transport=\"sse\"}",
            "replistream_connections_refused_total{limit=\"user-limit\"}",
            "replistream_connections_refused_total{limit=\"node-limit\"}",
            "replistream_connections_refused_total{limit=\"draining\"}",
            "replistream_pings_written_total",
            "replistream_syncs_written_total",
            "replistream_syncs_coalesced_total",
            "replistream_poke_to_write_seconds_count",
            "replistream_pokes_total{source=\"self\"}",
            "replistream_pokes_total{source=\"service\"}",
            "replistream_pokes_total{source=\"java\"}",
            "replistream_pokes_total{source=\"room\"}",
            "replistream_tickets_issued_total",
            "replistream_tickets_redeemed_total");
    assertThat(metrics)
        .containsKeys(
            CloseReasons.labels().stream()
                .map(r -> "replistream_connections_closed_total{reason=\"" + r + "\"}")
                .toArray(String[]::new));
    assertThat(metrics)
        .containsKeys(
            Refusals.labels().stream()
                .map(r -> "replistream_token_failures_total{reason=\"" + r + "\"}")
                .toArray(String[]::new));
    assertThat(metrics).containsKeys("memory_usedHeap_bytes", "jvm_uptime_seconds", "thread_count");
  }

  @Test
  void whatHappensIsCounted() {
    Map<String, Double> before = client.metrics();

    try (StreamClient first = client.connected("a-very-special-user")) {
      assertThat(client.metrics())
          .containsEntry("replistream_connections_open{transport=\"sse\"}", 1.0);
      String ticket = client.ticket("a-very-special-user");
      try (StreamClient second = client.open(HttpRequest.api("GET", "/stream?ticket=" + ticket))) {
        second.expect("connected");
        client.send(client.stream("a-very-special-user"));
        client.poke("a-very-special-user");
        client.send(
            HttpRequest.api("POST", "/poke-user")
                .by(client.token("a-backend", "replicache:poke"))
                .with("{\"userIds\":[\"a-very-special-user\",\"nobody\"]}"));
        SERVICE.application().pokes().notifyUser("a-very-special-user");
        client.send(HttpRequest.api("GET", "/stats"));
        client.send(HttpRequest.api("GET", "/stats").by("x.y.z"));
        expectSyncs(first);
        expectSyncs(second);
        first.expect("ping");
      }
    }
    String closed = "replistream_connections_closed_total{reason=\"client-closed\"}";
    Eventually.holds("both are gone", () -> delta(before, client.metrics(), closed) == 2);

    Map<String, Double> after = client.metrics();
    assertDelta(before, after, "replistream_connections_opened_total{transport=\"sse\"}", 2);
    assertDelta(before, after, "replistream_connections_refused_total{limit=\"user-limit\"}", 1);
    assertDelta(before, after, "replistream_connections_open{transport=\"sse\"}", 0);
    assertDelta(before, after, "replistream_pokes_total{source=\"self\"}", 1);
    assertDelta(before, after, "replistream_pokes_total{source=\"service\"}", 2);
    assertDelta(before, after, "replistream_pokes_total{source=\"java\"}", 1);
    assertDelta(before, after, "replistream_tickets_issued_total", 1);
    assertDelta(before, after, "replistream_tickets_redeemed_total", 1);
    assertDelta(before, after, "replistream_token_failures_total{reason=\"missing\"}", 1);
    assertDelta(before, after, "replistream_token_failures_total{reason=\"malformed\"}", 1);
    double syncs = delta(before, after, "replistream_syncs_written_total");
    double coalesced = delta(before, after, "replistream_syncs_coalesced_total");
    assertThat(syncs + coalesced).isEqualTo(6);
    assertDelta(before, after, "replistream_poke_to_write_seconds_count", syncs);
    assertThat(delta(before, after, "replistream_pings_written_total")).isPositive();
    assertThat(client.admin("/metrics").body()).doesNotContain("special", "a-backend", "nobody");
  }

  /// Reads until the last of the four pokes was told of.
  private static void expectSyncs(StreamClient stream) {
    long last = -1;
    while (last < 4) {
      ServerSentEvent event = stream.next();
      assertThat(event).isNotNull();
      if (event != null && event.data().equals("sync")) {
        last = event.stamp();
      }
    }
  }

  private static double delta(Map<String, Double> before, Map<String, Double> after, String name) {
    return after.getOrDefault(name, Double.NaN) - before.getOrDefault(name, Double.NaN);
  }

  private static void assertDelta(
      Map<String, Double> before, Map<String, Double> after, String name, double expected) {
    assertThat(delta(before, after, name)).as(name).isEqualTo(expected);
  }
}
