package dev.replistream.nodes;

import io.helidon.metrics.api.Gauge;
import io.helidon.metrics.api.MeterRegistry;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/// How this node asks Redis, under which name, and whether that is there. What it is asked is the
/// business of {@link RedisNodes}, {@link RedisPokeBus} and {@link RedisTickets}; a {@link
/// RedisKeeper} opens it and closes it.
///
/// Thread-safe. Whoever asks waits for Redis two seconds at most, and not at all while that is
/// known to be away.
public final class RedisConnection {
  private final String node = UUID.randomUUID().toString().replace("-", "").substring(0, 12);
  private final RedisServer server;
  private final RedisCommands commands;
  private final Outage outage;

  /// A connection that is not open yet.
  public RedisConnection(RedisSettings settings, MeterRegistry registry) {
    this.server = new RedisServer(settings);
    this.commands = new RedisCommands(server, node);
    this.outage = new Outage(server.shards());
    registry.getOrCreate(
        Gauge.builder("replistream_redis_up", () -> outage.isOver() ? 1 : 0)
            .description("Whether this node's pokes reach all nodes"));
  }

  /// Why this node can't work with Redis, if that is there and says so: a missing or wrong
  /// password, a right that the user lacks, a certificate that is not trusted, a database that does
  /// not exist. One line without the password. Waits for it a second or two.
  public Optional<String> refusal() {
    return server.refusal();
  }

  /// This node's name among all.
  String node() {
    return node;
  }

  RedisServer server() {
    return server;
  }

  RedisCommands commands() {
    return commands;
  }

  Outage outage() {
    return outage;
  }

  /// What Redis answers, or what is so without it.
  <T> T whileUp(Supplier<T> asked, Supplier<T> otherwise) {
    if (outage.isUp()) {
      try {
        return asked.get();
      } catch (RedisUnavailableException e) {
        outage.begins(e);
      }
    }
    return otherwise.get();
  }

  /// Takes note if something fails that nobody waits for.
  void watch(CompletableFuture<?> asked) {
    var _ =
        asked.whenComplete((_, failure) -> {
          if (failure != null) {
            outage.begins(failure);
          }
        });
  }
}
