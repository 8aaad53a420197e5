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
  private RedisNode near;
  private RedisNode far;

  @BeforeEach
  void open() {
    redis = TestRedis.start();
    proxy = new TcpProxy(redis.port());
    near = RedisNode.open("redis://127.0.0.1:" + proxy.port(), prefix);
    far = RedisNode.open(redis.url(), prefix);
    Eventually.holds("both are up", () -> near.bus().isAvailable() && far.bus().isAvailable());
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
    near.streams().open("alice");
    far.streams().open("alice");
    near.bus().poke("alice", PokeBus.Source.SELF);

    outage.begin(this);

    Eventually.holdsWithin(
        NOTICE, "both notice", () -> !near.bus().isAvailable() && !far.bus().isAvailable());
    long before = newest(near.streams(), "alice");
    assertThat(near.bus().poke("alice", PokeBus.Source.SELF)).isEqualTo(1);
    assertThat(newest(near.streams(), "alice")).isGreaterThan(before);
    assertThat(near.nodes().connections("alice")).isEqualTo(1);
    assertThat(near.bus().latest("alice").epoch()).isNotEqualTo(far.bus().latest("alice").epoch());
    long degraded = newest(near.streams(), "alice");
    long farBefore = newest(far.streams(), "alice");

    outage.end(this);

    Eventually.holdsWithin(
        REPAIR, "both are up", () -> near.bus().isAvailable() && far.bus().isAvailable());
    Eventually.holdsWithin(
        REPAIR,
        "alice is told on both",
        () ->
            newest(near.streams(), "alice") > degraded
                && newest(far.streams(), "alice") > farBefore);
    Eventually.holdsWithin(
        REPAIR, "both count her streams", () -> near.nodes().connections("alice") == 2);
    assertThat(far.bus().poke("alice", PokeBus.Source.SELF)).isEqualTo(2);
  }

  @Test
  void aNodeThatStartsBesideOthersMakesNobodyPullWhoComesBack() {
    near.bus().poke("alice", PokeBus.Source.SELF);
    EventId seen = near.bus().latest("alice");

    try (RedisNode third = RedisNode.open(redis.url(), prefix)) {
      Eventually.holds("it is up", third.bus()::isAvailable);

      assertThat(third.bus().latest("alice")).isEqualTo(seen);
      assertThat(near.bus().latest("alice")).isEqualTo(seen);
      third.streams().open("alice");
      assertThat(near.bus().poke("alice", PokeBus.Source.SELF)).isEqualTo(1);
    }
  }

  @Test
  void whatIsPokedByANodeThatIsCutOffReachesTheOthersLater() {
    far.streams().open("alice");
    long before = newest(far.streams(), "alice");
    proxy.cut();
    assertThat(near.bus().poke("alice", PokeBus.Source.SELF)).isZero();
    assertThat(far.bus().isAvailable()).isTrue();
    assertThat(newest(far.streams(), "alice")).isEqualTo(before);

    proxy.restore();

    Eventually.holdsWithin(REPAIR, "alice is told", () -> newest(far.streams(), "alice") > before);
    assertThat(far.streams().delivered("alice")).hasSize(1);
  }

  @Test
  void whatIsPokedByOthersReachesANodeThatWasCutOff() {
    near.streams().open("alice");
    proxy.cut();
    far.bus().poke("alice", PokeBus.Source.SELF);
    long stamp = far.bus().latest("alice").stamp();

    proxy.restore();

    Eventually.holdsWithin(REPAIR, "alice is told", () -> newest(near.streams(), "alice") >= stamp);
  }

  @Test
  void whatANodePokesWhileItIsCutOffReachesTheOthersWhenItIsBack() {
    far.streams().open("alice");
    proxy.cut();
    Eventually.holdsWithin(NOTICE, "it is noticed", () -> !near.bus().isAvailable());
    assertThat(near.bus().poke("alice", PokeBus.Source.SELF)).isZero();
    raiseCounter(10);
    assertThat(far.streams().delivered("alice")).isEmpty();

    proxy.restore();

    Eventually.holdsWithin(REPAIR, "alice is told", () -> newest(far.streams(), "alice") > 0);
    assertThat(far.bus().isAvailable()).isTrue();
  }

  /// More than a node notes: then all nodes bring all their streams a sync.
  @Test
  void noneOfVeryManyPokesOfANodeThatIsCutOffIsForgotten() {
    far.streams().open("alice");
    proxy.cut();
    Eventually.holdsWithin(NOTICE, "it is noticed", () -> !near.bus().isAvailable());
    for (int i = 0; i < 100_000; i++) {
      near.bus().poke("user" + i, PokeBus.Source.SELF);
    }
    near.bus().poke("alice", PokeBus.Source.SELF);
    raiseCounter(110_000);
    assertThat(far.streams().delivered("alice")).isEmpty();

    proxy.restore();

    Eventually.holdsWithin(REPAIR, "alice is told", () -> newest(far.streams(), "alice") > 0);
  }

  /// Above what the other node gives meanwhile: else it looks as if Redis had lost writes, for from
  /// which all nodes recover.
  private void raiseCounter(int pokes) {
    Set<String> others =
        IntStream.range(0, pokes).mapToObj(i -> "other" + i).collect(Collectors.toSet());
    far.bus().poke(others, "", PokeBus.Source.ROOM);
  }

  @Test
  void aConnectionThatGoesSilentIsNoticed() {
    near.streams().open("alice");

    proxy.silence();

    Eventually.holdsWithin(NOTICE, "it is noticed", () -> !near.bus().isAvailable());
    proxy.restore();
    Eventually.holdsWithin(REPAIR, "it is up again", near.bus()::isAvailable);
    Eventually.holdsWithin(REPAIR, "alice is told", () -> newest(near.streams(), "alice") > 0);
  }

  @Test
  void anEmptiedRedisLeadsToOneSyncForEachStream() {
    near.streams().open("alice");
    far.streams().open("bob");
    near.bus().poke("alice", PokeBus.Source.SELF);
    EventId before = near.bus().latest("alice");

    redis.empty();

    Eventually.holdsWithin(
        REPAIR, "alice is told", () -> newest(near.streams(), "alice") > before.stamp());
    Eventually.holdsWithin(REPAIR, "bob is told", () -> newest(far.streams(), "bob") > 0);
    assertThat(near.bus().latest("alice").stamp()).isGreaterThan(before.stamp());
    Eventually.holdsWithin(
        REPAIR, "bob is found", () -> near.bus().poke("bob", PokeBus.Source.SELF) == 1);
  }

  @Test
  void aCounterThatWentBackIsRaisedAgain() {
    near.streams().open("alice");
    near.bus().poke("alice", PokeBus.Source.SELF);
    long before = near.bus().latest("alice").stamp();
    try (RedisClient client = redis.client()) {
      // as a replica that takes over without the last writes
      client.hset(prefix + ":{0}:cursor", "counter", Long.toString(before - 1_000));
    }

    Eventually.holdsWithin(REPAIR, "alice is told", () -> newest(near.streams(), "alice") > before);
    near.bus().poke("alice", PokeBus.Source.SELF);
    assertThat(newest(near.streams(), "alice")).isEqualTo(near.bus().latest("alice").stamp());
  }

  @Test
  void theStreamsOfANodeThatDiedAreCountedNoMore() {
    far.streams().open("alice");
    Eventually.holds("it counts", () -> near.nodes().connections("alice") == 1);
    try (RedisClient client = redis.client()) {
      assertThat(client.keys(prefix + ":{0}:lease:*")).hasSize(2);
    }

    far.kill();

    Eventually.holdsWithin(
        REPAIR, "it counts no more", () -> near.nodes().connections("alice") == 0);
    assertThat(near.bus().poke("alice", PokeBus.Source.SELF)).isZero();
    Eventually.holdsWithin(REPAIR, "nor in all", () -> near.nodes().connections() == 0);
  }

  @Test
  void aStreamThatBeginsWhileItIsAwayIsCountedAndToldWhenItIsBack() {
    redis.kill();
    Eventually.holds("it is noticed", () -> !near.bus().isAvailable() && !far.bus().isAvailable());

    assertThat(near.streams().open("alice")).isTrue();
    EventId id = near.bus().latest("alice");

    redis.restart();
    Eventually.holdsWithin(REPAIR, "it counts", () -> far.nodes().connections("alice") == 1);
    Eventually.holdsWithin(
        REPAIR, "alice is told", () -> newest(near.streams(), "alice") > id.stamp());
    assertThat(near.bus().latest("alice").epoch()).isNotEqualTo(id.epoch());
  }

  @Test
  void whatIsSentWhileMessagesBreakOffForAMomentIsToldLater() {
    near.streams().open("alice");
    Eventually.holds("she is found", () -> far.bus().poke("alice", PokeBus.Source.SELF) == 1);
    try (RedisClient client = redis.client()) {
      for (int i = 0; i < 20; i++) {
        client.executeCommand(
            new CommandArguments(Protocol.Command.CLIENT).add("KILL").add("TYPE").add("pubsub"));
        far.bus().poke("alice", PokeBus.Source.SELF);
        long stamp = far.bus().latest("alice").stamp();

        Eventually.holdsWithin(
            REPAIR, "alice is told", () -> newest(near.streams(), "alice") >= stamp);
        Eventually.holdsWithin(
            REPAIR, "both are up", () -> near.bus().isAvailable() && far.bus().isAvailable());
      }
    }
  }

  @Test
  void aRedisThatIsAwayAtTheStartIsSaidAndFoundLater() {
    redis.kill();
    try (LogCapture log = new LogCapture();
        RedisNode late = RedisNode.open(redis.url(), prefix)) {
      assertThat(late.streams().open("alice")).isTrue();

      Eventually.holds("it is said", () -> !log.lines("redis-lost").isEmpty());
      assertThat(late.bus().poke("alice", PokeBus.Source.SELF)).isEqualTo(1);
      redis.restart();

      Eventually.holdsWithin(REPAIR, "it is found", late.bus()::isAvailable);
      Eventually.holdsWithin(
          REPAIR, "alice is told", () -> late.streams().delivered("alice").size() > 1);
    }
  }
}
