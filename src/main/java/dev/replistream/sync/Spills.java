package dev.replistream.sync;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;

/// Files for the answers that slow clients take longer for than the database may be kept. All of
/// them together have a limit. They have no name once they are open, so none outlives its process.
/// Thread-safe.
public final class Spills {
  private final Path directory;
  private final AtomicLong freeBytes;

  /// @param directory where they are, made if it is missing
  /// @param maxBytes how long all of them may be at a time
  public Spills(Path directory, long maxBytes) {
    this.directory = directory;
    freeBytes = new AtomicLong(maxBytes);
  }

  /// Makes a file, readable by its owner alone.
  Spill open() throws IOException {
    Files.createDirectories(directory);
    Path file = Files.createTempFile(directory, "pull", ".spill");
    return new Spill(
        FileChannel.open(
            file,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.DELETE_ON_CLOSE));
  }

  /// One answer's file: one thread appends while another one reads what was appended. Any may close
  /// it.
  final class Spill implements AutoCloseable {
    private final FileChannel channel;
    private final Object lock = new Object();
    private long reservedBytes; // guarded by lock
    private boolean isClosed; // guarded by lock
    private volatile long writtenBytes;
    private volatile long readBytes;

    private Spill(FileChannel channel) {
      this.channel = channel;
    }

    /// Adds bytes at the end.
    ///
    /// @throws IOException when the disk is full, all files are too long, or this one is closed
    void append(byte[] bytes) throws IOException {
      reserve(bytes.length);
      long at = writtenBytes;
      ByteBuffer left = ByteBuffer.wrap(bytes);
      while (left.hasRemaining()) {
        at += channel.write(left, at);
      }
      writtenBytes = at;
    }

    private void reserve(int length) throws IOException {
      synchronized (lock) {
        if (isClosed) {
          throw new IOException("the client has left");
        }
        if (freeBytes.addAndGet(-length) < 0) {
          freeBytes.addAndGet(length);
          throw new IOException("too much waits for slow clients");
        }
        reservedBytes += length;
      }
    }

    /// Whether all that was appended was read.
    boolean isRead() {
      return readBytes == writtenBytes;
    }

    /// Reads on, at most `maxBytes` of what was appended.
    byte[] read(int maxBytes) throws IOException {
      long at = readBytes;
      byte[] bytes = new byte[(int) Math.min(maxBytes, writtenBytes - at)];
      ByteBuffer left = ByteBuffer.wrap(bytes);
      while (left.hasRemaining()) {
        if (channel.read(left, at + left.position()) < 0) {
          throw new IOException("the file of an answer was cut off");
        }
      }
      readBytes = at + bytes.length;
      return bytes;
    }

    /// Removes the file.
    @Override
    public void close() {
      synchronized (lock) {
        if (isClosed) {
          return;
        }
        isClosed = true;
        freeBytes.addAndGet(reservedBytes);
      }
      try {
        channel.close();
      } catch (IOException _) {
        // it has no name any more, and the process's end closes it
      }
    }
  }
}
