package dev.replistream.poke;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.nodes.TestNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// What every bus keeps to. A node that pokes and a node that holds streams may be two or one.
public interface PokeBusRules {
  /// The node that pokes.
  TestNode near();

  /// The other one.
  TestNode far();

  private List<RecordingStreams> all() {
    return near().equals(far())
        ? List.of(near().streams())
        : List.of(near().streams(), far().streams());
  }

  private List<Poke> delivered(String userId) {
    return all().stream().flatMap(streams -> streams.delivered(userId).stream()).toList();
  }

  @Test
  default void aPokeReachesTheUsersStreamsWhereverTheyAreAndNobodyElses() {
    near().streams().open("alice");
    far().streams().open("alice");
    far().streams().open("alice");
    far().streams().open("bob");

    assertThat(near().bus().poke("alice", PokeBus.Source.SELF)).isEqualTo(3);

    for (RecordingStreams streams : all()) {
      Eventually.holds("it comes", () -> !streams.delivered("alice").isEmpty());
    }
    assertThat(delivered("bob")).isEmpty();
  }

  @Test
  default void aPokeOfSomebodyWithoutStreamsMovesTheCursor() {
    EventId before = near().bus().latest("carol");

    assertThat(near().bus().poke("carol", PokeBus.Source.SELF)).isZero();

    assertThat(near().bus().latest("carol").stamp()).isGreaterThan(before.stamp());
    assertThat(near().bus().latest("carol").epoch()).isEqualTo(before.epoch());
  }

  @Test
  default void theCursorStaysWhileOthersArePoked() {
    near().bus().poke("alice", PokeBus.Source.SELF);
    EventId alice = near().bus().latest("alice");

    near().bus().poke("bob", PokeBus.Source.SELF);

    assertThat(near().bus().latest("alice")).isEqualTo(alice);
  }

  @Test
  default void stampsRiseInTheOrderOfThePokes() {
    far().streams().open("alice");

    for (int i = 0; i < 200; i++) {
      near().bus().poke("alice", PokeBus.Source.SELF);
    }

    Eventually.holds("all come", () -> far().streams().delivered("alice").size() == 200);
    List<Long> stamps = far().streams().delivered("alice").stream().map(Poke::stamp).toList();
    assertThat(stamps).isSorted().doesNotHaveDuplicates();
    assertThat(near().bus().latest("alice").stamp()).isEqualTo(stamps.getLast());
  }

  @Test
  default void whoJoinsAndReadsTheCursorMissesNoPokeThatWasAnswered() throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 300; i++) {
        String userId = "user" + i;
        Future<Integer> poked =
            threads.submit(() -> near().bus().poke(userId, PokeBus.Source.SELF));
        far().streams().open(userId);
        long latest = far().bus().latest(userId).stamp();
        poked.get();
        long stamp = near().bus().latest(userId).stamp();
        Eventually.holds(
            userId + " finds the stamp or the poke",
            () ->
                latest >= stamp
                    || far().streams().delivered(userId).stream()
                        .anyMatch(poke -> poke.stamp() == stamp));
      }
    }
  }

  @Test
  default void aStreamThatHasEndedIsNotifiedNoMore() {
    near().streams().open("alice");
    far().streams().open("alice");
    far().streams().close("alice");

    Eventually.holds("one is left", () -> near().bus().poke("alice", PokeBus.Source.SELF) == 1);
  }

  @Test
  default void manyAreToldWithOneCallThePusherAtOnce() {
    for (String userId : List.of("pusher", "alice", "bob")) {
      far().streams().open(userId);
    }

    int notified =
        near()
            .bus()
            .poke(Set.of("pusher", "alice", "bob", "nobody"), "pusher", PokeBus.Source.ROOM);

    assertThat(notified).isEqualTo(3);
    for (String userId : List.of("pusher", "alice", "bob")) {
      Eventually.holds(userId + " is told", () -> delivered(userId).size() == 1);
    }
    assertThat(delivered("nobody")).isEmpty();
    assertThat(near().streams().delays()).allMatch(Duration::isZero);
    assertThat(far().streams().delays()).allMatch(Duration::isZero);
  }

  @Test
  default void theUsersOfABigRoomHaveTheirTurnsOverTheWindow() {
    Set<String> users = new HashSet<>();
    for (int i = 0; i < 400; i++) {
      users.add("user" + i);
      (i % 2 == 0 ? near().streams() : far().streams()).open("user" + i);
    }
    near().streams().open("pusher");

    assertThat(near().bus().poke(users, "pusher", PokeBus.Source.ROOM)).isEqualTo(400);

    Eventually.holds("all are told", () -> users.stream().noneMatch(u -> delivered(u).isEmpty()));
    List<Duration> delays = new ArrayList<>();
    all().forEach(streams -> delays.addAll(streams.delays()));
    assertThat(delays)
        .containsExactlyInAnyOrderElementsOf(
            IntStream.range(0, 400).mapToObj(Duration::ofMillis).toList());
  }

  @Test
  default void aUserIdMayHoldWhateverAUserIdMay() {
    List<String> odd =
        List.of("a b", "{x}", "ünï:cödé", "poke 1 0 bob", "\"", "😀", "a".repeat(128));
    odd.forEach(far().streams()::open);

    odd.forEach(userId -> assertThat(near().bus().poke(userId, PokeBus.Source.SELF)).isEqualTo(1));

    for (String userId : odd) {
      Eventually.holds(userId + " is told", () -> far().streams().delivered(userId).size() == 1);
    }
  }

  @Test
  default void aPullTellsHowLongAgoThePokeWas() {
    far().streams().open("alice");
    near().bus().poke("alice", PokeBus.Source.SELF);

    assertThat(near().bus().pulled("alice")).isPresent();
    assertThat(near().bus().pulled("alice")).isEmpty();
  }
}
