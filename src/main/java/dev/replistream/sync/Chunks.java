package dev.replistream.sync;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// An answer on its way from the thread that reads the database to the one that writes to the
/// client, which may be slow. The reader holds a snapshot, of which there are few, so it waits for
/// the writer only so long.
///
/// {@link #begin}, the writes, {@link #end} and {@link #fail} are the reader's, {@link #take},
/// {@link #isDone} and {@link #cancel} are the writer's; each side is one thread at a time.
final class Chunks extends OutputStream {
  /// How large a chunk is at least, unless it is the last one.
  static final int CHUNK_BYTES = 64 << 10;

  /// How many chunks may wait for the writer: 1 MiB.
  static final int MAX_WAITING = 16;

  /// How long the reader waits for the writer in all. The kernel takes some megabytes of an answer
  /// before its client has read any of it, so most answers never wait.
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // the reader's
  private final ByteArrayOutputStream buffer = new ByteArrayOutputStream(512);
  private boolean isHandedOver;
  private long patienceNanos;

  // guarded by the lock
  private final Deque<byte[]> waiting = new ArrayDeque<>();
  private boolean isEnded;
  private boolean isCancelled;
  private @Nullable RuntimeException exception;
  private @Nullable Error error;

  Chunks() {
    this(PATIENCE);
  }

  /// @param patience how long the reader waits for the writer in all
  Chunks(Duration patience) {
    patienceNanos = patience.toNanos();
  }

  /// Begins the answer; again, when the work that writes it is run again.
  ///
  /// @throws IllegalStateException when a part of it is on its way already
  void begin() {
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
      awaitRoom();
      lock.lock();
      try {
        waiting.add(buffer.toByteArray());
        changed.signalAll();
      } finally {
        lock.unlock();
      }
      isHandedOver = true;
      buffer.reset();
    }
  }

  private void awaitRoom() throws IOException {
    lock.lock();
    try {
      while (waiting.size() >= MAX_WAITING && !isCancelled) {
        if (patienceNanos <= 0) {
          throw new IOException("the client reads too slowly");
        }
        patienceNanos = changed.awaitNanos(patienceNanos);
      }
      if (isCancelled) {
        throw new IOException("the client has left");
      }
    } catch (InterruptedException _) {
      throw interrupted();
    } finally {
      lock.unlock();
    }
  }

  /// Ends the answer; what is left of it becomes the last chunk.
  void end() {
    lock.lock();
    try {
      waiting.add(buffer.toByteArray());
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
    lock.lock();
    try {
      while (true) {
        if (exception != null) {
          throw exception;
        }
        if (error != null) {
          throw error;
        }
        byte[] chunk = waiting.poll();
        if (chunk != null) {
          changed.signalAll();
          return chunk;
        }
        changed.await();
      }
    } catch (InterruptedException _) {
      throw new UncheckedIOException(interrupted());
    } finally {
      lock.unlock();
    }
  }

  /// Whether the chunk that was taken last is the last one.
  boolean isDone() {
    lock.lock();
    try {
      return isEnded && waiting.isEmpty();
    } finally {
      lock.unlock();
    }
  }

  /// The writer wants no more: the reader's next write fails, also one that waits.
  void cancel() {
    lock.lock();
    try {
      isCancelled = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private static InterruptedIOException interrupted() {
    Thread.currentThread().interrupt();
    return new InterruptedIOException();
  }
}
