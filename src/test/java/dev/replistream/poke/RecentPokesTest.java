package dev.replistream.poke;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RecentPokesTest {
  private final RecentPokes recent = new RecentPokes();

  private void poked(String user, Duration ago) {
    recent.poked(new Poke(user, "e", 1, System.nanoTime() - ago.toNanos()));
  }

  @Test
  void theFirstPullAfterAPokeKnowsHowLongAgoItWas() {
    poked("alice", Duration.ofSeconds(3));

    assertThat(recent.pulled("alice"))
        .hasValueSatisfying(
            age -> assertThat(age).isBetween(Duration.ofSeconds(3), Duration.ofSeconds(30)));
    assertThat(recent.pulled("alice")).isEmpty();
  }

  @Test
  void theLastPokeCounts() {
    poked("alice", Duration.ofSeconds(30));
    poked("alice", Duration.ZERO);

    assertThat(recent.pulled("alice").map(age -> age.compareTo(Duration.ofSeconds(20)) < 0))
        .isEqualTo(Optional.of(true));
  }

  @Test
  void whoWasNotPokedKnowsNothing() {
    poked("alice", Duration.ZERO);

    assertThat(recent.pulled("bob")).isEmpty();
  }

  @Test
  void aPokeOfLongAgoIsNoReasonForAPull() {
    poked("alice", Duration.ofMinutes(2));

    assertThat(recent.pulled("alice")).isEmpty();
  }

  @Test
  void ofUsersThatShareAPlaceTheLaterPokeCounts() {
    assertThat("Aa".hashCode()).isEqualTo("BB".hashCode());
    poked("Aa", Duration.ZERO);
    poked("BB", Duration.ZERO);

    assertThat(recent.pulled("Aa")).isEmpty();
    assertThat(recent.pulled("BB")).isPresent();
  }
}
