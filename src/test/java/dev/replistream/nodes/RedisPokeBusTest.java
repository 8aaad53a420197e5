package dev.replistream.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.LogCapture;
import dev.replistream.auth.Caller;
import dev.replistream.auth.MemoryTickets;
import dev.replistream.auth.TicketStore;
import dev.replistream.poke.PokeBusRules;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Two nodes that meet in a real Redis.
class RedisPokeBusTest extends TwoNodes implements PokeBusRules, NodesRules {
  private static TestRedis redis;

  @BeforeAll
  static void start() {
    redis = TestRedis.start();
  }

  @AfterAll
  static void stop() {
    redis.close();
  }

  @Override
  protected List<RedisNode> open() {
    String prefix = UUID.randomUUID().toString();
    return List.of(RedisNode.open(redis.url(), prefix), RedisNode.open(redis.url(), prefix));
  }

  @Test
  void whoAsksForTooManyTicketsPushesOutTheirOwnOldestAndNobodyElses() {
    List<TicketStore> stores =
        Stream.of(near, far)
            .map(node -> ((RedisNode) node).tickets(new MemoryTickets(10_000, Clock.systemUTC())))
            .toList();
    Caller alice = caller("alice");
    Duration life = Duration.ofSeconds(30);
    stores.getFirst().put("of-bob", caller("bob"), life);
    for (int i = 0; i < 350; i++) {
      stores.get(i % 2).put("of-alice-" + i, alice, life);
    }

    assertThat(stores.getLast().take("of-bob"))
        .hasValueSatisfying(caller -> assertThat(caller.userId()).isEqualTo("bob"));
    // what is pushed out is taken away a moment later
    Eventually.holds("the oldest are gone", () -> stores.getLast().take("of-alice-249").isEmpty());
    assertThat(IntStream.range(0, 250))
        .allMatch(i -> stores.getLast().take("of-alice-" + i).isEmpty());
    assertThat(IntStream.range(250, 350))
        .allMatch(i -> stores.getFirst().take("of-alice-" + i).isPresent());
  }

  private static Caller caller(String userId) {
    return new Caller(userId, Set.of(), Instant.now().plusSeconds(600), Caller.Credential.HEADER);
  }

  @ParameterizedTest
  @CsvSource({
    "100mb, volatile-ttl, event=redis-may-evict policy=volatile-ttl",
    "100mb, noeviction,",
    "0, allkeys-lru,",
  })
  void aRedisThatMayForgetIsWarnedOf(String memory, String policy, @Nullable String warning) {
    try (TestRedis own = TestRedis.start("--maxmemory", memory, "--maxmemory-policy", policy);
        LogCapture log = new LogCapture();
        RedisNode node = RedisNode.open(own.url(), "any")) {
      Eventually.holdsWithin(Duration.ofSeconds(20), "it is there", node::isReady);

      assertThat(log.warnings()).containsExactlyElementsOf(Stream.ofNullable(warning).toList());
    }
  }
}
