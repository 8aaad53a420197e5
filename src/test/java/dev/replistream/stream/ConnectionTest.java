package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpConnection;
import dev.replistream.ServerSentEvent;
import dev.replistream.auth.Caller;
import dev.replistream.http.wire.TakenSocket;
import dev.replistream.poke.EventId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The loop of a stream: what time brings, and who writes next.
class ConnectionTest {
  private static String next(MemoryConnection client) {
    ServerSentEvent event = client.poll(HttpConnection.PATIENCE);
    return event == null ? "nothing" : event.data();
  }

  @Test
  void afterAnEventTheStreamWaitsForWhatIsLeftOfTheSilence() {
    Duration interval = Duration.ofMillis(400);
    List<Duration> silences = new ArrayList<>();
    try (MemoryService service = new MemoryService(interval);
        MemoryConnection client = service.open("alice", null)) {
      assertThat(next(client)).isEqualTo("connected");
      do {
        // between two events that are half an interval apart the time-out comes to nothing
        assertThat(client.poll(interval.dividedBy(2))).isNull();
        service.poke("alice");
        assertThat(next(client)).isEqualTo("sync");
        long synced = System.nanoTime();
        assertThat(next(client)).isEqualTo("ping");
        silences.add(Duration.ofNanos(System.nanoTime() - synced));
        // a whole interval from the time-out on would be 600 ms; this machine may be slow at times
      } while (silences.getLast().toMillis() >= 550 && silences.size() < 10);
    }
    assertThat(silences.getLast()).isBetween(interval.minusMillis(20), Duration.ofMillis(550));
  }

  @Test
  void pingsThatWouldBeDueInTheSameMomentAreSpreadOverHalfASecond() {
    long pingNanos = Duration.ofSeconds(30).toNanos();
    Caller caller = new Caller("alice", Set.of(), Instant.MAX, Caller.Credential.HEADER);

    LongSummaryStatistics waits =
        IntStream.range(0, 1_000)
            .mapToObj(_ -> new Connection(caller, Transport.SSE, "a test", Duration.ofHours(1)))
            .mapToLong(each -> each.nanosTillDue(pingNanos))
            .summaryStatistics();

    assertThat(Duration.ofNanos(waits.getMin())).isGreaterThan(Duration.ofSeconds(29));
    assertThat(Duration.ofNanos(waits.getMax())).isLessThanOrEqualTo(Duration.ofMillis(30_500));
    assertThat(Duration.ofNanos(waits.getMax() - waits.getMin()))
        .isGreaterThan(Duration.ofMillis(250));
  }

