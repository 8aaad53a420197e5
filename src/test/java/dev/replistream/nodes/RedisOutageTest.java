package dev.replistream.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.LogCapture;
import dev.replistream.poke.EventId;
import dev.replistream.poke.Poke;
import dev.replistream.poke.PokeBus;
import dev.replistream.poke.RecordingStreams;
import dev.replistream.poke.TcpProxy;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.RedisClient;

/// What two nodes do while Redis is away, or one of them is cut off from it, and after.
class RedisOutageTest {
  /// Within which every client that missed a poke has to be told, once all is well again.
  private static final Duration REPAIR = Duration.ofSeconds(10);

  /// Within which a node says that it has lost Redis: two seconds, and what a busy machine adds.
  private static final Duration NOTICE = Duration.ofSeconds(5);

  private final String prefix = UUID.randomUUID().toString();
  private TestRedis redis;
  private TcpProxy proxy;
  private RedisPokeBus near;
  private RedisPokeBus far;
  private RecordingStreams nearStreams;
  private RecordingStreams farStreams;

  @BeforeEach
  void open() {
    redis = TestRedis.start();
    proxy = new TcpProxy(redis.port());
    near = RedisPokeBusTest.bus("redis://127.0.0.1:" + proxy.port(), prefix);
    far = RedisPokeBusTest.bus(redis.url(), prefix);
    nearStreams = new RecordingStreams(near);
    farStreams = new RecordingStreams(far);
    Eventually.holds("both are up", () -> near.isAvailable() && far.isAvailable());
  }

  @AfterEach
  void close() {
    near.close();
    far.close();
    proxy.close();
    redis.close();
  }

  enum Outage {
    KILLED {
      @Override
      void begin(RedisOutageTest test) {
        test.redis.kill();
      }

      @Override
      void end(RedisOutageTest test) {
        test.redis.restart();
      }
    },
    HANGING {
      @Override
      void begin(RedisOutageTest test) {
        test.redis.suspend();
      }

      @Override
      void end(RedisOutageTest test) {
        test.redis.resume();
      }
    };

    abstract void begin(RedisOutageTest test);

    abstract void end(RedisOutageTest test);
  }

  private static long newest(RecordingStreams streams, String userId) {
    return streams.delivered(userId).stream().mapToLong(Poke::stamp).max().orElse(-1);
  }

  @ParameterizedTest
  @EnumSource
  void bothSayThatItIsAwayAndPokeTheirOwnStreamsUntilItIsBack(Outage outage) {
    nearStreams.open("alice");
    farStreams.open("alice");
    near.poke("alice", PokeBus.Source.SELF);

    outage.begin(this);

    Eventually.holdsWithin(NOTICE, "both notice", () -> !near.isAvailable() && !far.isAvailable());
    long before = newest(nearStreams, "alice");
    assertThat(near.poke("alice", PokeBus.Source.SELF)).isEqualTo(1);
    assertThat(newest(nearStreams, "alice")).isGreaterThan(before);
    assertThat(near.connections("alice")).isEqualTo(1);
    assertThat(near.latest("alice").epoch()).isNotEqualTo(far.latest("alice").epoch());
    long degraded = newest(nearStreams, "alice");
    long farBefore = newest(farStreams, "alice");

    outage.end(this);

    Eventually.holdsWithin(REPAIR, "both are up", () -> near.isAvailable() && far.isAvailable());
    Eventually.holdsWithin(
        REPAIR,
        "alice is told on both",
        () -> newest(nearStreams, "alice") > degraded && newest(farStreams, "alice") > farBefore);
    Eventually.holdsWithin(REPAIR, "both count her streams", () -> near.connections("alice") == 2);
    assertThat(far.poke("alice", PokeBus.Source.SELF)).isEqualTo(2);
  }

