package dev.replistream.rules.http;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.Semaphore;

/// Bounds what the answers of an application take of the memory: each by its length, and those that
/// are long by their number, from when they are read until they are applied. Thread-safe.
final class AnswerMemory {
  /// An answer that is longer waits for a turn.
  static final int FREE_BYTES = 256 << 10;

  private final long maxBytes;
  private final Semaphore turns;

  /// @param maxBytes how long an answer may be
  /// @param maxLongOnes how many longer than {@link #FREE_BYTES} there are at a time
  AnswerMemory(long maxBytes, int maxLongOnes) {
    this.maxBytes = maxBytes;
    turns = new Semaphore(maxLongOnes, true);
  }

  /// That of one answer, until it is closed.
  Share open() {
    return new Share();
  }

  /// What one answer takes. It is closed by whoever waits for the answer, also while that still
  /// comes in.
  final class Share implements AutoCloseable {
    private long bytes; // of the thread that reads

    // guarded by this
    private boolean hasTurn;
    private boolean isClosed;

    /// Counts what is read. Beyond {@link #FREE_BYTES} it waits for a turn, until it is
    /// interrupted.
    ///
    /// @return a stream that throws a {@link CallFailedException} at what is too much
    InputStream counting(InputStream in) {
      return new FilterInputStream(in) {
        @Override
        public int read() throws IOException {
          byte[] one = new byte[1];
          return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] part, int offset, int length) throws IOException {
          int count = in.read(part, offset, length);
          add(Math.max(count, 0));
          return count;
        }
      };
    }

    private void add(int more) throws CallFailedException {
      boolean becomesLong = bytes <= FREE_BYTES && bytes + more > FREE_BYTES;
      bytes += more;
      if (bytes > maxBytes) {
        throw new CallFailedException(
            HttpRules.TOO_LARGE, "the answer has more than %s bytes".formatted(maxBytes));
      }
      if (becomesLong) {
        takeTurn();
      }
    }

    private void takeTurn() throws CallFailedException {
      try {
        turns.acquire();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        throw givenUp();
      }
      synchronized (this) {
        if (!isClosed) {
          hasTurn = true;
          return;
        }
      }
      turns.release();
      throw givenUp();
    }

    private static CallFailedException givenUp() {
      return new CallFailedException(HttpRules.TIMEOUT, "nobody waits for the answer any more");
    }

    @Override
    public void close() {
      boolean gives;
      synchronized (this) {
        gives = hasTurn;
        hasTurn = false;
        isClosed = true;
      }
      if (gives) {
        turns.release();
      }
    }
  }
}
