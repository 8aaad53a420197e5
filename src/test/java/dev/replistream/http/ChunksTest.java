package dev.replistream.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.Eventually;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class ChunksTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int CAPACITY = Chunks.CHUNK_BYTES * (Chunks.MAX_WAITING + 1);

  @TempDir private Path directory;

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final AtomicLong written = new AtomicLong();

  @AfterEach
  void close() {
    threads.shutdownNow();
  }

  private Chunks chunks() {
    return new Chunks(new SpillFiles(directory, Long.MAX_VALUE), "alice");
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
    Chunks chunks = chunks();
    Future<?> writing = write(chunks, random(Chunks.CHUNK_BYTES - 1));

    assertThat(chunks.take()).isEqualTo(random(Chunks.CHUNK_BYTES - 1));
    assertThat(chunks.isDone()).isTrue();
    assertThat(writing).succeedsWithin(PATIENCE);
  }

  @Test
  void aLargeAnswerComesWholeHoweverLargeItIs() {
    Chunks chunks = chunks();
    byte[] answer = random(3 * CAPACITY);
    Future<?> writing = write(chunks, answer);

    assertThat(read(chunks)).isEqualTo(answer);
    assertThat(writing).succeedsWithin(PATIENCE);
  }

  @Test
  void anAnswerThatEndsWithAChunkComesWholeToo() {
    Chunks chunks = chunks();
    byte[] answer = random(66_000); // what one chunk takes of writes of 1,000
    Future<?> writing = write(chunks, answer);

    assertThat(read(chunks)).isEqualTo(answer);
    assertThat(writing).succeedsWithin(PATIENCE);
  }

  @Test
  void aReaderWhoseWriterStallsIsDoneAllTheSameAndTheAnswerComesWhole() {
    Chunks chunks = chunks();
    byte[] answer = random(3 * CAPACITY + 1);

    assertThat(write(chunks, answer)).succeedsWithin(PATIENCE);

    assertThat(files()).isEmpty(); // it has no name
    assertThat(read(chunks)).isEqualTo(answer);
  }

  @Test
  void anAnswerComesWholeHoweverItsTwoSidesTakeTurns() throws Exception {
    for (int seed = 0; seed < 20; seed++) {
      Random random = new Random(seed);
      Chunks chunks = chunks();
      byte[] answer = random(CAPACITY + random.nextInt(CAPACITY));
      Future<?> writing = write(chunks, answer);
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      do {
        all.writeBytes(chunks.take());
        LockSupport.parkNanos(random.nextInt(500_000)); // a client that reads by fits and starts
      } while (!chunks.isDone());

      assertThat(all.toByteArray()).as("seed %d", seed).isEqualTo(answer);
      writing.get(20, TimeUnit.SECONDS);
      chunks.cancel();
    }
  }

  @Test
  void whatWaitsForClientsThatHaveLeftIsGivenBack() {
    SpillFiles small = new SpillFiles(directory, 8 * CAPACITY);
    for (int round = 0; round < 3; round++) {
      Chunks chunks = new Chunks(small, "alice");
      assertThat(write(chunks, random(2 * CAPACITY))).succeedsWithin(PATIENCE);
      chunks.cancel();
    }
  }

  @Test
  void tooMuchThatWaitsCutsTheAnswer() {
    Future<?> writing =
        write(new Chunks(new SpillFiles(directory, CAPACITY), "alice"), random(3 * CAPACITY));

    assertThatThrownBy(() -> writing.get(20, TimeUnit.SECONDS))
        .hasCauseInstanceOf(IOException.class)
        .hasMessageContaining("too much waits");
  }

  @Test
  void oneUsersAnswersDontTakeTheRoomOfOthers() {
    SpillFiles spills = new SpillFiles(directory, 8 * CAPACITY);
    assertThat(write(new Chunks(spills, "alice"), random(2 * CAPACITY))).succeedsWithin(PATIENCE);
    Chunks second = new Chunks(spills, "alice");

    assertThat(write(second, random(3 * CAPACITY))).failsWithin(PATIENCE);

    assertThat(write(new Chunks(spills, "bob"), random(2 * CAPACITY))).succeedsWithin(PATIENCE);
  }

  @Test
  void whatWaitsInMemoryHasALimitForAllAnswers() {
    SpillFiles spills = new SpillFiles(directory, Long.MAX_VALUE);
    List<Chunks> unread = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      Chunks chunks = new Chunks(spills, "alice");
      unread.add(chunks);
      assertThat(write(chunks, random(CAPACITY))).succeedsWithin(PATIENCE);
    }
    assertThat(spills.takeMemory(1 << 20)).isFalse();

    unread.forEach(Chunks::cancel);

    assertThat(spills.takeMemory(16 << 20)).isTrue();
  }

  @Test
  void aReaderThatSpillsIsStoppedWhenTheWriterLeaves() {
    Chunks chunks = chunks();
    Future<?> writing = write(chunks, random(100 * CAPACITY));
    Eventually.holds("it spills", () -> written.get() > 2 * CAPACITY);

    chunks.cancel();

    assertThatThrownBy(() -> writing.get(20, TimeUnit.SECONDS))
        .hasCauseInstanceOf(IOException.class);
    assertThat(written.get()).isLessThan(100 * CAPACITY);
  }

  private List<String> files() {
    return List.of(Objects.requireNonNull(directory.toFile().list()));
  }

  @Test
  void whatTheReaderFailsWithReachesTheWriterEvenBeforeWhatWaits() throws Exception {
    Chunks chunks = chunks();
    chunks.begin();
    chunks.write(random(2 * Chunks.CHUNK_BYTES));
    IllegalStateException failure = new IllegalStateException("mine");
    chunks.fail(failure);

    assertThatThrownBy(chunks::take).isSameAs(failure);
  }

  @Test
  void anErrorReachesTheWriterToo() {
    Chunks chunks = chunks();
    StackOverflowError failure = new StackOverflowError();
    chunks.fail(failure);

    assertThatThrownBy(chunks::take).isSameAs(failure);
  }

  @Test
  void aWorkThatIsRunAgainBeginsTheAnswerAnewUnlessSomeOfItIsGone() throws IOException {
    Chunks chunks = chunks();
    chunks.begin();
    chunks.write(random(10));
    chunks.begin();
    chunks.write('x');
    chunks.end();
    assertThat(chunks.take()).containsExactly('x');

    Chunks begun = chunks();
    begun.begin();
    begun.write(random(Chunks.CHUNK_BYTES));
    assertThatThrownBy(begun::begin).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aWriterThatIsInterruptedWaitsNoMore() throws Exception {
    Chunks chunks = chunks();
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
