package dev.replistream.rules.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.Eventually;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.Test;

class AnswerMemoryTest {
  private static final int LONG = AnswerMemory.FREE_BYTES + 1;
  private static final Executor THREADS = task -> Thread.ofVirtual().start(task);

  private final AnswerMemory memory = new AnswerMemory(2L * LONG, 1);

  private static int read(AnswerMemory.Share share, int bytes) throws IOException {
    try (InputStream in = share.counting(new ByteArrayInputStream(new byte[bytes]))) {
      return in.readAllBytes().length;
    }
  }

  private static CompletableFuture<Integer> reading(AnswerMemory.Share share) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return read(share, LONG);
          } catch (IOException e) {
            return -1;
          }
        },
        THREADS);
  }

  @Test
  void aLongAnswerWaitsForThoseBeforeItToBeAppliedAndAShortOneDoesNot() throws IOException {
    AnswerMemory.Share first = memory.open();
    assertThat(read(first, LONG)).isEqualTo(LONG);
    try (AnswerMemory.Share second = memory.open();
        AnswerMemory.Share small = memory.open()) {
      CompletableFuture<Integer> waiting = reading(second);

      assertThat(read(small, LONG - 1)).isEqualTo(LONG - 1);
      assertThat(waiting).isNotDone();
      first.close();
      Eventually.holds("it is read", waiting::isDone);
      assertThat(waiting).isCompletedWithValue(LONG);
    }
    try (AnswerMemory.Share next = memory.open()) {
      assertThat(read(next, LONG)).isEqualTo(LONG);
    }
  }

  @Test
  void anAnswerForWhichNobodyWaitsTakesNoTurn() throws IOException {
    AnswerMemory.Share first = memory.open();
    assertThat(read(first, LONG)).isEqualTo(LONG);
    AnswerMemory.Share given = memory.open();
    CompletableFuture<Integer> waiting = reading(given);
    given.close();

    first.close();

    Eventually.holds("it ends", waiting::isDone);
    try (AnswerMemory.Share next = memory.open()) {
      assertThat(read(next, LONG)).isEqualTo(LONG);
    }
  }

  @Test
  void anAnswerHasALimit() {
    AnswerMemory.Share share = memory.open();

    assertThatThrownBy(() -> read(share, 2 * LONG + 1))
        .isInstanceOf(CallFailedException.class)
        .hasMessage("the answer has more than %s bytes", 2 * LONG);
  }
}
