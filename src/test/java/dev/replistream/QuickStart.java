package dev.replistream;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/// How tests start servers in processes of their own in half the time and with half the work: with
/// C1, the serial collector, and a cache of loaded and linked classes, which a first server leaves
/// when it stops. It stands under `target`, and is made anew when a class or the JVM has changed.
/// Thread-safe.
public final class QuickStart {
  /// Within which a server that leaves a cache starts, and then stops, on a busy machine.
  private static final Duration LIMIT = Duration.ofMinutes(2);

  private static final Path HOME = Path.of("target", "quick-start").toAbsolutePath();
  private static final String CLASS_PATH;
  private static final Path CACHE;

  static {
    // another JVM of the same run may be at it too
    try (FileChannel lock =
            FileChannel.open(
                Files.createDirectories(HOME).resolve("lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        var _ = lock.lock()) {
      CLASS_PATH = makeJars();
      CACHE = cache();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private QuickStart() {}

  /// The program and its options, for {@link #classPath}; further directories may follow there.
  public static List<String> java() {
    return java("-XX:AOTCache=" + CACHE);
  }

  private static List<String> java(String cache) {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        // a library of the tests brings SLF4J along, which would say that nothing listens to it
        "-Dslf4j.internal.verbosity=ERROR",
        "--enable-native-access=ALL-UNNAMED", // as the jar's manifest says
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        cache,
        // what does not fit is done without, such as for --enable-native-access, and without a word
        "-Xlog:disable");
  }

  /// The tests' own class path, with jars for its directories, which no cache can be of.
  public static String classPath() {
    return CLASS_PATH;
  }

  private static String makeJars() {
    try {
      List<String> entries = new ArrayList<>();
      for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
        Path path = Path.of(entry);
        if (Files.isDirectory(path)) {
          Path jar = HOME.resolve(path.getFileName() + ".jar");
          if (!Files.exists(jar) || newest(path).compareTo(Files.getLastModifiedTime(jar)) > 0) {
            run("jar", "--create", "--no-compress", "--file", jar.toString(), "-C", entry, ".");
          }
          entries.add(jar.toString());
        } else if (Files.exists(path)) {
          entries.add(entry);
        }
      }
      return String.join(File.pathSeparator, entries);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The cache for this JVM and these jars as they are.
  private static Path cache() {
    try {
      StringBuilder content = new StringBuilder(Runtime.version().toString());
      for (String entry : CLASS_PATH.split(File.pathSeparator)) {
        content.append(entry).append(Files.getLastModifiedTime(Path.of(entry)));
      }
      Path cache = HOME.resolve(Integer.toHexString(content.toString().hashCode()) + ".aot");
      if (!Files.exists(cache)) {
        try (Stream<Path> files = Files.list(HOME)) {
          for (Path old : files.filter(file -> file.toString().endsWith(".aot")).toList()) {
            Files.delete(old);
          }
        }
        makeCache(cache);
      }
      return cache;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static FileTime newest(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.map(QuickStart::lastModified).max(Comparator.naturalOrder()).orElseThrow();
    }
  }

  private static FileTime lastModified(Path file) {
    try {
      return Files.getLastModifiedTime(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void run(String tool, String... arguments) {
    int exitCode =
        ToolProvider.findFirst(tool).orElseThrow().run(System.out, System.err, arguments);
    if (exitCode != 0) {
      throw new IllegalStateException(tool + " " + Arrays.toString(arguments) + ": " + exitCode);
    }
  }

  /// Starts a server and stops it; the JVM then writes the cache.
  private static void makeCache(Path cache) throws IOException, InterruptedException {
    Path data = Files.createDirectories(HOME.resolve("data"));
    Path log = data.resolve("log");
    List<String> command = new ArrayList<>(java("-XX:AOTCacheOutput=" + cache));
    command.addAll(List.of("-cp", CLASS_PATH, Main.class.getName(), "serve"));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(name -> name.startsWith("REPLISTREAM_"));
    builder
        .environment()
        .putAll(
            Map.of(
                "REPLISTREAM_PORT", "0",
                "REPLISTREAM_ADMIN_PORT", "0",
                "REPLISTREAM_AUTH_SECRET", TestService.SECRET,
                "REPLISTREAM_DATA_DIR", data.toString(),
                "REPLISTREAM_STREAM_DRAIN", "PT0S"));
    Process server = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      Eventually.holdsWithin(
          LIMIT,
          "the server starts",
          () -> !server.isAlive() || Files.readString(log).contains("event=start"));
      server.destroy();
      if (!server.waitFor(LIMIT) || !Files.exists(cache)) {
        throw new IllegalStateException("no cache of the classes: " + Files.readString(log));
      }
    } finally {
      server.destroyForcibly();
    }
  }
}
