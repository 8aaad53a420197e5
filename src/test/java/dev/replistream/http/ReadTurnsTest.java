package dev.replistream.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.Eventually;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ReadTurnsTest {
  private final CountDownLatch end = new CountDownLatch(1);
  private final AtomicInteger running = new AtomicInteger();
  private final AtomicInteger ended = new AtomicInteger();

  /// Begins pulls of a user that run until {@link #end}.
  private List<CompletableFuture<Integer>> begin(ReadTurns turns, String userId, int count) {
    List<CompletableFuture<Integer>> pulls = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      pulls.add(
          CompletableFuture.supplyAsync(
              () -> turns.take(userId, this::run), Thread::startVirtualThread));
    }
    return pulls;
  }

  private int run() {
    running.incrementAndGet();
    try {
      end.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    running.decrementAndGet();
    return ended.incrementAndGet();
  }

  private static void assertRefused(ReadTurns turns, String userId) {
    assertThatThrownBy(() -> turns.take(userId, () -> 1))
        .isInstanceOf(TooMuchAtOnceException.class)
        .hasMessageStartingWith("Too many pulls of this user");
  }

  @Test
  void aUsersPullsRunAFewAtATimeAndNobodyElseWaitsForThem() throws Exception {
    ReadTurns turns = new ReadTurns("pulls", Duration.ofMinutes(1));
    List<CompletableFuture<Integer>> pulls = begin(turns, "alice", 60);
    Eventually.holds("as many run as may", () -> running.get() == ReadTurns.MAX_AT_ONCE);

    assertThat(turns.take("bob", running::get)).isEqualTo(ReadTurns.MAX_AT_ONCE);

    end.countDown();
    for (CompletableFuture<Integer> pull : pulls) {
      pull.get(20, TimeUnit.SECONDS);
    }
    assertThat(ended).hasValue(60);
    assertThat(turns.take("alice", () -> "again")).isEqualTo("again");
  }

  @Test
  void whoComesBehindTooManyIsRefusedAtOnce() throws Exception {
    ReadTurns turns = new ReadTurns("pulls", Duration.ofMinutes(1));
    int most = ReadTurns.MAX_AT_ONCE + ReadTurns.MAX_WAITING;
    List<CompletableFuture<Integer>> pulls = begin(turns, "alice", most + 5);
    CompletableFuture<?>[] all = pulls.toArray(CompletableFuture[]::new);
    Eventually.holds(
        "five are refused",
        () -> pulls.stream().filter(CompletableFuture::isCompletedExceptionally).count() == 5);

    assertRefused(turns, "alice");
    assertThat(turns.take("bob", () -> 1)).isOne();

    end.countDown();
    assertThatThrownBy(() -> CompletableFuture.allOf(all).get(20, TimeUnit.SECONDS))
        .hasCauseInstanceOf(TooMuchAtOnceException.class);
    assertThat(ended).hasValue(most);
  }

  @Test
  void whoWaitsForTooLongIsRefusedAndAFailureGivesTheTurnBack() {
    ReadTurns turns = new ReadTurns("pulls", Duration.ofMillis(1));
    begin(turns, "alice", ReadTurns.MAX_AT_ONCE);
    Eventually.holds("as many run as may", () -> running.get() == ReadTurns.MAX_AT_ONCE);
    assertRefused(turns, "alice");
    end.countDown();

    for (int i = 0; i < ReadTurns.MAX_AT_ONCE + 1; i++) {
      assertThatThrownBy(() ->
              turns.take(
                  "bob",
                  () -> {
                    throw new IllegalStateException("it failed");
                  }))
          .hasMessage("it failed");
    }
    assertThat(turns.take("bob", () -> 1)).isOne();
  }
}
