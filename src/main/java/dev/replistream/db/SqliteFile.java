package dev.replistream.db;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteOpenMode;

/// The file of a SQLite database, held by this process alone as long as this is open. Thread-safe.
///
/// The lock is one on a file beside it, `<file>.lock`, so that a second service on the same file is
/// refused; SQLite's own tools may still read and back up the database.
///
/// POSIX takes a lock back as soon as its process closes the file, by whichever descriptor
/// (fcntl(2)), so a second database on it within this process is refused before that touches it.
final class SqliteFile implements AutoCloseable {
  static final String SCHEME = "jdbc:sqlite:";

  /// How long a statement waits for another process that has the database locked.
  private static final int BUSY_MILLIS = 2_000;

  /// Pages that the writer keeps in memory, in KiB: the upper levels of all trees and what was
  /// written lately.
  private static final int WRITER_CACHE_KIB = 16 << 10;

  /// The same of each reader; the kernel's cache is behind it.
  private static final int READER_CACHE_KIB = 4 << 10;

  /// What the write-ahead log is cut down to after a long snapshot let it grow.
  private static final int MAX_IDLE_LOG_BYTES = 64 << 20;

  /// The files that this process has open. It is static because a lock is the process's.
  private static final Set<Path> OPEN = ConcurrentHashMap.newKeySet();

  private final Path path;
  private final Path realPath;
  private final FileChannel lockChannel;
  private final @Nullable Object key;

  private SqliteFile(Path path, Path realPath, FileChannel lockChannel, @Nullable Object key) {
    this.path = path;
    this.realPath = realPath;
    this.lockChannel = lockChannel;
    this.key = key;
  }

  /// Makes the file and its directory if they are missing, readable by their owner alone, and locks
  /// it.
  ///
  /// @throws DatabaseStartException when the URL names no file, the file can't be had, or SQLite
  ///   can't be
  static SqliteFile open(String url) {
    Path path = path(url);
    try {
      Path realPath = realPath(path);
      SqliteLibrary.load(Objects.requireNonNull(realPath.getParent()));
      if (!OPEN.add(realPath)) {
        throw new DatabaseStartException("this process uses the file " + path + " already");
      }
      try {
        return lockAndCreate(path, realPath);
      } catch (Throwable thrown) {
        OPEN.remove(realPath);
        throw thrown;
      }
    } catch (IOException e) {
      throw new DatabaseStartException("can't use the file %s (%s)".formatted(path, reason(e)));
    }
  }

  /// Checks that there is such a file.
  ///
  /// @throws DatabaseStartException when there is not
  static void requirePresent(String url) {
    Path path = path(url);
    if (!Files.exists(path)) {
      throw new DatabaseStartException("there is no file " + path);
    }
  }

  /// Loads SQLite for a file that is there.
  static void loadLibrary(String url) throws IOException {
    SqliteLibrary.load(Objects.requireNonNull(path(url).toRealPath().getParent()));
  }

  private static SqliteFile lockAndCreate(Path path, Path realPath) throws IOException {
    FileChannel lockChannel = lock(realPath);
    try {
      create(path);
      return new SqliteFile(path, realPath, lockChannel, keyOf(path));
    } catch (Throwable thrown) {
      lockChannel.close();
      throw thrown;
    }
  }

  /// Where the file is or will be, by one name of all that it may have.
  private static Path realPath(Path path) throws IOException {
    Path directory = Objects.requireNonNull(path.getParent());
    Files.createDirectories(directory);
    return Files.exists(path)
        ? path.toRealPath()
        : directory.toRealPath().resolve(path.getFileName());
  }