  @ParameterizedTest
  @EnumSource
  void aTokenExpiresOnASilentStream(Transport transport) {
    try (MemoryService service = new MemoryService()) {
      MemoryConnection client = new MemoryConnection();
      Connection connection = service.register("alice", transport, Duration.ofMillis(100));
      serve(service, connection, client);

      Eventually.holds("the end", client::hasEnded);

      assertThat(connection.reason()).isEqualTo(CloseReason.TOKEN_EXPIRED);
      assertThat(System.nanoTime() - connection.openedNanoTime()).isGreaterThan(100_000_000);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aTokenExpiresThoughThereIsAlwaysSomethingToWrite(Transport transport) {
    try (MemoryService service = new MemoryService()) {
      MemoryConnection client = new MemoryConnection();
      Connection connection = service.register("alice", transport, Duration.ofMillis(100));
      serve(service, connection, client);

      Eventually.holds(
          "the end",
          () -> {
            for (int i = 0; i < 1_000; i++) {
              service.poke("alice");
            }
            return client.hasEnded();
          });

      assertThat(connection.reason()).isEqualTo(CloseReason.TOKEN_EXPIRED);
    }
  }

  private static void serve(MemoryService service, Connection connection, MemoryConnection client) {
    switch (connection.transport()) {
      case SSE -> service.serve(connection, null, client);
      case WEBSOCKET -> service.serveWebSocket(connection, client);
    }
  }

  @Test
  void aTokenThatExpiresWhileAWriteBlocksEndsTheStreamAfterThatWrite() {
    try (MemoryService service = new MemoryService()) {
      MemoryConnection client = new MemoryConnection();
      Connection connection = service.register("alice", Transport.SSE, Duration.ofSeconds(1));
      service.serve(connection, null, client);
      assertThat(next(client)).isEqualTo("connected");
      client.holdWrites();
      service.poke("alice");
      Eventually.holds("the write is under way", client::isBlocked);
      service.poke("alice");
      Eventually.holds(
          "expired", () -> System.nanoTime() - connection.openedNanoTime() > 1_000_000_000);
      assertThat(client.hasEnded()).isFalse();

      client.releaseWrites();

      Eventually.holds("the end", client::hasEnded);
      assertThat(connection.reason()).isEqualTo(CloseReason.TOKEN_EXPIRED);
      assertThat(next(client)).isEqualTo("sync");
      assertThat(client.poll(Duration.ofMillis(1))).isNull();
    }
  }

  @Test
  void howeverManyBringSomethingAtOnceOneTurnIsQueuedAndTheEndComes()
      throws ExecutionException, InterruptedException {
    try (MemoryService service = new MemoryService(Duration.ofNanos(50_000));
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int round = 0; round < 200; round++) {
        MemoryConnection client = new MemoryConnection();
        Connection connection = service.register("alice", Transport.WEBSOCKET);
        service.serveWebSocket(connection, client);
        List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          int stamp = i;
          running.add(
              threads.submit(() -> {
                for (int poke = 1; poke < 50; poke++) {
                  connection.offer(new SyncEvent(new EventId("e", stamp * 50 + poke), 0));
                  connection.offerControl();
                  connection.offerPresence();
                  assertThat(connection)
                      .extracting("queue")
                      .asInstanceOf(InstanceOfAssertFactories.COLLECTION)
                      .hasSizeLessThan(2);
                }
              }));
        }
        running.add(threads.submit(() -> connection.end(CloseReason.ENDED)));
        for (Future<?> each : running) {
          each.get();
        }
        Eventually.holds("gone", () -> service.manager().connections() == 0);
        client.close();
        assertThat(connection.reason()).isEqualTo(CloseReason.ENDED);
      }
    }
  }

  /// What is written on `poker`'s thread brings something more, as others may do meanwhile.
  private static final class Busy implements EventForm {
    static final int MOST = 1_000;

    private final Connection connection;
    private final Thread poker;
    final AtomicInteger offered = new AtomicInteger();
    final AtomicInteger byPoker = new AtomicInteger();
    volatile long writtenStamp;

    Busy(Connection connection, Thread poker) {
      this.connection = connection;
      this.poker = poker;
    }

    void offer() {
      connection.offer(new SyncEvent(new EventId("e", 2_000 + offered.incrementAndGet()), 0));
    }

    @Override
    public byte[] sync(SyncEvent sync) {
      if (Thread.currentThread().equals(poker) && byPoker.incrementAndGet() < MOST) {
        offer();
      }
      writtenStamp = sync.stamp();
      return sync.eventStream();
    }

    @Override
    public void watch(TakenSocket socket) {}

    @Override
    public @Nullable String lastEventId() {
      return null;
    }

    @Override
    public byte[] first(EventId id) {
      return ping();
    }

    @Override
    public byte[] ping() {
      return new byte[1];
    }

    @Override
    public byte[] presence(byte[] json) {
      return json;
    }

    @Override
    public byte[] rejected(byte[] json) {
      return json;
    }

    @Override
    public byte[] mutation(byte[] json) {
      return json;
    }

    @Override
    public byte @Nullable [] farewell(CloseReason reason) {
      return null;
    }
  }

  @Test
  void whoBringsSomethingIsNotKeptByWhatOthersBring() throws IOException {
    try (ServerSocketChannel listener = ServerSocketChannel.open();
        MemoryService service = new MemoryService()) {
      listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      try (SocketChannel _ = SocketChannel.open(listener.getLocalAddress());
          SocketChannel server = listener.accept()) {
        Connection connection = service.register("alice");
        Busy form = new Busy(connection, Thread.currentThread());
        service.serve(connection, form, server.socket());

        Eventually.holds(
            "this thread writes",
            () -> {
              form.offer();
              return form.byPoker.get() > 0;
            });

        assertThat(form.byPoker.get()).isLessThan(Busy.MOST / 10);
        Eventually.holds(
            "the stream's thread writes the rest",
            () -> form.writtenStamp == 2_000 + form.offered.get());
        connection.end(CloseReason.ENDED);
      }
    }
  }
}
