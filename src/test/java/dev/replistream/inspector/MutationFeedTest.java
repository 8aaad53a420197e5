package dev.replistream.inspector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.api.JsonValue;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Clients that don't keep up.
class MutationFeedTest {
  private static final String LARGE = '"' + "x".repeat(SeenMutation.MAX_ARGS_LENGTH - 2) + '"';

  private final Inspector inspector =
      new Inspector(true, Services.get(MetricsFactory.class).globalRegistry());
  private final AtomicInteger woken = new AtomicInteger();

  private static SeenMutation seen(long id, String args) {
    return new SeenMutation(
        "alice",
        "g",
        "c",
        id,
        "n",
        Optional.of(args),
        Optional.empty(),
        Instant.EPOCH,
        Duration.ofNanos(1_234_567));
  }

  private static List<SeenMutation> seen(int from, int to, String args) {
    return IntStream.rangeClosed(from, to).mapToObj(id -> seen(id, args)).toList();
  }

  private static List<JsonValue> all(MutationFeed feed) {
    return Stream.generate(feed::next)
        .takeWhile(json -> json != null)
        .map(JsonValue::parse)
        .toList();
  }

  @Test
  void eachIsTakenOnceInItsOrder() {
    try (MutationFeed one = inspector.open("alice", woken::incrementAndGet);
        MutationFeed two = inspector.openAll(woken::incrementAndGet);
        MutationFeed other = inspector.open("bob", woken::incrementAndGet)) {
      inspector.tell("alice", true, seen(1, 2, "1"));
      inspector.tell("alice", true, seen(3, 3, "1"));

      assertThat(woken).hasValue(2); // the second time they had something
      for (MutationFeed each : List.of(one, two)) {
        assertThat(all(each).stream().map(told -> told.get("id").asLong()))
            .containsExactly(1L, 2L, 3L);
        assertThat(each.next()).isNull();
      }
      assertThat(other.next()).isNull();
      inspector.tell("alice", true, seen(4, 4, "1"));
      assertThat(woken).hasValue(4);
      assertThat(all(one).getFirst().get("millis").toJson()).isEqualTo("1.235");
    }
  }

  @Test
  void whoFallsBehindMissesTheOldestAndIsToldHowMany() {
    try (MutationFeed feed = inspector.open("alice", () -> {})) {
      for (int i = 1; i <= 500; i++) {
        inspector.tell("alice", true, List.of(seen(i, LARGE)));
      }

      List<JsonValue> told = all(feed);
      long dropped = told.getFirst().get("dropped").asLong();
      assertThat(told.getFirst().asMembers()).hasSize(1);
      assertThat(dropped + told.size() - 1).isEqualTo(500);
      assertThat(told.stream().skip(1).map(each -> each.get("id").asLong()))
          .isEqualTo(
              IntStream.rangeClosed((int) dropped + 1, 500).mapToLong(i -> i).boxed().toList());
      assertThat((told.size() - 1) * (long) LARGE.length()).isBetween(900_000L, 1L << 20);
      inspector.tell("alice", true, seen(501, 501, "1"));
      assertThat(all(feed).getFirst().get("id").asLong()).isEqualTo(501);
    }
  }

  @Test
  void allThatDontReadHoldEightMegabytesTogetherAndGiveThemBack() {
    List<MutationFeed> feeds = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      feeds.add(inspector.open("alice", woken::incrementAndGet));
    }
    inspector.tell("alice", true, seen(1, 300, LARGE));
    int[] held = new int[20];
    for (int i = 0; i < 20; i++) {
      feeds.get(i).close(); // the others keep what they have
      feeds.get(i).close();
      held[i] = all(feeds.get(i)).size();
    }
    assertThat(held).containsOnly(0);

    MutationFeed late = inspector.open("alice", () -> {});
    inspector.tell("alice", true, seen(1, 200, LARGE));
    assertThat(all(late)).hasSize(200);
    List<MutationFeed> crowd =
        IntStream.range(0, 20).mapToObj(_ -> inspector.open("bob", () -> {})).toList();
    inspector.tell("bob", true, seen(1, 200, LARGE));
    long bytes =
        crowd.stream()
            .flatMap(feed -> all(feed).stream())
            .mapToLong(told -> told.toBytes().length)
            .sum();
    assertThat(bytes).isBetween(7L << 20, (8L << 20) + 20 * 20);
    crowd.forEach(MutationFeed::close);
    late.close();
    assertThat(inspector.isWatched("alice")).isFalse();
    assertThat(inspector.isWatched("bob")).isFalse();
  }

  @Test
  void outsideOfDevelopmentModeAUserIsToldAHundredInASecond() {
    Inspector keyed = new Inspector(false, Services.get(MetricsFactory.class).globalRegistry());
    try (MutationFeed feed = keyed.open("alice", () -> {});
        MutationFeed other = keyed.open("bob", () -> {})) {
      long start = System.nanoTime();
      keyed.tell("alice", true, seen(1, 20_000, "1"));
      keyed.tell("bob", true, seen(1, 1, "1"));
      long most = 1_000 + (System.nanoTime() - start) / 10_000_000 + 1;

      List<JsonValue> told = all(feed);
      assertThat(told.getFirst().get("dropped").asLong()).isEqualTo(20_001 - told.size());
      assertThat((long) told.size() - 1).isBetween(1_000L, most);
      assertThat(all(other)).hasSize(1);
    }
  }

  @Test
  void outsideOfDevelopmentModeNobodyOpensAll() {
    Inspector keyed = new Inspector(false, Services.get(MetricsFactory.class).globalRegistry());

    assertThat(keyed.showsAll()).isFalse();
    assertThatThrownBy(() -> keyed.openAll(() -> {})).isInstanceOf(IllegalStateException.class);
  }
}