  private static Path path(String url) {
    String name = url.substring(SCHEME.length());
    if (name.isBlank() || name.startsWith(":") || name.startsWith("file:") || name.contains("?")) {
      throw new DatabaseStartException(
          "a file of SQLite has no ? in its path, no parameters, and begins with neither : nor file:");
    }
    try {
      Path path = Path.of(name);
      if (!path.isAbsolute() && !Files.isDirectory(Path.of(""))) {
        throw new DatabaseStartException(
            "this process can't name its working directory; with letters beyond ASCII, start it"
                + " with LC_ALL=C.UTF-8");
      }
      return path.toAbsolutePath().normalize();
    } catch (InvalidPathException e) {
      throw new DatabaseStartException("that is no path (" + e.getReason() + ")");
    }
  }

  private static FileChannel lock(Path path) throws IOException {
    Path lockPath = path.resolveSibling(path.getFileName() + ".lock");
    FileChannel channel =
        FileChannel.open(
            lockPath, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE), ownerOnly());
    try {
      FileLock lock = channel.tryLock();
      if (lock != null) {
        return channel;
      }
    } catch (OverlappingFileLockException _) {
      // held by this very process, by a copy of this class of another class loader
    }
    channel.close();
    throw new DatabaseStartException(
        "another process uses the file %s: stop the service that runs on it".formatted(path));
  }

  private static void create(Path path) throws IOException {
    try {
      Files.createFile(path, ownerOnly());
    } catch (FileAlreadyExistsException e) {
      if (!Files.isRegularFile(path)) {
        throw new FileSystemException(path.toString(), null, "not a file");
      }
    }
  }

  private static FileAttribute<?>[] ownerOnly() {
    boolean posix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
    return posix
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
        }
        : new FileAttribute<?>[0];
  }

  private static String reason(IOException e) {
    return switch (e) {
      case AccessDeniedException denied -> "no right to use " + denied.getFile();
      case FileAlreadyExistsException taken -> taken.getFile() + " is no directory";
      case NoSuchFileException missing -> "there is no " + missing.getFile();
      case FileSystemException other when other.getReason() != null -> other.getReason();
      default -> Objects.requireNonNullElse(e.getMessage(), e.getClass().getSimpleName());
    };
  }

  private static @Nullable Object keyOf(Path path) throws IOException {
    return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
  }

  /// Checks that the path still leads to the file that was opened. SQLite itself would go on with a
  /// deleted file, and all that it then wrote would vanish with the process.
  ///
  /// @throws SQLNonTransientConnectionException when it was deleted or replaced
  void requireInPlace() throws SQLException {
    try {
      if (Objects.equals(key, keyOf(path))) {
        return;
      }
    } catch (IOException e) {
      throw new SQLNonTransientConnectionException("the file %s is gone".formatted(path), e);
    }
    throw new SQLNonTransientConnectionException(
        "%s is another file than at the start: restart to use it".formatted(path));
  }

  /// Opens the connection of the writer: write-ahead log, each commit on the disk.
  Connection connectWriter() throws SQLException {
    SQLiteConfig config = config(WRITER_CACHE_KIB);
    config.setJournalMode(SQLiteConfig.JournalMode.WAL);
    config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
    config.setJournalSizeLimit(MAX_IDLE_LOG_BYTES);
    return connect(config);
  }

  /// Opens the connection of a reader, which can't write.
  Connection connectReader() throws SQLException {
    SQLiteConfig config = config(READER_CACHE_KIB);
    config.setReadOnly(true);
    return connect(config);
  }

  private static SQLiteConfig config(int cacheKib) {
    SQLiteConfig config = new SQLiteConfig();
    config.resetOpenMode(SQLiteOpenMode.CREATE); // a file that vanished is not to be made again
    config.setBusyTimeout(BUSY_MILLIS);
    config.setCacheSize(-cacheKib);
    config.setTempStore(SQLiteConfig.TempStore.MEMORY);
    return config;
  }

  private Connection connect(SQLiteConfig config) throws SQLException {
    requireInPlace();
    return config.createConnection(SCHEME + path);
  }

  @Override
  public String toString() {
    return path.toString();
  }

  /// Gives the lock back.
  @Override
  public void close() {
    try {
      lockChannel.close();
    } catch (IOException _) {
      // the end of the process gives it back
    }
    OPEN.remove(realPath);
  }
}
