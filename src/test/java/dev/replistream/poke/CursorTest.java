package dev.replistream.poke;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CursorTest {
  private final Cursor cursor = new Cursor("e", 3);

  @Test
  void stampsCountAllPokes() {
    assertThat(cursor.stamp("alice")).isEqualTo(1);
    assertThat(cursor.stamp("bob")).isEqualTo(2);
    assertThat(cursor.stamp("alice")).isEqualTo(3);
  }

  @Test
  void theLatestIsThatOfTheUser() {
    cursor.stamp("alice");
    cursor.stamp("bob");

    assertThat(cursor.latest("alice")).isEqualTo(1);
    assertThat(cursor.latest("bob")).isEqualTo(2);
    assertThat(cursor.latest("carol")).isZero();
  }

  @Test
  void aUserIsRememberedForTwoGenerations() {
    cursor.stamp("alice");
    IntStream.range(0, 5).forEach(i -> cursor.stamp("other-" + i));

    assertThat(cursor.latest("alice")).isEqualTo(1);
  }

  @Test
  void aForgottenUserIsTakenToHaveBeenPokedAsLateAsPossible() {
    long alice = cursor.stamp("alice");
    IntStream.range(0, 20).forEach(i -> cursor.stamp("other-" + i));

    assertThat(cursor.latest("alice")).isGreaterThanOrEqualTo(alice);
    assertThat(cursor.latest("alice")).isEqualTo(cursor.latest("somebody who was never poked"));
  }

  @Test
  void aRememberedUserDoesNotAgeWithTheForgottenOnes() {
    IntStream.range(0, 20).forEach(i -> cursor.stamp("other-" + i));
    long alice = cursor.stamp("alice");
    IntStream.range(20, 22).forEach(i -> cursor.stamp("other-" + i));

    assertThat(cursor.latest("alice")).isEqualTo(alice);
  }

  @Test
  void noThreadsMakeItForgetAPoke() throws ExecutionException, InterruptedException {
    long seed = System.nanoTime();
    for (int run = 0; run < 300; run++) {
      noThreadsMakeItForgetAPoke(new SplittableRandom(seed + run), "seed " + (seed + run));
    }
  }

  private static void noThreadsMakeItForgetAPoke(SplittableRandom random, String seed)
      throws ExecutionException, InterruptedException {
    Cursor cursor = new Cursor("e", 1);
    Map<String, Long> last = new ConcurrentHashMap<>();
    try (ExecutorService threads = Executors.newThreadPerTaskExecutor(Thread::new)) {
      var pokers =
          IntStream.range(0, 4)
              .mapToObj(_ -> random.split())
              .map(own ->
                  threads.submit(() -> {
                    for (int i = 0; i < 100; i++) {
                      String user = "user-" + own.nextInt(8);
                      last.merge(user, cursor.stamp(user), Math::max);
                    }
                  }))
              .toList();
      for (Future<?> poker : pokers) {
        poker.get();
      }
    }

    last.forEach((user, stamp) ->
        assertThat(cursor.latest(user)).as("%s of %s", user, seed).isGreaterThanOrEqualTo(stamp));
  }
}