  @Test
  void aNodeThatStartsBesideOthersMakesNobodyPullWhoComesBack() {
    near.poke("alice", PokeBus.Source.SELF);
    EventId seen = near.latest("alice");

    RedisPokeBus third = RedisPokeBusTest.bus(redis.url(), prefix);
    try (third) {
      RecordingStreams streams = new RecordingStreams(third);
      Eventually.holds("it is up", third::isAvailable);

      assertThat(third.latest("alice")).isEqualTo(seen);
      assertThat(near.latest("alice")).isEqualTo(seen);
      streams.open("alice");
      assertThat(near.poke("alice", PokeBus.Source.SELF)).isEqualTo(1);
    }
  }

  @Test
  void whatIsPokedByANodeThatIsCutOffReachesTheOthersLater() {
    farStreams.open("alice");
    long before = newest(farStreams, "alice");
    proxy.cut();
    assertThat(near.poke("alice", PokeBus.Source.SELF)).isZero();
    assertThat(far.isAvailable()).isTrue();
    assertThat(newest(farStreams, "alice")).isEqualTo(before);

    proxy.mend();

    Eventually.holdsWithin(REPAIR, "alice is told", () -> newest(farStreams, "alice") > before);
    assertThat(farStreams.delivered("alice")).hasSize(1);
  }

  @Test
  void whatIsPokedByOthersReachesANodeThatWasCutOff() {
    nearStreams.open("alice");
    proxy.cut();
    far.poke("alice", PokeBus.Source.SELF);
    long stamp = far.latest("alice").stamp();

    proxy.mend();

    Eventually.holdsWithin(REPAIR, "alice is told", () -> newest(nearStreams, "alice") >= stamp);
  }

  @Test
  void whatANodePokesWhileItIsCutOffReachesTheOthersWhenItIsBack() {
    farStreams.open("alice");
    proxy.cut();
    Eventually.holdsWithin(NOTICE, "it is noticed", () -> !near.isAvailable());
    assertThat(near.poke("alice", PokeBus.Source.SELF)).isZero();
    raiseCounter(10);
    assertThat(farStreams.delivered("alice")).isEmpty();

    proxy.mend();

    Eventually.holdsWithin(REPAIR, "alice is told", () -> newest(farStreams, "alice") > 0);
    assertThat(far.isAvailable()).isTrue();
  }

  /// More than a node notes: then all nodes bring all their streams a sync.
  @Test
  void noneOfVeryManyPokesOfANodeThatIsCutOffIsForgotten() {
    farStreams.open("alice");
    proxy.cut();
    Eventually.holdsWithin(NOTICE, "it is noticed", () -> !near.isAvailable());
    for (int i = 0; i < 100_000; i++) {
      near.poke("user" + i, PokeBus.Source.SELF);
    }
    near.poke("alice", PokeBus.Source.SELF);
    raiseCounter(110_000);
    assertThat(farStreams.delivered("alice")).isEmpty();

    proxy.mend();

    Eventually.holdsWithin(REPAIR, "alice is told", () -> newest(farStreams, "alice") > 0);
  }

  /// Above what the other node gives meanwhile: else it looks as if Redis had lost writes, for
  /// which all nodes mend.
  private void raiseCounter(int pokes) {
    Set<String> others =
        IntStream.range(0, pokes).mapToObj(i -> "other" + i).collect(Collectors.toSet());
    far.poke(others, "", PokeBus.Source.ROOM);
  }

  @Test
  void aConnectionThatGoesSilentIsNoticed() {
    nearStreams.open("alice");

    proxy.silence();

    Eventually.holdsWithin(NOTICE, "it is noticed", () -> !near.isAvailable());
    proxy.mend();
    Eventually.holdsWithin(REPAIR, "it is up again", near::isAvailable);
    Eventually.holdsWithin(REPAIR, "alice is told", () -> newest(nearStreams, "alice") > 0);
  }

