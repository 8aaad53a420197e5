package dev.replistream.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.poke.Poke;
import dev.replistream.poke.PokeBus;
import dev.replistream.poke.PokeBusRules;
import dev.replistream.poke.RecordingStreams;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/// Two nodes that meet in a real Redis which a Sentinel names, and follow it to another server.
class RedisPokeBusThroughSentinelTest extends TwoNodes implements PokeBusRules, NodesRules {
  private static final Duration REPAIR = Duration.ofSeconds(20);

  private static @Nullable TestSentinels sentinels;

  private static TestSentinels sentinels() {
    TestSentinels running = sentinels;
    if (running == null) {
      running = TestSentinels.start();
      sentinels = running;
    }
    return running;
  }

  @AfterAll
  static void stop() {
    TestSentinels running = sentinels;
    sentinels = null;
    if (running != null) {
      running.close();
    }
  }

  @Override
  protected List<RedisNode> open() {
    String prefix = UUID.randomUUID().toString();
    String url = sentinels().url();
    return List.of(RedisNode.open(url, prefix), RedisNode.open(url, prefix));
  }

  private static List<Long> stamps(RecordingStreams streams) {
    return streams.delivered("alice").stream().map(Poke::stamp).toList();
  }

  private void assertFollowed(Consumer<TestRedis> end) {
    try {
      assertFollowedAfter(end);
    } finally {
      stop(); // the next test begins with others
    }
  }

  private void assertFollowedAfter(Consumer<TestRedis> end) {
    near.streams().open("alice");
    far.streams().open("alice");
    for (int i = 0; i < 10; i++) {
      near.bus().poke("alice", PokeBus.Source.SELF);
    }
    Eventually.holds("all come", () -> stamps(far.streams()).size() == 10);
    long before = near.bus().latest("alice").stamp();

    end.accept(sentinels().master());

    Eventually.holds("both notice", () -> !near.bus().isAvailable() && !far.bus().isAvailable());
    assertThat(near.bus().poke("alice", PokeBus.Source.SELF)).isEqualTo(1);
    sentinels().awaitFailover();
    Eventually.holdsWithin(
        REPAIR, "both are up", () -> near.bus().isAvailable() && far.bus().isAvailable());
    assertThat(far.bus().latest("alice").stamp()).isGreaterThan(before);
    assertThat(far.bus().latest("alice").epoch()).isEqualTo(near.bus().latest("alice").epoch());
    Eventually.holdsWithin(
        REPAIR, "the stream there gets a sync", () -> stamps(far.streams()).size() > 10);
    Eventually.holdsWithin(
        REPAIR, "both are found", () -> near.bus().poke("alice", PokeBus.Source.SELF) == 2);
    long last = near.bus().latest("alice").stamp();
    for (RecordingStreams streams : List.of(near.streams(), far.streams())) {
      Eventually.holds("the poke comes", () -> stamps(streams).contains(last));
      assertThat(stamps(streams).subList(10, stamps(streams).size()))
          .allMatch(stamp -> stamp > before && stamp <= last);
    }
  }

  @Test
  void aReplicaThatTakesOverFromADeadMasterIsFollowed() {
    assertFollowed(TestRedis::kill);
  }

  @Test
  void aReplicaThatTakesOverFromAHangingMasterIsFollowed() {
    assertFollowed(TestRedis::suspend);
  }

  @Test
  void aMasterThatTheSentinelsDoNotKnowIsARefusal() {
    String url = sentinels().url().replace("/main", "/other");

    assertThat(new RedisNode(url, "any").refusal())
        .contains("ERR the sentinels know no such master");
    assertThat(new RedisNode("redis+sentinel://127.0.0.1:1/main", "any").refusal()).isEmpty();
  }
}
