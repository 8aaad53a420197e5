package dev.replistream.poke;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.LogCapture;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

  @ParameterizedTest
  @CsvSource({
    "100mb, volatile-ttl, event=redis-may-evict policy=volatile-ttl",
    "100mb, noeviction,",
    "0, allkeys-lru,",
  })
  void aRedisThatMayForgetIsWarnedOf(String memory, String policy, @Nullable String warning)
      throws InterruptedException {
    CountDownLatch found = new CountDownLatch(1);
    try (TestRedis own = TestRedis.start("--maxmemory", memory, "--maxmemory-policy", policy);
        LogCapture log = new LogCapture();
        RedisPokeBus bus = bus(own.url(), "any")) {
      bus.onceFound(found::countDown);
      var _ = new RecordingStreams(bus);

      assertThat(found.await(20, TimeUnit.SECONDS)).isTrue();

      assertThat(log.warnings()).containsExactlyElementsOf(Stream.ofNullable(warning).toList());
    }
  }
}
