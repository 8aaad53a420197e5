package dev.replistream.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.helidon.http.Status;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BodyBudgetTest {
  private static final long MIB = 1 << 20;

  private static BodyBudget budget(Duration patience, Duration headStart) {
    return new BodyBudget(
        8 * MIB, Services.get(MetricsFactory.class).globalRegistry(), patience, headStart);
  }

  private final BodyBudget budget = budget(Duration.ZERO, Duration.ofHours(1));

  @AfterEach
  void close() {
    budget.close();
  }

  private static void assertRefused(BodyBudget budget, String userId, long bytes, String why) {
    assertThatThrownBy(() -> budget.take(userId, bytes))
        .isInstanceOfSatisfying(
            ProblemException.class,
            e -> {
              assertThat(e.problem().status()).isEqualTo(Status.SERVICE_UNAVAILABLE_503);
              assertThat(e.problem().toString()).contains(why);
            });
  }

  @Test
  void aUserHasAQuarterAndAlwaysOneLongBody() {
    try (BodyBudget.Share _ = budget.take("alice", 4 * MIB)) {
      assertRefused(budget, "alice", 100_000, "this user");
      budget.take("bob", 2 * MIB).close();
    }
    budget.take("alice", 100_000).close();
    assertThat(budget.inflightBytes()).isZero();
  }

  @Test
  void longBodiesLeaveRoomToShortOnes() {
    List<BodyBudget.Share> shares = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      shares.add(budget.take("user" + i, 2 * MIB));
    }

    assertRefused(budget, "user3", 100_000, "The server");
    shares.add(budget.take("user3", 60_000));

    shares.forEach(BodyBudget.Share::close);
    assertThat(budget.inflightBytes()).isZero();
  }

  @Test
  void aBodyLargerThanTheBudgetIsReadAlone() {
    try (BodyBudget.Share _ = budget.take("alice", 100 * MIB)) {
      assertRefused(budget, "bob", 100_000, "The server");
    }
    budget.take("bob", 100 * MIB).close();
  }

  @Test
  void whoAnnouncesMuchAndSendsLittleLosesItToOthers() {
    BodyBudget impatient = budget(Duration.ZERO, Duration.ZERO);
    try (BodyBudget.Share slow = impatient.take("slow", 6 * MIB)) {
      slow.read(1_000);
      try (BodyBudget.Share prompt = impatient.take("alice", 6 * MIB)) {
        prompt.read(6 * MIB);
        assertThatThrownBy(() -> slow.read(200_000)).isInstanceOf(ProblemException.class);
      }
      slow.read(200_000);
    }
    assertThat(impatient.inflightBytes()).isZero();
  }

  @Test
  void whoComesIsServedAsSoonAsThereIsRoom() {
    BodyBudget patient = budget(Duration.ofMinutes(1), Duration.ofHours(1));
    BodyBudget.Share first = patient.take("alice", 8 * MIB);

    CompletableFuture<Void> second =
        CompletableFuture.runAsync(() -> patient.take("bob", 8 * MIB).close());
    first.close();

    assertThat(second).succeedsWithin(Duration.ofSeconds(20));
  }

  @Test
  void nothingIsLostWhateverIsTakenAndRefusedAtOnce() {
    BodyBudget impatient = budget(Duration.ZERO, Duration.ZERO);

    List<CompletableFuture<Void>> threads = new ArrayList<>();
    for (int seed = 0; seed < 8; seed++) {
      Random random = new Random(seed);
      threads.add(CompletableFuture.runAsync(() -> takeAtRandom(impatient, random)));
    }

    assertThat(threads).allSatisfy(each -> assertThat(each).succeedsWithin(Duration.ofSeconds(30)));
    assertThat(impatient.inflightBytes()).isZero();
    impatient.take("alice", 8 * MIB).close();
  }

  private static void takeAtRandom(BodyBudget budget, Random random) {
    for (int i = 0; i < 2_000; i++) {
      try (BodyBudget.Share share =
          budget.take("user" + random.nextInt(3), random.nextLong(3 * MIB))) {
        share.read(random.nextLong(4 * MIB));
      } catch (ProblemException _) {
        // there was no room
      }
    }
  }

  @Test
  void theNextServiceOfAProcessHasAGaugeOfItsOwn() {
    BodyBudget first = budget(Duration.ZERO, Duration.ofHours(1));
    BodyBudget.Share forgotten = first.take("alice", 1_000);
    first.close();

    try (BodyBudget next = budget(Duration.ZERO, Duration.ofHours(1))) {
      assertThat(gauge()).isZero();
      try (BodyBudget.Share _ = next.take("alice", 2_000)) {
        assertThat(gauge()).isEqualTo(2_000);
      }
    }
    forgotten.close();
  }

  private static long gauge() {
    return Services.get(MetricsFactory.class)
        .globalRegistry()
        .gauge("replistream_bodies_inflight_bytes", List.of())
        .orElseThrow()
        .value()
        .longValue();
  }
}
