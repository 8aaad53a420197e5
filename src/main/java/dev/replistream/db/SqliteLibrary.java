package dev.replistream.db;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import org.sqlite.SQLiteJDBCLoader;
import org.sqlite.util.LibraryLoaderUtil;

/// SQLite's native library. The driver would unpack it into the temporary directory at each start,
/// under another name each time, and a process that is killed leaves it there. So it stands beside
/// the database instead, unpacked once for each version.
///
/// It is run, so nobody else may have put it there: a directory that others could write in is not
/// used, and the content is compared with that on the class path each time.
final class SqliteLibrary {
  private static final String DIRECTORY = "sqlite-native";
  private static final String LIBRARY_PATH = "org.sqlite.lib.path";
  private static final String LIBRARY_NAME = "org.sqlite.lib.name";
  private static final String TEMPORARY = "org.sqlite.tmpdir";

  /// How long a process may take between writing a file and loading it.
  private static final Duration IN_USE = Duration.ofMinutes(1);

  /// The bits of a file's mode (inode(7)).
  private static final int GROUP_WRITES = 0020;

  private static final int OTHERS_WRITE = 0002;
  private static final int ONLY_OWNERS_RENAME = 01000;

  private SqliteLibrary() {}

  /// Loads the library, if this process has not. Where the system property `org.sqlite.lib.path`
  /// names a directory, as in the image, it is there; else it is unpacked into a directory of
  /// `home`, which has to be there. Where that can't be, the driver does it in its own way.
  ///
  /// Processes may do this at once.
  ///
  /// @throws DatabaseStartException when the library can't be had
  static synchronized void load(Path home) {
    Path place = home.resolve(DIRECTORY);
    try {
      if (System.getProperty(LIBRARY_PATH) == null) {
        unpack(home, place)
            .ifPresent(file -> {
              System.setProperty(LIBRARY_PATH, place.toString());
              System.setProperty(LIBRARY_NAME, file.getFileName().toString());
            });
      }
      avoidMissingTemporaryDirectory();
      SQLiteJDBCLoader.initialize();
    } catch (Exception e) { // declared as such
      throw new DatabaseStartException(
          "SQLite's library can be loaded neither from %s nor from java.io.tmpdir (%s): %s"
              .formatted(place, System.getProperty("java.io.tmpdir"), e.getMessage()));
    }
  }

  /// The driver tidies its temporary directory up at each start, and logs an error where there is
  /// none, though nothing else needs one.
  private static void avoidMissingTemporaryDirectory() {
    String known = System.getProperty(LIBRARY_PATH);
    if (known != null
        && System.getProperty(TEMPORARY) == null
        && !Files.isDirectory(Path.of(System.getProperty("java.io.tmpdir", "")))) {
      System.setProperty(TEMPORARY, known);
    }
  }

  /// The library in `place`, where it is now unless that can't be, or would not be safe.
  private static Optional<Path> unpack(Path home, Path place) {
    String name = LibraryLoaderUtil.getNativeLibName();
    try (InputStream in =
        SqliteLibrary.class.getResourceAsStream(
            LibraryLoaderUtil.getNativeLibResourcePath() + "/" + name)) {
      if (in == null || !home.getFileSystem().supportedFileAttributeViews().contains("unix")) {
        return Optional.empty();
      }
      byte[] content = in.readAllBytes();
      makeOwn(place);
      // through no link: what is checked is what is loaded
      Path own = place.toRealPath();
      if (!own.equals(home.toRealPath().resolve(DIRECTORY)) || !isOurs(own)) {
        return Optional.empty();
      }
      Path file = own.resolve(digest(content) + "-" + name);
      if (!holds(file, content)) {
        write(file, content);
        removeOthers(own, file);
      }
      return Optional.of(file);
    } catch (IOException _) {
      return Optional.empty(); // no space, a read-only file system, something else of that name
    }
  }

  private static void makeOwn(Path place) throws IOException {
    try {
      Files.createDirectory(
          place,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (FileAlreadyExistsException _) {
      // from an earlier start
    }
  }

  /// Whether nobody but this process's user and root can change what stands in `directory`, or put
  /// another one in its place.
  private static boolean isOurs(Path directory) throws IOException {
    Path probe = Files.createTempFile(directory, "owner", null);
    int user;
    try {
      user = number(probe, "unix:uid");
    } finally {
      Files.deleteIfExists(probe);
    }
    for (Path each = directory; each != null; each = each.getParent()) {
      int owner = number(each, "unix:uid");
      if ((owner != user && owner != 0) || othersMayChange(each)) {
        return false;
      }
    }
    return true;
  }

  /// In a directory with the sticky bit, as `/tmp` has, others can't rename what is not theirs. A
  /// group of the user's own number is the user's own (`USERGROUPS_ENAB` of login.defs(5)).
  private static boolean othersMayChange(Path directory) throws IOException {
    int mode = number(directory, "unix:mode");
    if ((mode & ONLY_OWNERS_RENAME) != 0) {
      return false;
    }
    boolean isOwnGroup = number(directory, "unix:gid") == number(directory, "unix:uid");
    return (mode & OTHERS_WRITE) != 0 || (!isOwnGroup && (mode & GROUP_WRITES) != 0);
  }

  private static int number(Path path, String attribute) throws IOException {
    Object value = Files.getAttribute(path, attribute, LinkOption.NOFOLLOW_LINKS);
    return ((Number) value).intValue();
  }

  private static boolean holds(Path file, byte[] content) throws IOException {
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
        && Files.size(file) == content.length
        && Arrays.equals(Files.readAllBytes(file), content);
  }

  /// Writes the file beside its place and then moves it there: nobody ever loads half of it.
  private static void write(Path file, byte[] content) throws IOException {
    Path draft = Files.createTempFile(file.getParent(), "draft", null); // the owner's alone
    try {
      Files.write(draft, content);
      Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(draft);
    }
  }

  /// Takes earlier versions away, and drafts of processes that were killed, but not what another
  /// process is at. Whoever has one loaded keeps it.
  private static void removeOthers(Path directory, Path file) throws IOException {
    FileTime old = FileTime.from(Instant.now().minus(IN_USE));
    try (DirectoryStream<Path> others =
        Files.newDirectoryStream(directory, other -> !other.equals(file))) {
      for (Path other : others) {
        if (Files.getLastModifiedTime(other).compareTo(old) < 0) {
          Files.deleteIfExists(other);
        }
      }
    }
  }

  private static String digest(byte[] content) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(content);
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
