package dev.replistream;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A server in a process of its own, with the JVM's options of the image in 512 MiB: two thirds of
/// that are its heap. What would end the process of a small container ends this one.
///
/// {@link #close} ends it, and so does the end of this JVM. Confined to one thread, except for the
/// {@link ServiceClient}.
public final class SmallServer implements AutoCloseable {
  private static final int STOP_SECONDS = 20;
  private static final Duration START = Duration.ofMinutes(1);
  private static final Pattern PORTS =
      Pattern.compile("event=start address=\\S+:(\\d+) admin-port=(\\d+)");

  private final Process process;
  private final Thread hook;
  private final Path log;
  private final int port;
  private final int adminPort;
  private final ServiceClient client;

  private SmallServer(Process process, Path log, Settings settings) {
    this.process = process;
    this.log = log;
    hook = new Thread(process::destroyForcibly);
    Runtime.getRuntime().addShutdownHook(hook);
    Eventually.holdsWithin(
        START, "the server starts", () -> !process.isAlive() || PORTS.matcher(log()).find());
    Matcher ports = PORTS.matcher(log());
    if (!ports.find()) {
      throw new IllegalStateException("the server did not start: " + log());
    }
    port = Integer.parseInt(ports.group(1));
    adminPort = Integer.parseInt(ports.group(2));
    client = new ServiceClient(port, adminPort, settings, Clock.systemUTC());
  }

  /// Starts a server on free ports of this machine, with the tests' secret and a data directory of
  /// its own.
  ///
  /// @param environment pairs of what follows `REPLISTREAM_` and a value
  public static SmallServer start(String... environment) {
    return start(0, environment);
  }

  /// Starts such a server that may open so many files, 0 for as many as this process.
  public static SmallServer start(int openFiles, String... environment) {
    try {
      Path data = Files.createTempDirectory("replistream-small");
      data.toFile().deleteOnExit();
      Map<String, String> variables = new HashMap<>();
      variables.put("REPLISTREAM_HOST", "127.0.0.1");
      variables.put("REPLISTREAM_PORT", "0");
      variables.put("REPLISTREAM_ADMIN_PORT", "0");
      variables.put("REPLISTREAM_AUTH_SECRET", TestService.SECRET);
      variables.put("REPLISTREAM_DATA_DIR", data.toString());
      variables.put("REPLISTREAM_STREAM_DRAIN", "PT0S");
      for (int i = 0; i < environment.length; i += 2) {
        variables.put("REPLISTREAM_" + environment[i], environment[i + 1]);
      }
      Path log = data.resolve("log");
      ProcessBuilder builder = new ProcessBuilder(command(openFiles));
      builder.environment().keySet().removeIf(name -> name.startsWith("REPLISTREAM_"));
      builder.environment().putAll(variables);
      builder.environment().put("MALLOC_ARENA_MAX", "2"); // as in the image
      return new SmallServer(
          builder.redirectErrorStream(true).redirectOutput(log.toFile()).start(),
          log,
          Settings.load(Optional.empty(), variables));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> command(int openFiles) throws IOException {
    List<String> command = new ArrayList<>();
    if (openFiles > 0) {
      command.addAll(List.of("bash", "-c", "ulimit -n " + openFiles + "; exec \"$@\"", "--"));
    }
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    Files.readAllLines(Path.of("etc", "jvm.options")).stream()
        .filter(line -> !line.isBlank() && !line.startsWith("#"))
        .forEach(command::add);
    command.add("-XX:MaxRAM=512m");
    command.add("-Dslf4j.internal.verbosity=ERROR"); // of a library of the tests
    command.addAll(List.of("-cp", QuickStart.classPath(), Main.class.getName(), "serve"));
    return command;
  }

  /// Its caller.
  public ServiceClient client() {
    return client;
  }

  /// The API's port.
  public int port() {
    return port;
  }

  /// The port of health and metrics.
  public int adminPort() {
    return adminPort;
  }

  /// The process's id.
  public long pid() {
    return process.pid();
  }

  /// Whether the process runs, as it should whatever is sent to it.
  public boolean isAlive() {
    return process.isAlive();
  }

  /// What lives of the heap, in bytes: the server collects what does not before it is asked.
  public long livingBytes() {
    try {
      Process collecting =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                  Long.toString(pid()),
                  "GC.run")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      if (collecting.waitFor() != 0) {
        throw new IllegalStateException("the server does not collect");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    return Math.round(client.metrics().getOrDefault("memory_usedHeap_bytes", Double.NaN));
  }

  /// The most memory that the process has had at a time, in bytes: what a container's limit counts.
  public long peakBytes() {
    return memory("VmHWM");
  }

  private long memory(String name) {
    try (Stream<String> lines = Files.lines(Path.of("/proc", Long.toString(pid()), "status"))) {
      String line = lines.filter(each -> each.startsWith(name + ":")).findFirst().orElseThrow();
      return Long.parseLong(line.replaceAll("\\D", "")) << 10;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// All that the process has written, to its standard output and error.
  public String log() {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Ends the process as an operator would, with SIGTERM, and by force where that takes long.
  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException _) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    Runtime.getRuntime().removeShutdownHook(hook);
  }
}
