package dev.replistream.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// Where answers wait for clients that take them more slowly than the database is read: some of it
/// in memory, the rest in files. All together have a limit, and those of one user a quarter of it.
/// The files have no name once they are open, so none outlives its process. Thread-safe.
public final class SpillFiles {
  /// How much of all answers waits in memory.
  private static final long MAX_MEMORY_BYTES = 16 << 20;

  /// One user's part of the files.
  private static final int USERS_SHARE = 4;

  private final Path directory;
  private final long maxBytesOfUser;
  private final AtomicLong freeBytes;
  private final AtomicLong freeMemoryBytes = new AtomicLong(MAX_MEMORY_BYTES);
  private final Map<String, Long> bytesOfUsers = new ConcurrentHashMap<>();

  /// @param directory where they are, made if it is missing
  /// @param maxBytes how long all of them may be at a time
  public SpillFiles(Path directory, long maxBytes) {
    this.directory = directory;
    maxBytesOfUser = maxBytes / USERS_SHARE;
    freeBytes = new AtomicLong(maxBytes);
  }

  /// Whether as much waits for a user as may.
  boolean isFull(String userId) {
    Long taken = bytesOfUsers.get(userId);
    return taken != null && taken >= maxBytesOfUser;
  }

  /// Takes memory for a part of an answer, if there is some left; {@link #freeMemory} gives it
  /// back.
  boolean takeMemory(int bytes) {
    return take(freeMemoryBytes, bytes);
  }

  void freeMemory(long bytes) {
    freeMemoryBytes.addAndGet(bytes);
  }

  private static boolean take(AtomicLong free, int bytes) {
    if (free.addAndGet(-bytes) >= 0) {
      return true;
    }
    free.addAndGet(bytes);
    return false;
  }

  private boolean takeOfUser(String userId, int bytes) {
    if (bytesOfUsers.merge(userId, (long) bytes, Long::sum) <= maxBytesOfUser) {
      return true;
    }
    freeOfUser(userId, bytes);
    return false;
  }

  private void freeOfUser(String userId, long bytes) {
    bytesOfUsers.computeIfPresent(userId, (_, taken) -> taken == bytes ? null : taken - bytes);
  }

  /// Makes a file, readable by its owner alone.
  ///
  /// @param userId whose answer is in it
  SpillFile open(String userId) throws IOException {
    Files.createDirectories(directory);
    Path file = Files.createTempFile(directory, "answer", ".spill");
    return new SpillFile(
        userId,
        FileChannel.open(
            file,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.DELETE_ON_CLOSE));
  }

  /// One answer's file: one thread appends while another one reads what was appended. Any may close
  /// it.
  final class SpillFile implements AutoCloseable {
    private final String userId;
    private final FileChannel channel;
    private final Object lock = new Object();
    private long reservedBytes; // guarded by lock
    private boolean isClosed; // guarded by lock
    private volatile long writtenBytes;
    private volatile long readBytes;

    private SpillFile(String userId, FileChannel channel) {
      this.userId = userId;
      this.channel = channel;
    }

    /// Adds bytes at the end.
    ///
    /// @throws IOException when the disk is full, the user's files or all of them are too long, or
    ///   this one is closed
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
        if (!takeOfUser(userId, length)) {
          throw new IOException("too much waits for this user's slow clients");
        }
        if (!take(freeBytes, length)) {
          freeOfUser(userId, length);
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
        freeOfUser(userId, reservedBytes);
      }
      try {
        channel.close();
      } catch (IOException _) {
        // it has no name any more, and the process's end closes it
      }
    }
  }
}
