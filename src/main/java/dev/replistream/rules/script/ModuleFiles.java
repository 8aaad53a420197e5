package dev.replistream.rules.script;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.AccessMode;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.graalvm.polyglot.io.FileSystem;

/// The files that a module may import: those beneath its folder, read only. Each is read once, so
/// that all contexts have the same module. Thread-safe.
final class ModuleFiles implements FileSystem {
  /// No module of an application is as large.
  private static final long MAX_BYTES = 32 << 20;

  private final Path root;
  private final Path main;
  private final Map<Path, byte[]> contents = new ConcurrentHashMap<>();
  private final Map<Path, Optional<FileTime>> seen = new ConcurrentHashMap<>();

  private ModuleFiles(Path root, Path main) {
    this.root = root;
    this.main = main;
  }

  /// The files of a module, and what stands beside and beneath it.
  static ModuleFiles beside(Path module) {
    Path absolute = module.toAbsolutePath().normalize();
    Path folder = Objects.requireNonNull(absolute.getParent());
    try {
      Path root = folder.toRealPath();
      return new ModuleFiles(root, root.resolve(absolute.getFileName()));
    } catch (IOException _) {
      return new ModuleFiles(folder, absolute);
    }
  }

  /// The module that may import the others.
  Path main() {
    return main;
  }

  /// A path, or what begins with one, as it is shown: without the folder of the mutators.
  String shown(String path) {
    String folder = root + File.separator;
    return path.startsWith(folder) ? path.substring(folder.length()) : path;
  }

  /// Whether a position, as `path:line:column`, is in one of these files.
  boolean isIn(String position) {
    return contents.keySet().stream().anyMatch(file -> position.startsWith(file + ":"));
  }

  /// The files that were read or looked for, and when each was changed, if it was there.
  Map<Path, Optional<FileTime>> seen() {
    return Map.copyOf(seen);
  }

  /// When each of these was changed, if it is there.
  static Map<Path, Optional<FileTime>> times(Set<Path> files) {
    return files.stream().collect(Collectors.toMap(Function.identity(), ModuleFiles::time));
  }

  private static Optional<FileTime> time(Path file) {
    try {
      return Optional.of(Files.getLastModifiedTime(file));
    } catch (IOException _) {
      return Optional.empty();
    }
  }

  /// The content of a file.
  ///
  /// @throws IOException when it can't be read
  byte[] read(Path path) throws IOException {
    Path file = inside(path);
    byte[] known = contents.get(file);
    if (known == null) {
      if (!Files.isRegularFile(file) || Files.size(file) > MAX_BYTES) {
        throw new AccessDeniedException(root.relativize(file) + " is no file of up to 32 MiB");
      }
      known = Files.readAllBytes(file);
      contents.put(file, known);
    }
    return known;
  }

  private Path inside(Path path) throws IOException {
    Path file = toAbsolutePath(path);
    if (!file.startsWith(root)) {
      throw new AccessDeniedException(path + " is not beneath the folder of the mutators");
    }
    if (contents.containsKey(file)) {
      return file;
    }
    seen.computeIfAbsent(file, ModuleFiles::time);
    if (!Files.exists(file)) {
      throw new NoSuchFileException(root.relativize(file).toString());
    }
    if (!file.toRealPath().startsWith(root)) {
      throw new AccessDeniedException(path + " is not beneath the folder of the mutators");
    }
    return file;
  }

  @Override
  public Path parsePath(URI uri) {
    if (!"file".equals(uri.getScheme())) {
      throw new IllegalArgumentException("only files can be imported, not " + uri);
    }
    return Path.of(uri);
  }

  @Override
  public Path parsePath(String path) {
    return Path.of(path);
  }

  @Override
  public Path toAbsolutePath(Path path) {
    return root.resolve(path).normalize();
  }

  @Override
  public Path toRealPath(Path path, LinkOption... options) throws IOException {
    return inside(path);
  }

  @Override
  public void checkAccess(Path path, Set<? extends AccessMode> modes, LinkOption... options)
      throws IOException {
    if (modes.contains(AccessMode.WRITE)) {
      throw refused(path);
    }
    if (!Files.isRegularFile(inside(path))) {
      throw new NoSuchFileException(path.toString());
    }
  }

  @Override
  public SeekableByteChannel newByteChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    if (options.stream().anyMatch(option -> option != StandardOpenOption.READ)) {
      throw refused(path);
    }
    return new Channel(ByteBuffer.wrap(read(path)).asReadOnlyBuffer());
  }

  @Override
  public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options)
      throws IOException {
    return Files.readAttributes(inside(path), attributes, options);
  }

  @Override
  public DirectoryStream<Path> newDirectoryStream(
      Path path, DirectoryStream.Filter<? super Path> filter) throws IOException {
    throw refused(path);
  }

  @Override
  public void createDirectory(Path path, FileAttribute<?>... attributes) throws IOException {
    throw refused(path);
  }

  @Override
  public void delete(Path path) throws IOException {
    throw refused(path);
  }

  private static IOException refused(Path path) {
    return new AccessDeniedException(path + " can only be read");
  }

  /// What was read. Confined to one thread.
  private static final class Channel implements SeekableByteChannel {
    private final ByteBuffer bytes;
    private boolean open = true;

    Channel(ByteBuffer bytes) {
      this.bytes = bytes;
    }

    @Override
    public int read(ByteBuffer target) {
      if (!bytes.hasRemaining()) {
        return -1;
      }
      int count = Math.min(bytes.remaining(), target.remaining());
      target.put(bytes.slice(bytes.position(), count));
      bytes.position(bytes.position() + count);
      return count;
    }

    @Override
    public long position() {
      return bytes.position();
    }

    @Override
    public SeekableByteChannel position(long position) {
      bytes.position(Math.clamp(position, 0, bytes.limit()));
      return this;
    }

    @Override
    public long size() {
      return bytes.limit();
    }

    @Override
    public boolean isOpen() {
      return open;
    }

    @Override
    public void close() {
      open = false;
    }

    @Override
    public int write(ByteBuffer source) {
      throw new NonWritableChannelException();
    }

    @Override
    public SeekableByteChannel truncate(long size) {
      throw new NonWritableChannelException();
    }
  }
}
