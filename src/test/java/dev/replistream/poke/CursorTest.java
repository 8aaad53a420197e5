package dev.replistream.poke;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
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

  @Test
  void anotherOneGoesOnWhereOneWasClosed() {
    IntStream.range(0, 9).forEach(i -> cursor.stamp("user-" + i));
    cursor.stamp("user-7");
    CursorState state = cursor.close();

    Cursor next = new Cursor(state, 3);

    assertThat(next.epoch()).isEqualTo("e");
    IntStream.range(0, 12)
        .mapToObj(i -> "user-" + i)
        .forEach(user -> assertThat(next.latest(user)).isEqualTo(cursor.latest(user)));
    assertThat(next.latest("user-7")).isEqualTo(10);
    assertThat(next.stamp("user-7")).isEqualTo(11);
  }

  @Test
  void whatComesAfterTheCloseIsRefused() {
    cursor.stamp("alice");
    CursorState state = cursor.close();

    assertThatThrownBy(() -> cursor.stamp("alice"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("stopped");

    assertThat(new Cursor(state, 3).latest("alice")).isEqualTo(1);
  }

  @Test
  void whateverIsPokedDuringTheCloseIsInTheStateOrRefused()
      throws ExecutionException, InterruptedException {
    for (int run = 0; run < 500; run++) {
      Cursor closing = new Cursor("e", 5);
      Map<String, Long> last = new ConcurrentHashMap<>();
      CountDownLatch pokes = new CountDownLatch(30);
      AtomicBoolean isOver = new AtomicBoolean();
      CursorState state;
      try (ExecutorService threads = Executors.newThreadPerTaskExecutor(Thread::new)) {
        List<Future<?>> pokers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
          String user = "user-" + i;
          pokers.add(
              threads.submit(() -> {
                try {
                  while (!isOver.get()) {
                    last.put(user, closing.stamp(user));
                    pokes.countDown();
                  }
                } catch (IllegalStateException _) {
                  // closed
                }
              }));
        }
        pokes.await();
        state = closing.close();
        isOver.set(true);
        for (Future<?> poker : pokers) {
          poker.get();
        }
      }
      Cursor next = new Cursor(state, 5);
      last.forEach(
          (user, stamp) -> assertThat(next.latest(user)).as(user).isGreaterThanOrEqualTo(stamp));
      assertThat(next.stamp("user-0"))
          .isGreaterThan(next.latest("user-1"))
          .isGreaterThan(next.latest("user-2"));
    }
  }
}
