package dev.replistream.db;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class ChangesTest {
  private final Changes changes = new Changes();

  @Test
  void aChangeGivesItsResultAndItsFailure() {
    assertThat(changes.<Integer>make(() -> 7)).isEqualTo(7);
    assertThatThrownBy(() ->
            changes.make(() -> {
              throw new IllegalStateException("mine");
            }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("mine");

    assertThat(changes.close(Duration.ZERO)).isTrue();
  }

  @Test
  void afterTheCloseNoneBegins() {
    changes.close(Duration.ZERO);

    assertThatThrownBy(() ->
            changes.make(() -> {
              throw new AssertionError("begun");
            }))
        .isInstanceOf(DatabaseUnavailableException.class);
  }

  @Test
  void theCloseWaitsForThoseUnderWayAndTakesNoMore() throws Exception {
    CountDownLatch begun = new CountDownLatch(2);
    CountDownLatch mayEnd = new CountDownLatch(1);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 2; i++) {
        var _ =
            threads.submit(() ->
                changes.make(() -> {
                  begun.countDown();
                  awaitQuietly(mayEnd);
                  return "done";
                }));
      }
      begun.await();

      assertThat(changes.close(Duration.ofMillis(1))).isFalse();
      assertThatThrownBy(() -> changes.make(() -> "late"))
          .isInstanceOf(DatabaseUnavailableException.class);
      Future<Boolean> closed = threads.submit(() -> changes.close(Duration.ofMinutes(1)));
      mayEnd.countDown();
      assertThat(closed.get()).isTrue();
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
