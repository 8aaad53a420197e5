package dev.replistream.poke;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What every bus keeps to. A node that pokes and a node that holds streams may be two or one.
public abstract class PokeBusRules {
  public static final int MAX_PER_USER = 5;

  /// The bus of the node that pokes, and that of the other one.
  public PokeBus near;

  public PokeBus far;

  /// The streams of that node and of the other one.
  public RecordingStreams nearStreams;

  public RecordingStreams farStreams;

  /// The buses of two nodes, or the one of one node twice.
  protected abstract List<PokeBus> open();

  @BeforeEach
  void openAll() {
    List<PokeBus> buses = open();
    near = buses.getFirst();
    far = buses.getLast();
    Set<PokeBus> found = ConcurrentHashMap.newKeySet();
    buses.forEach(bus -> bus.onceFound(() -> found.add(bus)));
    nearStreams = new RecordingStreams(near);
    farStreams = far.equals(near) ? nearStreams : new RecordingStreams(far);
    // before that each stream is still due for a sync
    Eventually.holds(
        "all have found each other",
        () ->
            buses.stream()
                .allMatch(bus ->
                    bus instanceof LocalPokeBus || (found.contains(bus) && bus.isAvailable())));
  }

  private List<RecordingStreams> all() {
    return nearStreams.equals(farStreams) ? List.of(nearStreams) : List.of(nearStreams, farStreams);
  }

  private List<Poke> delivered(String userId) {
    return all().stream().flatMap(streams -> streams.delivered(userId).stream()).toList();
  }

  @Test
  void aPokeReachesTheUsersStreamsWhereverTheyAreAndNobodyElses() {
    nearStreams.open("alice");
    farStreams.open("alice");
    farStreams.open("alice");
    farStreams.open("bob");

    assertThat(near.poke("alice", PokeBus.Source.SELF)).isEqualTo(3);

    for (RecordingStreams streams : all()) {
      Eventually.holds("it comes", () -> !streams.delivered("alice").isEmpty());
    }
    assertThat(delivered("bob")).isEmpty();
  }

  @Test
  void aPokeOfSomebodyWithoutStreamsMovesTheCursor() {
    EventId before = near.latest("carol");

    assertThat(near.poke("carol", PokeBus.Source.SELF)).isZero();

    assertThat(near.latest("carol").stamp()).isGreaterThan(before.stamp());
    assertThat(near.latest("carol").epoch()).isEqualTo(before.epoch());
  }

  @Test
  void theCursorStaysWhileOthersArePoked() {
    near.poke("alice", PokeBus.Source.SELF);
    EventId alice = near.latest("alice");

    near.poke("bob", PokeBus.Source.SELF);

    assertThat(near.latest("alice")).isEqualTo(alice);
  }

  @Test
  void stampsRiseInTheOrderOfThePokes() {
    farStreams.open("alice");

    for (int i = 0; i < 200; i++) {
      near.poke("alice", PokeBus.Source.SELF);
    }

    Eventually.holds("all come", () -> farStreams.delivered("alice").size() == 200);
    List<Long> stamps = farStreams.delivered("alice").stream().map(Poke::stamp).toList();
    assertThat(stamps).isSorted().doesNotHaveDuplicates();
    assertThat(near.latest("alice").stamp()).isEqualTo(stamps.getLast());
  }

