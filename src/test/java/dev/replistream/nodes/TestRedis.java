package dev.replistream.nodes;

import dev.replistream.Eventually;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.RedisClient;
import redis.embedded.RedisExecProvider;

/// A real Redis server in a process of its own, which a test can kill, start again, hold up and
/// empty. It keeps no data on disk.
public final class TestRedis implements AutoCloseable {
  private final int port;
  private final List<String> options;
  private final Path directory;
  private @Nullable Process process;

  private TestRedis(int port, List<String> options) {
    this.port = port;
    this.options = options;
    try {
      this.directory = Files.createTempDirectory("redis");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Starts a server on a free port of this machine.
  ///
  /// @param options as for `redis-server`: a file of settings, then others
  public static TestRedis start(String... options) {
    TestRedis redis = new TestRedis(freePort(), List.of(options));
    redis.restart();
    return redis;
  }

  static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Loaded at the first use, with the program out of its archive.
  private static final class Program {
    static final Path FILE = file();

    private static Path file() {
      try {
        return RedisExecProvider.defaultProvider().get().toPath();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /// Starts it, empty, on its port.
  public void restart() {
    List<String> command =
        new ArrayList<>(
            List.of(
                "--port",
                Integer.toString(port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no"));
    command.addAll(0, options);
    command.addFirst(Program.FILE.toString());
    try {
      process =
          new ProcessBuilder(command)
              .directory(directory.toFile())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Eventually.holds("Redis takes connections", this::isListening);
  }

  private boolean isListening() {
    try (var _ = new java.net.Socket(InetAddress.getLoopbackAddress(), port)) {
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  /// Its port.
  public int port() {
    return port;
  }

  /// Its URL.
  public String url() {
    return "redis://127.0.0.1:" + port;
  }

  /// A client of the test's own.
  public RedisClient client() {
    return RedisClient.create("127.0.0.1", port);
  }

  /// Forgets all that it knows.
  public void empty() {
    try (RedisClient client = client()) {
      client.flushAll();
    }
  }

  /// Ends it at once.
  public void kill() {
    Process running = process;
    if (running != null) {
      running.destroyForcibly();
      running.onExit().join();
      process = null;
    }
  }

  /// Lets it hang: its sockets still take what comes, and nothing answers.
  public void suspend() {
    signal("STOP");
  }

  /// Lets it go on.
  public void resume() {
    signal("CONT");
  }

  private void signal(String signal) {
    Process running = process;
    if (running != null) {
      try {
        new ProcessBuilder("kill", "-" + signal, Long.toString(running.pid())).start().waitFor();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  /// The CPU time that it has used.
  public Duration cpu() {
    Process running = process;
    return running == null
        ? Duration.ZERO
        : running.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  @Override
  public void close() {
    kill();
  }
}
