package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.ServerSentEvent;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.WebSocketClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// How a service goes: last of all for those who listen, and nothing they should know is lost.
class DrainTest {
  private static final int STREAMS = 40;
  private static final Duration WINDOW = Duration.ofSeconds(1);

  private final TestService service = TestService.start("STREAM_DRAIN", WINDOW.toString());
  private final ServiceClient client = service.client();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final List<StreamClient> streams = new ArrayList<>();

  @AfterEach
  void close() {
    service.close();
    threads.close();
    streams.forEach(StreamClient::close);
  }

  private void open(int count) {
    for (int i = 0; i < count; i++) {
      streams.add(client.connected("user-" + i));
    }
  }

  /// Begins to close the service and returns when it refuses streams.
  private Future<?> beginToClose() {
    Future<?> closing = threads.submit(service::close);
    Eventually.holds("draining", () -> service.sseManager().isDraining());
    return closing;
  }

  /// How a stream ended.
  private record End(List<ServerSentEvent> events, long nanoTime, long reconnectionMillis) {}

  private Future<End> end(StreamClient stream) {
    return threads.submit(() -> {
      List<ServerSentEvent> events = stream.untilEnd(HttpConnection.PATIENCE);
      return new End(events, System.nanoTime(), stream.reconnectionMillis());
    });
  }

  @Test
  void endsAreSpreadOverTheWindowAndEachSaysWhenToComeBack()
      throws ExecutionException, InterruptedException {
    open(STREAMS);
    List<Future<End>> ends = streams.stream().map(this::end).toList();
    long begin = System.nanoTime();

    service.close();

    long closed = System.nanoTime();
    List<Long> atMillis = new ArrayList<>();
    List<Long> reconnections = new ArrayList<>();
    for (Future<End> each : ends) {
      End end = each.get();
      assertThat(end.events()).isEmpty();
      atMillis.add((end.nanoTime() - begin) / 1_000_000);
      reconnections.add(end.reconnectionMillis());
    }
    atMillis.sort(null);
    assertThat(atMillis.getLast() - atMillis.getFirst()).isGreaterThan(WINDOW.toMillis() * 6 / 10);
    assertThat(atMillis.get(STREAMS / 2) - atMillis.getFirst()).isBetween(200L, 800L);
    assertThat(Duration.ofNanos(closed - begin)).isLessThan(WINDOW.multipliedBy(4));
    assertThat(reconnections).allMatch(millis -> millis >= 2_000 && millis <= 8_000);
    assertThat(reconnections.stream().distinct().count()).isGreaterThan(STREAMS / 2);
  }

  @Test
  void theServiceIsNotReadyFirstAndPokesToTheLast() {
    open(STREAMS);
    assertThat(client.admin("/health/ready").status()).isEqualTo(200);

    var _ = beginToClose();

    assertThat(client.admin("/health/ready").status()).isEqualTo(503);
    assertThat(client.admin("/health/live").status()).isEqualTo(200);
    assertThat(client.poke("nobody")).isZero();
    assertThat(client.stats("x").getInt("totalConnections")).isPositive();
  }

  @Test
  void whoComesNowIsSentElsewhereWhateverItBrings() {
    open(STREAMS);
    String ticket = client.ticket("new");

    var _ = beginToClose();
    HttpReply byHeader = client.send(client.stream("new"));
    HttpReply byTicket = client.send(HttpRequest.api("GET", "/stream?ticket=" + ticket));

    for (HttpReply reply : List.of(byHeader, byTicket)) {
      assertThat(reply.status()).isEqualTo(200);
      assertThat(reply.header("Content-Type")).isEqualTo("text/event-stream");
      assertThat(reply.body()).matches("retry: \\d{4,5}\n\n");
    }
  }

  @Test
  void whoComesNowIsToldToComeBackWhenTheServiceHasGone() {
    Duration window = Duration.ofSeconds(2);
    try (TestService draining =
        TestService.start("STREAM_DRAIN", window.toString(), "STREAM_RETRY", "PT0.05S")) {
      ServiceClient visitor = draining.client();
      String streamTicket = visitor.ticket("new");
      String socketTicket = visitor.ticket("new");
      for (int i = 0; i < 4; i++) {
        streams.add(visitor.connected("user-" + i));
      }
      long begin = System.nanoTime();
      threads.execute(draining::close);
      Eventually.holds("draining", () -> draining.sseManager().isDraining());

      for (HttpRequest request :
          List.of(
              visitor.stream("new"), HttpRequest.api("GET", "/stream?ticket=" + streamTicket))) {
        String retry = visitor.send(request).body().strip();
        assertBeyond(begin, window, retry);
      }
      for (HttpRequest request :
          List.of(
              WebSocketClient.handshake("").by(visitor.token("new")),
              WebSocketClient.handshake("?ticket=" + socketTicket))) {
        try (WebSocketClient socket = visitor.openWebSocket(request)) {
          String retry = socket.expectClose(1001);
          assertBeyond(begin, window, retry);
        }
      }
    }
  }

  /// Whoever waits as it was just told finds that the window has passed, and little more.
  private static void assertBeyond(long begin, Duration window, String retry) {
    assertThat(retry).matches("retry: \\d+");
    Duration told = Duration.ofMillis(Long.parseLong(retry.substring("retry: ".length())));
    Duration passed = Duration.ofNanos(System.nanoTime() - begin);
    assertThat(passed.plus(told)).isGreaterThanOrEqualTo(window);
    assertThat(told).isLessThanOrEqualTo(window.plusMillis(200));
  }

  @Test
  void pokesReachEachStreamToItsEndAndTheNextNodeTellsWhatMayBeMissing()
      throws ExecutionException, InterruptedException {
    open(STREAMS);
    List<Future<End>> ends = streams.stream().map(this::end).toList();

    var _ = beginToClose();
    int notified = 0;
    for (int i = 0; i < STREAMS; i++) {
      notified += client.poke("user-" + i);
    }

    int told = 0;
    try (TestService next = TestService.start()) {
      for (int i = 0; i < STREAMS; i++) {
        End end = ends.get(i).get();
        told += end.events().size();
        String lastEventId =
            end.events().isEmpty() ? "unknown" : end.events().getLast().lastEventId();
        try (StreamClient resumed = next.client().resumed("user-" + i, lastEventId)) {
          resumed.expect("sync");
          next.client().poke("user-" + i);
          long stamp = resumed.expect("sync").stamp();
          assertThat(stamp).isEqualTo(i + 1);
        }
      }
    }
    assertThat(told).isBetween(1, notified); // one may be notified at its very end
  }

  @Test
  void aServiceWithoutStreamsIsGoneAtOnce() {
    long begin = System.nanoTime();

    service.close();

    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(WINDOW);
  }

  @Test
  void closingTwiceIsClosingOnce() {
    open(3);

    service.close();
    service.close();

    assertThat(service.sseManager().connections()).isZero();
  }
}
