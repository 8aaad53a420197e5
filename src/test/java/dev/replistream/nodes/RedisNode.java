package dev.replistream.nodes;

import dev.replistream.auth.TicketStore;
import dev.replistream.poke.PokeBus;
import dev.replistream.poke.RecordingStreams;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import java.util.Optional;

/// A node that meets others in Redis, wired as the application does it.
public final class RedisNode implements TestNode {
  private static final int MAX_PER_USER = 99;

  private final RedisConnection redis;
  private final RedisNodes nodes;
  private final RedisPokeBus bus;
  private final RedisKeeper keeper;
  private final RecordingStreams streams;
  private volatile boolean hasMet;

  /// A node that has not begun, and has no streams as long as nobody else subscribes.
  public RedisNode(String url, String prefix) {
    MeterRegistry meters = Services.get(MetricsFactory.class).globalRegistry();
    redis = new RedisConnection(new RedisSettings(RedisUrl.parse(url), prefix), meters);
    nodes = new RedisNodes(redis, MAX_PER_USER);
    bus = new RedisPokeBus(redis, nodes, meters);
    keeper = new RedisKeeper(redis, nodes, bus);
    streams = new RecordingStreams(bus, nodes);
  }

  /// A node that has begun to look for Redis.
  static RedisNode open(String url, String prefix) {
    RedisNode node = new RedisNode(url, prefix);
    node.start();
    return node;
  }

  public void start() {
    nodes.onTopologyChange(() -> hasMet = true);
    keeper.start();
  }

  @Override
  public PokeBus bus() {
    return bus;
  }

  @Override
  public Nodes nodes() {
    return nodes;
  }

  @Override
  public RecordingStreams streams() {
    return streams;
  }

  /// Tickets of all nodes.
  TicketStore tickets(TicketStore own) {
    return new RedisTickets(redis, own);
  }

  Optional<String> refusal() {
    return redis.refusal();
  }

  @Override
  public boolean isReady() {
    return hasMet && bus.isAvailable();
  }

  /// Dies without a word.
  void kill() {
    keeper.abandon();
  }

  @Override
  public void close() {
    keeper.close();
  }
}