  @Test
  void whoJoinsAndReadsTheCursorMissesNoPokeThatWasAnswered() throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 300; i++) {
        String userId = "user" + i;
        Future<Integer> poked = threads.submit(() -> near.poke(userId, PokeBus.Source.SELF));
        farStreams.open(userId);
        long latest = far.latest(userId).stamp();
        poked.get();
        long stamp = near.latest(userId).stamp();
        Eventually.holds(
            userId + " finds the stamp or the poke",
            () ->
                latest >= stamp
                    || farStreams.delivered(userId).stream()
                        .anyMatch(poke -> poke.stamp() == stamp));
      }
    }
  }

  @Test
  void countsAreThoseOfAllNodes() {
    nearStreams.open("alice");
    farStreams.open("alice");
    farStreams.open("bob");

    Eventually.holds("two of alice's", () -> near.connections("alice") == 2);
    Eventually.holds("three in all", () -> near.connections() == 3);

    farStreams.close("alice");

    Eventually.holds("one of alice's", () -> near.connections("alice") == 1);
    Eventually.holds("two in all", () -> near.connections() == 2);
    assertThat(near.poke("alice", PokeBus.Source.SELF)).isEqualTo(1);
  }

  @Test
  void manyAreToldWithOneCallThePusherAtOnce() {
    for (String userId : List.of("pusher", "alice", "bob")) {
      farStreams.open(userId);
    }

    int notified =
        near.poke(Set.of("pusher", "alice", "bob", "nobody"), "pusher", PokeBus.Source.ROOM);

    assertThat(notified).isEqualTo(3);
    for (String userId : List.of("pusher", "alice", "bob")) {
      Eventually.holds(userId + " is told", () -> delivered(userId).size() == 1);
    }
    assertThat(delivered("nobody")).isEmpty();
    assertThat(nearStreams.delays()).allMatch(Duration::isZero);
    assertThat(farStreams.delays()).allMatch(Duration::isZero);
  }

  @Test
  void theUsersOfABigRoomHaveTheirTurnsOverTheWindow() {
    Set<String> users = new HashSet<>();
    for (int i = 0; i < 400; i++) {
      users.add("user" + i);
      (i % 2 == 0 ? nearStreams : farStreams).open("user" + i);
    }
    nearStreams.open("pusher");

    assertThat(near.poke(users, "pusher", PokeBus.Source.ROOM)).isEqualTo(400);

    Eventually.holds("all are told", () -> users.stream().noneMatch(u -> delivered(u).isEmpty()));
    List<Duration> delays = new ArrayList<>();
    all().forEach(streams -> delays.addAll(streams.delays()));
    assertThat(delays)
        .containsExactlyInAnyOrderElementsOf(
            IntStream.range(0, 400).mapToObj(Duration::ofMillis).toList());
  }

  @Test
  void aUserIdMayHoldWhateverAUserIdMay() {
    List<String> odd =
        List.of("a b", "{x}", "ünï:cödé", "poke 1 0 bob", "\"", "😀", "a".repeat(128));
    odd.forEach(farStreams::open);

    odd.forEach(userId -> assertThat(near.poke(userId, PokeBus.Source.SELF)).isEqualTo(1));

    for (String userId : odd) {
      Eventually.holds(userId + " is told", () -> farStreams.delivered(userId).size() == 1);
    }
  }

  @Test
  void aPullTellsHowLongAgoThePokeWas() {
    farStreams.open("alice");
    near.poke("alice", PokeBus.Source.SELF);

    assertThat(near.pulled("alice")).isPresent();
    assertThat(near.pulled("alice")).isEmpty();
  }

  @Test
  void theOtherNodesThatHoldAUsersStreamsAnswerWhatIsAsked() {
    near.answer("greet", text -> "near has " + text);
    far.answer("greet", text -> "far has " + text);
    nearStreams.open("alice");
    farStreams.open("alice");
    nearStreams.open("bob");
    String question = "a \"\u00e4 \ud83d\ude00\" b";
    List<String> answers = far.equals(near) ? List.of() : List.of("far has " + question);

    assertThat(near.ask("alice", "greet", question)).isEqualTo(new PokeBus.Answers(answers, true));
    assertThat(near.ask("bob", "greet", question)).isEqualTo(new PokeBus.Answers(List.of(), true));
  }

  @Test
  void aNodeThatCannotAnswerIsMissed() {
    far.answer(
        "fail",
        _ -> {
          throw new IllegalStateException("no");
        });
    farStreams.open("alice");

    for (String topic : List.of("fail", "unknown")) {
      assertThat(near.ask("alice", topic, "?"))
          .isEqualTo(new PokeBus.Answers(List.of(), far.equals(near)));
    }
    far.answer("greet", _ -> "");
    assertThat(near.ask("alice", "greet", "?").areAll()).isTrue();
  }
}
