package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.poke.Poke;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PokeSpreadTest {
  private static final Duration LONG = Duration.ofHours(1);

  private final List<Delivery> delivered = new CopyOnWriteArrayList<>();
  private final long begin = System.nanoTime();
  private final PokeSpread spread =
      new PokeSpread(
          poke -> delivered.add(new Delivery(poke, Duration.ofNanos(System.nanoTime() - begin))));

  /// @param after the time since the test began
  private record Delivery(Poke poke, Duration after) {}

  @AfterEach
  void close() {
    spread.close();
  }

  private static Poke poke(String userId, long stamp) {
    return new Poke(userId, "e", stamp, System.nanoTime());
  }

  /// One after the other evenly over `window`, the first at once.
  private void spread(List<Poke> pokes, Duration window) {
    for (int i = 0; i < pokes.size(); i++) {
      spread.add(window.multipliedBy(i).dividedBy(pokes.size()), pokes.get(i));
    }
  }

  private List<Poke> pokes() {
    return delivered.stream().map(Delivery::poke).toList();
  }

  @Test
  void nobodyIsToldBeforeItsTurnAndEachInOrder() {
    int users = 50;
    Duration window = Duration.ofMillis(500);
    List<Poke> pokes =
        IntStream.range(0, users).mapToObj(i -> poke("user" + i, users - i)).toList();

    spread(pokes, window);

    Eventually.holds("all are told", () -> delivered.size() == users);
    assertThat(pokes()).isEqualTo(pokes);
    for (int i = 0; i < users; i++) {
      assertThat(delivered.get(i).after())
          .isGreaterThanOrEqualTo(window.multipliedBy(i).dividedBy(users));
    }
  }

  @Test
  void aLaterPokeTakesThePlaceOfOneThatWaitsAndKeepsItsTime() {
    spread(List.of(poke("first", 1), poke("alice", 2)), Duration.ofMillis(400));
    Eventually.holds("the first is told", () -> !delivered.isEmpty());
    Poke later = poke("alice", 9);

    spread(List.of(poke("second", 8), later), LONG);
    spread(List.of(poke("third", 4), poke("alice", 3)), LONG);

    Eventually.holds("alice is told", () -> pokes().contains(later));
    assertThat(pokes()).extracting(Poke::userId).containsOnlyOnce("alice");
    assertThat(delivered.getLast().after()).isGreaterThanOrEqualTo(Duration.ofMillis(200));
  }

  @Test
  void ofAUserOnePokeWaitsHoweverManyCome() {
    for (int stamp = 1; stamp <= 1_000; stamp++) {
      spread(List.of(poke("first", stamp), poke("alice", stamp), poke("bob", stamp)), LONG);
    }

    assertThat(spread)
        .extracting("waiting")
        .asInstanceOf(InstanceOfAssertFactories.MAP)
        .hasSizeBetween(2, 3);
    assertThat(spread)
        .extracting("turns")
        .asInstanceOf(InstanceOfAssertFactories.COLLECTION)
        .hasSizeBetween(2, 3);
  }

  @Test
  void aPokeThatComesWhileALaterOneWaitsIsNotPutBehindIt() {
    spread(List.of(poke("first", 1), poke("alice", 2)), LONG);
    Poke soon = poke("bob", 3);

    spread(List.of(soon), LONG);

    Eventually.holds("bob is told", () -> pokes().contains(soon));
    assertThat(pokes()).extracting(Poke::userId).doesNotContain("alice");
  }

  @Test
  void whatWaitsCanBeToldAtOnceAndOnce() {
    Poke alices = poke("alice", 2);
    spread(List.of(poke("first", 1), alices), LONG);

    spread.deliverNow("alice");
    spread.deliverNow("alice");
    spread.deliverNow("nobody");

    assertThat(pokes()).containsOnlyOnce(alices);
    Poke next = poke("alice", 3);
    spread(List.of(next), LONG);
    Eventually.holds("alice is told again", () -> pokes().contains(next));
  }
}
