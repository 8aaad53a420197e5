package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.auth.Caller;
import dev.replistream.http.wire.TakenSocket;
import dev.replistream.http.wire.WireOver;
import dev.replistream.nodes.Nodes;
import dev.replistream.nodes.SingleNode;
import dev.replistream.poke.Cursor;
import dev.replistream.poke.LocalPokeBus;
import dev.replistream.poke.PokeBus;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import java.net.Socket;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.function.Predicate;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.jspecify.annotations.Nullable;

/// The streams without HTTP and network: manager, sessions and connections are the real ones, what
/// carries the bytes is memory.
final class MemoryService implements SyncScenario.Service, AutoCloseable {
  private static final MeterRegistry METERS = Services.get(MetricsFactory.class).globalRegistry();
  private static final Duration NEVER = Duration.ofHours(1);

  private final StreamSettings settings;
  private final StreamMetrics metrics = new StreamMetrics(METERS);
  private final SseManager manager;

  MemoryService() {
    this(_ -> false);
  }

  /// @param pingInterval after how much silence its streams ping
  MemoryService(Duration pingInterval) {
    this(pingInterval, bus(), new SingleNode(), _ -> false);
  }

  /// @param isRevoked whether a caller's token was revoked
  MemoryService(Predicate<Caller> isRevoked) {
    this(NEVER, bus(), new SingleNode(), isRevoked);
  }

  /// One of many nodes.
  MemoryService(PokeBus bus, Nodes nodes) {
    this(NEVER, bus, nodes, _ -> false);
  }

  private MemoryService(
      Duration pingInterval, PokeBus bus, Nodes nodes, Predicate<Caller> isRevoked) {
    settings =
        new StreamSettings(
            pingInterval, Duration.ofSeconds(2), Duration.ofSeconds(10), Duration.ZERO, 99, 99);
    manager =
        new SseManager(
            settings,
            Duration.ZERO,
            bus,
            nodes,
            (userIds, source) -> userIds.stream().mapToInt(each -> bus.poke(each, source)).sum(),
            metrics,
            isRevoked,
            Clock.systemUTC());
  }

  /// Who is connected to a node that is alone, where no token was revoked and nobody pokes by it.
  static SseManager manager(StreamSettings settings, PokeBus bus, StreamMetrics metrics) {
    return new SseManager(
        settings,
        Duration.ZERO,
        bus,
        new SingleNode(),
        (_, _) -> 0,
        metrics,
        _ -> false,
        Clock.systemUTC());
  }

  private static PokeBus bus() {
    return new LocalPokeBus(new Cursor("e", 1_000), METERS);
  }

  SseManager manager() {
    return manager;
  }

  /// Registers a connection that nobody serves yet.
  Connection register(String userId) {
    return register(userId, Transport.SSE);
  }

  /// Registers a connection of this kind that nobody serves yet.
  Connection register(String userId, Transport transport) {
    return register(userId, transport, Duration.ofHours(1));
  }

  /// Registers a connection whose token expires after `lifeLeft`.
  Connection register(String userId, Transport transport, Duration lifeLeft) {
    Caller caller =
        new Caller(userId, Set.of(), Instant.now().plus(lifeLeft), Caller.Credential.HEADER);
    Connection connection = new Connection(caller, transport, "a test", lifeLeft);
    assertThat(manager.register(connection)).isEqualTo(SseManager.Admission.ADMITTED);
    return connection;
  }

  /// Serves a registered connection on a thread of its own.
  void serve(Connection connection, @Nullable String lastEventId, MemoryConnection memory) {
    SseSession session =
        new SseSession(connection, new byte[0], lastEventId, manager, settings, metrics);
    TakenSocket socket = WireOver.taken(memory);
    Thread.startVirtualThread(() -> {
      session.accept(socket, Feeds.NONE);
      memory.close();
    });
  }

  /// Serves a registered connection as a WebSocket on a thread of its own.
  void serveWebSocket(Connection connection, MemoryConnection memory) {
    WebSocketSession session =
        new WebSocketSession(connection, new byte[0], null, manager, settings, metrics);
    TakenSocket socket = WireOver.taken(memory);
    Thread.startVirtualThread(() -> {
      session.accept(socket, Feeds.NONE);
      memory.close();
    });
  }

  /// Serves a registered connection over TCP, on a thread of its own.
  void serve(Connection connection, EventForm form, Socket socket) {
    Thread.startVirtualThread(() ->
        WireOver.serve(
            socket,
            taken ->
                connection.serve(
                    taken, form, Feeds.NONE, manager, metrics, settings.pingInterval())));
  }

  @Override
  public MemoryConnection open(String userId, @Nullable String lastEventId) {
    MemoryConnection memory =
        userId.endsWith("1")
            ? new MemoryConnection()
            : new MemoryConnection(MemoryConnection.socketFailure("Connection reset"));
    serve(register(userId), lastEventId, memory);
    return memory;
  }

  @Override
  public int poke(String userId) {
    return manager.notifyUser(userId);
  }

  /// Waits until all connections have ended, as they do by themselves once their clients are gone.
  @Override
  public void close() {
    Eventually.holds("nobody is left", () -> manager.connections() == 0);
    assertThat(manager).extracting("users").asInstanceOf(InstanceOfAssertFactories.MAP).isEmpty();
    manager.close();
    metrics.close();
  }
}
