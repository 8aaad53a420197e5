package dev.replistream.poke;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;

/// The file `cursor` in the data directory, in which the state of a {@link Cursor} outlives a clean
/// stop. It is there from the stop to the next start only: whoever starts takes it, so a crash
/// finds none, and a new epoch begins.
///
/// It counts together with a mark that the database had at the stop and gave out once: a state is
/// worth nothing once there were writes that it does not know of.
///
/// Confined to the threads that start and stop the service. Two services on one data directory take
/// the file from each other, or damage it, which is noticed.
public final class CursorFile {
  private static final Logger LOGGER = System.getLogger(CursorFile.class.getName());

  /// "replcurs" in ASCII.
  private static final long MAGIC = 0x7265706c63757273L;

  private static final int VERSION = 1;

  /// More than 200,000 users with the longest ids take.
  private static final long MAX_BYTES = 128L << 20;

  /// Where a counter ends, well below the 18 digits of an {@link EventId}.
  private static final long MAX_COUNTER = 100_000_000_000_000_000L;

  /// By how much the counter is moved on at most, when it is taken.
  private static final long MAX_LEAP = 1L << 32;

  private final Path dataDir;
  private final Path file;
  private final Path draft;

  /// The file in a directory, which need not be there.
  public CursorFile(Path dataDir) {
    this.dataDir = dataDir;
    file = dataDir.resolve("cursor");
    draft = dataDir.resolve("cursor.draft");
  }

  /// Takes the file away and goes on from the state in it; where there is none that can be trusted,
  /// a new epoch begins.
  ///
  /// The counter of a kept state leaps: whoever goes back to an old copy of all files has clients
  /// that were given later stamps, and none of those may come to mean something else.
  ///
  /// @param mark what the database was marked with since its last stop, and is no more
  /// @param generationSize as for {@link Cursor}
  public Cursor take(String mark, int generationSize) {
    try {
      Kept kept = read();
      remove();
      if (kept.mark.equals(mark)) {
        CursorState state = kept.state;
        LOGGER.log(
            Level.INFO,
            "event=cursor-kept epoch={0} users={1}",
            state.epoch(),
            String.valueOf(state.young().size() + state.old().size()));
        long leap = 1 + new SecureRandom().nextLong(MAX_LEAP);
        return new Cursor(state.movedOn(leap), generationSize);
      }
      LOGGER.log(
          Level.INFO, "event=cursor-lost reason=\"the database is not as it was at the stop\"");
    } catch (NoSuchFileException _) {
      // the first start, or one after a crash
    } catch (IOException e) {
      warn(file + " can't be used", e);
      removeOrLeave();
    }
    return new Cursor(UUID.randomUUID().toString().substring(0, 8), generationSize);
  }

  /// Keeps a state for the next start. When this returns it survives a power cut, or the log has a
  /// warning.
  ///
  /// @param mark what the database was marked with after the last write that the state knows of
  public void write(CursorState state, String mark) {
    try {
      Files.createDirectories(dataDir);
      Files.deleteIfExists(draft);
      writeDraft(new Kept(mark, state));
      Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
      syncDirectory();
    } catch (IOException e) {
      warn(file + " can't be written", e);
      deleteDraft();
    }
  }

  /// What is in the file.
  private record Kept(String mark, CursorState state) {}

  private void writeDraft(Kept kept) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            draft, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), ownerOnly())) {
      CRC32C checksum = new CRC32C();
      DataOutputStream out =
          new DataOutputStream(
              new BufferedOutputStream(
                  new CheckedOutputStream(Channels.newOutputStream(channel), checksum), 1 << 16));
      CursorState state = kept.state;
      out.writeLong(MAGIC);
      out.writeInt(VERSION);
      out.writeUTF(kept.mark);
      out.writeUTF(state.epoch());
      out.writeLong(state.counter());
      out.writeLong(state.oldCeiling());
      out.writeLong(state.floor());
      writeGeneration(out, state.young());
      writeGeneration(out, state.old());
      out.flush();
      out.writeLong(checksum.getValue());
      out.flush();
      channel.force(true);
    }
  }

  private static void writeGeneration(DataOutputStream out, Map<String, Long> stamps)
      throws IOException {
    out.writeInt(stamps.size());
    for (Map.Entry<String, Long> stamp : stamps.entrySet()) {
      out.writeUTF(stamp.getKey());
      out.writeLong(stamp.getValue());
    }
  }

  private Kept read() throws IOException {
    if (Files.size(file) > MAX_BYTES) {
      throw new IOException("it is too large");
    }
    CRC32C checksum = new CRC32C();
    try (DataInputStream in =
        new DataInputStream(
            new CheckedInputStream(
                new BufferedInputStream(Files.newInputStream(file), 1 << 16), checksum))) {
      if (in.readLong() != MAGIC) {
        throw new IOException("it is none of this service's");
      }
      int version = in.readInt();
      if (version != VERSION) {
        throw new IOException("it has format %s, and this release knows %s".formatted(version, 1));
      }
      Kept kept = new Kept(in.readUTF(), readState(in));
      long expected = checksum.getValue();
      if (in.readLong() != expected || in.read() >= 0 || !isPossible(kept.state)) {
        throw new IOException("it is damaged");
      }
      return kept;
    } catch (EOFException e) {
      throw new IOException("it is cut off", e);
    }
  }

  private static CursorState readState(DataInputStream in) throws IOException {
    return new CursorState(
        in.readUTF(),
        in.readLong(),
        in.readLong(),
        in.readLong(),
        readGeneration(in),
        readGeneration(in));
  }

  private static Map<String, Long> readGeneration(DataInputStream in) throws IOException {
    Map<String, Long> stamps = new HashMap<>();
    for (int left = in.readInt(); left > 0; left--) {
      stamps.put(in.readUTF(), in.readLong());
    }
    return stamps;
  }

  private static boolean isPossible(CursorState state) {
    return EventId.parse(new EventId(state.epoch(), 0).toString()).isPresent()
        && 0 <= state.floor()
        && state.floor() <= state.oldCeiling()
        && state.oldCeiling() <= state.counter()
        && state.counter() <= MAX_COUNTER;
  }

  private void remove() throws IOException {
    Files.delete(file);
    syncDirectory();
  }

  private void removeOrLeave() {
    try {
      remove();
    } catch (IOException _) {
      // its mark has been taken from the database
    }
  }

  private void deleteDraft() {
    try {
      Files.deleteIfExists(draft);
    } catch (IOException _) {
      // the next stop writes over it
    }
  }

  private void syncDirectory() throws IOException {
    if (isPosix()) { // elsewhere a directory can't be opened
      try (FileChannel directory = FileChannel.open(dataDir)) {
        directory.force(true);
      }
    }
  }

  private FileAttribute<?>[] ownerOnly() {
    return isPosix()
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
        }
        : new FileAttribute<?>[0];
  }

  private boolean isPosix() {
    return file.getFileSystem().supportedFileAttributeViews().contains("posix");
  }

  private static void warn(String what, IOException e) {
    LOGGER.log(Level.WARNING, "event=cursor-lost reason=\"{0}: {1}\"", what, e);
  }
}
