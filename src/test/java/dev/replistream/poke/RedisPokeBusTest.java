package dev.replistream.poke;

import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;

/// Two nodes that meet in a real Redis.
class RedisPokeBusTest extends PokeBusRules {
  private static TestRedis redis;
  private List<PokeBus> buses = List.of();

  @BeforeAll
  static void start() {
    redis = TestRedis.start();
  }

  @AfterAll
  static void stop() {
    redis.close();
  }

  static RedisPokeBus bus(String url, String prefix) {
    return new RedisPokeBus(
        new RedisSettings(RedisUrl.parse(url), prefix),
        MAX_PER_USER,
        Services.get(MetricsFactory.class).globalRegistry());
  }

  @Override
  List<PokeBus> open() {
    String prefix = UUID.randomUUID().toString();
    buses = List.of(bus(redis.url(), prefix), bus(redis.url(), prefix));
    return buses;
  }

  @AfterEach
  void close() {
    buses.forEach(PokeBus::close);
  }
}
