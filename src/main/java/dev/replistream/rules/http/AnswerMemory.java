package dev.replistream.rules.http;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/// Bounds what the answers of an application take of the memory, each and all that are not applied
/// yet together. Thread-safe.
final class AnswerMemory {
  private final long maxBytes;
  private final long maxBytesOfOne;
  private long taken; // guarded by this

  /// @param maxBytes of all answers
  /// @param maxBytesOfOne of one of them
  AnswerMemory(long maxBytes, long maxBytesOfOne) {
    this.maxBytes = maxBytes;
    this.maxBytesOfOne = Math.min(maxBytesOfOne, maxBytes);
  }

  /// That of one answer, until it is closed.
  Share open() {
    return new Share();
  }

  /// What one answer takes. It is closed by whoever waits for the answer, also while that still
  /// comes in.
  final class Share implements AutoCloseable {
    private long bytes; // guarded by the memory
    private boolean isClosed; // guarded by the memory

    private void add(long more) throws CallFailedException {
      synchronized (AnswerMemory.this) {
        if (isClosed || bytes + more > maxBytesOfOne || taken + more > maxBytes) {
          throw new CallFailedException(
              "too-large",
              bytes + more > maxBytesOfOne
                  ? "the answer has more than %s bytes".formatted(maxBytesOfOne)
                  : "the answers that are read take more than %s bytes".formatted(maxBytes));
        }
        bytes += more;
        taken += more;
      }
    }

    /// Counts what is read.
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
          if (count > 0) {
            add(count);
          }
          return count;
        }
      };
    }

    @Override
    public void close() {
      synchronized (AnswerMemory.this) {
        if (!isClosed) {
          isClosed = true;
          taken -= bytes;
        }
      }
    }
  }
}