  @Test
  void anEmptiedRedisLeadsToOneSyncForEachStream() {
    nearStreams.open("alice");
    farStreams.open("bob");
    near.poke("alice", PokeBus.Source.SELF);
    EventId before = near.latest("alice");

    redis.empty();

    Eventually.holdsWithin(
        REPAIR, "alice is told", () -> newest(nearStreams, "alice") > before.stamp());
    Eventually.holdsWithin(REPAIR, "bob is told", () -> newest(farStreams, "bob") > 0);
    assertThat(near.latest("alice").stamp()).isGreaterThan(before.stamp());
    Eventually.holdsWithin(
        REPAIR, "bob is found", () -> near.poke("bob", PokeBus.Source.SELF) == 1);
  }

  @Test
  void aCounterThatWentBackIsRaisedAgain() {
    nearStreams.open("alice");
    near.poke("alice", PokeBus.Source.SELF);
    long before = near.latest("alice").stamp();
    try (RedisClient client = redis.client()) {
      // as a replica that takes over without the last writes
      client.hset(prefix + ":{0}:cursor", "counter", Long.toString(before - 1_000));
    }

    Eventually.holdsWithin(REPAIR, "alice is told", () -> newest(nearStreams, "alice") > before);
    near.poke("alice", PokeBus.Source.SELF);
    assertThat(newest(nearStreams, "alice")).isEqualTo(near.latest("alice").stamp());
  }

  @Test
  void theStreamsOfANodeThatDiedAreCountedNoMore() {
    farStreams.open("alice");
    Eventually.holds("it counts", () -> near.connections("alice") == 1);
    try (RedisClient client = redis.client()) {
      assertThat(client.keys(prefix + ":{0}:lease:*")).hasSize(2);
    }

    far.abandon();

    Eventually.holdsWithin(REPAIR, "it counts no more", () -> near.connections("alice") == 0);
    assertThat(near.poke("alice", PokeBus.Source.SELF)).isZero();
    Eventually.holdsWithin(REPAIR, "nor in all", () -> near.connections() == 0);
  }

  @Test
  void aStreamThatBeginsWhileItIsAwayIsCountedAndToldWhenItIsBack() {
    redis.kill();
    Eventually.holds("it is noticed", () -> !near.isAvailable() && !far.isAvailable());

    assertThat(nearStreams.open("alice")).isTrue();
    EventId id = near.latest("alice");

    redis.restart();
    Eventually.holdsWithin(REPAIR, "it counts", () -> far.connections("alice") == 1);
    Eventually.holdsWithin(
        REPAIR, "alice is told", () -> newest(nearStreams, "alice") > id.stamp());
    assertThat(near.latest("alice").epoch()).isNotEqualTo(id.epoch());
  }

  @Test
  void whatIsSentWhileMessagesBreakOffForAMomentIsToldLater() {
    nearStreams.open("alice");
    Eventually.holds("she is found", () -> far.poke("alice", PokeBus.Source.SELF) == 1);
    try (RedisClient client = redis.client()) {
      for (int i = 0; i < 20; i++) {
        client.executeCommand(
            new CommandArguments(Protocol.Command.CLIENT).add("KILL").add("TYPE").add("pubsub"));
        far.poke("alice", PokeBus.Source.SELF);
        long stamp = far.latest("alice").stamp();

        Eventually.holdsWithin(
            REPAIR, "alice is told", () -> newest(nearStreams, "alice") >= stamp);
        Eventually.holdsWithin(
            REPAIR, "both are up", () -> near.isAvailable() && far.isAvailable());
      }
    }
  }

  @Test
  void aRedisThatIsAwayAtTheStartIsSaidAndFoundLater() {
    redis.kill();
    try (LogCapture log = new LogCapture();
        RedisPokeBus late = RedisPokeBusTest.bus(redis.url(), prefix)) {
      RecordingStreams streams = new RecordingStreams(late);
      assertThat(streams.open("alice")).isTrue();

      Eventually.holds("it is said", () -> !log.lines("redis-lost").isEmpty());
      assertThat(late.poke("alice", PokeBus.Source.SELF)).isEqualTo(1);
      redis.restart();

      Eventually.holdsWithin(REPAIR, "it is found", late::isAvailable);
      Eventually.holdsWithin(REPAIR, "alice is told", () -> streams.delivered("alice").size() > 1);
    }
  }
}
