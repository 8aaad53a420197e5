package dev.replistream.http;

import dev.replistream.http.SpillFiles.SpillFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// An answer on its way from the thread that reads the database to the one that writes to the
/// client, which may be slow. The reader holds a snapshot, of which there are few, so it never
/// waits for the writer: what is more than may wait in memory goes into a file, and the writer
/// takes its time.
///
/// {@link #begin}, the writes, {@link #end} and {@link #fail} are the reader's, {@link #take},
/// {@link #isDone} and {@link #cancel} are the writer's; each side is one thread at a time.
public final class Chunks extends OutputStream {
  /// How large a chunk is at least, unless it is the last one.
  static final int CHUNK_BYTES = 64 << 10;

  /// How many chunks may wait for the writer in memory, 1 MiB, if there is as much left for all
  /// answers.
  static final int MAX_WAITING = 16;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  private final SpillFiles spills;
  private final String userId;

  // the reader's
  private final ByteArrayOutputStream buffer = new ByteArrayOutputStream(512);
  private boolean isHandedOver;

  // guarded by the lock
  private final Deque<byte[]> waiting = new ArrayDeque<>();
  private long waitingBytes; // taken of the memory for all answers
  private @Nullable SpillFile spill; // comes after what waits; set once, by the reader
  private boolean isEnded;
  private boolean isCancelled;
  private @Nullable RuntimeException exception;
  private @Nullable Error error;

  /// @param spills where it waits when the client is slow
  /// @param userId whose answer it is
  Chunks(SpillFiles spills, String userId) {
    this.spills = spills;
    this.userId = userId;
  }

  /// Refuses an answer of a user for whom too much waits already.
  ///
  /// @throws TooMuchAtOnceException when that is so
  public void requireRoom() {
    if (spills.isFull(userId)) {
      throw new TooMuchAtOnceException(
          "Answers to this user's earlier requests were not read yet; read them, and come again.");
    }
  }

  /// Begins the answer; again, when the work that writes it is run again.
  ///
  /// @throws IllegalStateException when a part of it is on its way already
  public void begin() {
    if (isHandedOver) {
      throw new IllegalStateException("the answer has begun already");
    }
    buffer.reset();
  }

  @Override
  public void write(int one) throws IOException {
    buffer.write(one);
    handOverIfFull();
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    buffer.write(bytes, offset, length);
    handOverIfFull();
  }

  private void handOverIfFull() throws IOException {
    if (buffer.size() >= CHUNK_BYTES) {
      handOver();
      isHandedOver = true;
      buffer.reset();
    }
  }

  private void handOver() throws IOException {
    byte[] chunk = buffer.toByteArray();
    if (spill == null && queue(chunk)) {
      return;
    }
    if (spill == null) {
      openSpill();
    }
    spill(chunk);
  }

  /// Lets a chunk wait for the writer in memory.
  ///
  /// @return false when too many wait there already
  private boolean queue(byte[] chunk) throws IOException {
    lock.lock();
    try {
      if (isCancelled) {
        throw new IOException("the client has left");
      }
      if (waiting.size() >= MAX_WAITING || !spills.takeMemory(chunk.length)) {
        return false;
      }
      waiting.add(chunk);
      waitingBytes += chunk.length;
      changed.signalAll();
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void openSpill() throws IOException {
    SpillFile opened = spills.open(userId);
    lock.lock();
    try {
      spill = opened;
      if (isCancelled) {
        opened.close();
      }
    } finally {
      lock.unlock();
    }
  }

  private void spill(byte[] chunk) throws IOException {
    Objects.requireNonNull(spill).append(chunk);
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Ends the answer; what is left of it becomes the last chunk.
  ///
  /// @throws UncheckedIOException when it can't reach the writer
  void end() {
    byte[] last = buffer.toByteArray();
    try {
      if (spill != null) {
        spill(last);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    lock.lock();
    try {
      if (spill == null) {
        waiting.add(last);
      }
      isEnded = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Ends it by an exception, which is thrown at the writer.
  void fail(RuntimeException thrown) {
    lock.lock();
    try {
      exception = thrown;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Ends it by an error, which is thrown at the writer.
  void fail(Error thrown) {
    lock.lock();
    try {
      error = thrown;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// The next chunk; waits for it.
  ///
  /// @throws RuntimeException with which the reader failed
  byte[] take() {
    try {
      SpillFile file;
      lock.lock();
      try {
        while (waiting.isEmpty() && isSpillRead() && !isEnded && !isFailed()) {
          changed.await();
        }
        throwFailure();
        byte[] chunk = waiting.poll();
        if (chunk != null) {
          free(Math.min(chunk.length, waitingBytes)); // the last one took none
          return chunk;
        }
        file = Objects.requireNonNull(spill);
      } finally {
        lock.unlock();
      }
      return file.read(CHUNK_BYTES); // nothing where the end came after its last bytes
    } catch (InterruptedException _) {
      throw new UncheckedIOException(interrupted());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private boolean isSpillRead() {
    return spill == null || spill.isRead();
  }

  private boolean isFailed() {
    return exception != null || error != null;
  }

  private void throwFailure() {
    if (exception != null) {
      throw exception;
    }
    if (error != null) {
      throw error;
    }
  }

  /// Whether the chunk that was taken last is the last one.
  boolean isDone() {
    lock.lock();
    try {
      return isEnded && waiting.isEmpty() && isSpillRead();
    } finally {
      lock.unlock();
    }
  }

  /// The writer has given up: the reader's next write fails, even one that waits, and nothing is
  /// left in a file.
  void cancel() {
    lock.lock();
    try {
      isCancelled = true;
      waiting.clear();
      free(waitingBytes);
      if (spill != null) {
        spill.close();
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void free(long bytes) {
    spills.freeMemory(bytes);
    waitingBytes -= bytes;
  }

  private static InterruptedIOException interrupted() {
    Thread.currentThread().interrupt();
    return new InterruptedIOException();
  }
}
