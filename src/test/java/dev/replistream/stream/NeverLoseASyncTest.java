package dev.replistream.stream;

import dev.replistream.Eventually;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.WebSocketClient;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Random histories, in this process's memory by the thousand and over real sockets by the dozen.
class NeverLoseASyncTest {
  /// A whole service, and clients that speak to it over TCP.
  private record OverSockets(TestService service) implements SyncScenario.Service {
    @Override
    public SyncScenario.Stream open(String userId, @Nullable String lastEventId) {
      var request = service.client().stream(userId);
      StreamClient client =
          service
              .client()
              .open(lastEventId == null ? request : request.with("Last-Event-ID", lastEventId));
      return SyncScenario.Stream.of(client::poll, client::reset);
    }

    @Override
    public int poke(String userId) {
      return service.client().poke(userId);
    }
  }

  /// As {@link OverSockets}, over WebSockets.
  private record OverWebSockets(TestService service) implements SyncScenario.Service {
    @Override
    public SyncScenario.Stream open(String userId, @Nullable String lastEventId) {
      WebSocketClient client =
          service
              .client()
              .openWebSocket(
                  WebSocketClient.handshake(
                          "?lastEventId=" + (lastEventId == null ? "" : lastEventId))
                      .by(service.client().token(userId)));
      return SyncScenario.Stream.of(client::poll, client::reset);
    }

    @Override
    public int poke(String userId) {
      return service.client().poke(userId);
    }
  }

  @Test
  void inMemoryNoClientMissesAPokeOrIsToldTwice() throws ExecutionException, InterruptedException {
    long firstSeed = System.nanoTime();
    for (long seed = firstSeed; seed < firstSeed + 2_000; seed++) {
      try (MemoryService service = new MemoryService()) {
        new SyncScenario(service, seed).run();
      }
    }
  }

  @Test
  void whilePingsAreDueAllTheTimeNoClientMissesAPokeOrIsToldTwice()
      throws ExecutionException, InterruptedException {
    long firstSeed = System.nanoTime();
    for (long seed = firstSeed; seed < firstSeed + 500; seed++) {
      try (MemoryService service = new MemoryService(Duration.ofNanos(50_000))) {
        new SyncScenario(service, seed).run();
      }
    }
    runOnAService(OverSockets::new, "STREAM_PING_INTERVAL", "PT0.01S");
  }

  @Test
  void overSocketsNoClientMissesAPokeOrIsToldTwice()
      throws ExecutionException, InterruptedException {
    runOnAService(OverSockets::new);
  }

  @Test
  void overWebSocketsNoClientMissesAPokeOrIsToldTwice()
      throws ExecutionException, InterruptedException {
    runOnAService(OverWebSockets::new);
  }

  private static void runOnAService(
      Function<TestService, SyncScenario.Service> clients, String... settings)
      throws ExecutionException, InterruptedException {
    long firstSeed = System.nanoTime();
    try (TestService service = TestService.start(settings)) {
      for (long seed = firstSeed; seed < firstSeed + 40; seed++) {
        new SyncScenario(clients.apply(service), seed).run();
        Eventually.holds("nobody is left", () -> service.sseManager().connections() == 0);
      }
    }
  }
}
