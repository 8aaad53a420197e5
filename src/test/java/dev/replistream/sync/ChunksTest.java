package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.Eventually;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ChunksTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int CAPACITY = Chunks.CHUNK_BYTES * (Chunks.MAX_WAITING + 1);

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final AtomicLong written = new AtomicLong();

  @AfterEach
  void close() {
    threads.shutdownNow();
  }

  private Future<?> write(Chunks chunks, byte[] answer) {
    return threads.submit(() -> {
      chunks.begin();
      for (int i = 0; i < answer.length; i += 1000) {
        int length = Math.min(1000, answer.length - i);
        chunks.write(answer, i, length);
        written.addAndGet(length);
      }
      chunks.end();
      return true;
    });
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(1).nextBytes(bytes);
    return bytes;
  }

  private static byte[] read(Chunks chunks) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    do {
      all.writeBytes(chunks.take());
    } while (!chunks.isDone());
    return all.toByteArray();
  }

  @Test
  void aSmallAnswerIsOneChunk() {
    Chunks chunks = new Chunks(PATIENCE);
    Future<?> writing = write(chunks, random(Chunks.CHUNK_BYTES - 1));

    assertThat(chunks.take()).isEqualTo(random(Chunks.CHUNK_BYTES - 1));
    assertThat(chunks.isDone()).isTrue();
    assertThat(writing).succeedsWithin(PATIENCE);
  }

  @Test
  void aLargeAnswerComesWholeHoweverLargeItIs() {
    Chunks chunks = new Chunks(PATIENCE);
    byte[] answer = random(3 * CAPACITY);
    Future<?> writing = write(chunks, answer);

    assertThat(read(chunks)).isEqualTo(answer);
    assertThat(writing).succeedsWithin(PATIENCE);
  }

  @Test
  void anAnswerThatEndsWithAChunkComesWholeToo() {
    Chunks chunks = new Chunks(PATIENCE);
    byte[] answer = random(66_000); // what one chunk takes of writes of 1,000
    Future<?> writing = write(chunks, answer);

    assertThat(read(chunks)).isEqualTo(answer);
    assertThat(writing).succeedsWithin(PATIENCE);
  }

  @Test
  void theReaderWaitsForTheWriterAndHoldsNoMoreThanItsLimit() throws Exception {
    Chunks chunks = new Chunks(PATIENCE);
    Future<?> writing = write(chunks, random(2 * CAPACITY));
    Eventually.holds("as much as fits is written", () -> written.get() >= CAPACITY - 70_000);

    assertThat(writing.isDone()).isFalse();
    assertThat(written.get()).isLessThan(CAPACITY + 70_000);
    read(chunks);
    writing.get(20, TimeUnit.SECONDS);
  }

  @Test
  void aReaderWhoseWriterStallsGivesUp() {
    Future<?> writing = write(new Chunks(Duration.ofMillis(50)), random(2 * CAPACITY));

    assertThatThrownBy(() -> writing.get(20, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(IOException.class)
        .hasMessageContaining("too slowly");
  }

  @Test
  void theTimeThatTheReaderHasWaitedAddsUp() throws Exception {
    Chunks chunks = new Chunks(Duration.ofMillis(100));
    Future<?> writing = write(chunks, random(20 * CAPACITY));
    long start = System.nanoTime();

    // each chunk in time, and all of them together not
    assertThatThrownBy(
            () -> {
              while (true) {
                chunks.take();
                if (writing.isDone()) {
                  writing.get();
                }
                LockSupport.parkNanos(10_000_000); // a slow client
              }
            })
        .isInstanceOf(ExecutionException.class);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
  }

  @Test
  void aReaderThatWaitsIsFreedWhenTheWriterLeaves() {
    Chunks chunks = new Chunks(PATIENCE);
    Future<?> writing = write(chunks, random(2 * CAPACITY));
    Eventually.holds("as much as fits is written", () -> written.get() >= CAPACITY - 70_000);

    chunks.cancel();

    assertThatThrownBy(() -> writing.get(5, TimeUnit.SECONDS))
        .hasCauseInstanceOf(IOException.class)
        .hasMessageContaining("has left");
  }

  @Test
  void whatTheReaderFailsWithReachesTheWriterEvenBeforeWhatWaits() throws Exception {
    Chunks chunks = new Chunks(PATIENCE);
    chunks.begin();
    chunks.write(random(2 * Chunks.CHUNK_BYTES));
    IllegalStateException failure = new IllegalStateException("mine");
    chunks.fail(failure);

    assertThatThrownBy(chunks::take).isSameAs(failure);
  }

  @Test
  void anErrorReachesTheWriterToo() {
    Chunks chunks = new Chunks(PATIENCE);
    StackOverflowError failure = new StackOverflowError();
    chunks.fail(failure);

    assertThatThrownBy(chunks::take).isSameAs(failure);
  }

  @Test
  void aWorkThatIsRunAgainBeginsTheAnswerAnewUnlessSomeOfItIsGone() throws IOException {
    Chunks chunks = new Chunks(PATIENCE);
    chunks.begin();
    chunks.write(random(10));
    chunks.begin();
    chunks.write('x');
    chunks.end();
    assertThat(chunks.take()).containsExactly('x');

    Chunks begun = new Chunks(PATIENCE);
    begun.begin();
    begun.write(random(Chunks.CHUNK_BYTES));
    assertThatThrownBy(begun::begin).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aWriterThatIsInterruptedWaitsNoMore() throws Exception {
    Chunks chunks = new Chunks(PATIENCE);
    Thread writer = Thread.currentThread();
    Future<?> interrupting =
        threads.submit(() -> {
          Eventually.holds("it waits", () -> writer.getState() == Thread.State.WAITING);
          writer.interrupt();
        });

    assertThatThrownBy(chunks::take).isInstanceOf(UncheckedIOException.class);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(interrupting).succeedsWithin(PATIENCE);
  }
}
