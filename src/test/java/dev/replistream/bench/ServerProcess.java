package dev.replistream.bench;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A server started for one measurement, on free ports of loopback, and what it costs. Confined to
/// one thread.
///
/// {@link #close} ends it as an operator would, with SIGTERM, and so does the end of this JVM.
final class ServerProcess implements AutoCloseable {
  private static final Duration START_LIMIT = Duration.ofSeconds(60);

  private static final Pattern MAX_STREAMS = Pattern.compile("max-streams=(\\d+)");

  // fields 14 and 15 of /proc/<pid>/stat count in 1/100 s on every Linux port of the JDK
  private static final long NANOS_A_TICK = 10_000_000;

  private final Process process;
  private final Thread hook;
  private final Path log;
  private final int port;
  private final int adminPort;
  private final Duration startTime;

  private ServerProcess(List<String> command, Map<String, String> settings, Path log)
      throws IOException {
    this.log = log;
    try (ServerSocket api = freePort();
        ServerSocket admin = freePort()) {
      port = api.getLocalPort();
      adminPort = admin.getLocalPort();
    }
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(name -> name.startsWith("REPLISTREAM_"));
    builder.environment().putAll(settings);
    builder
        .environment()
        .putAll(
            Map.of(
                "REPLISTREAM_HOST", "127.0.0.1",
                "REPLISTREAM_PORT", Integer.toString(port),
                "REPLISTREAM_ADMIN_PORT", Integer.toString(adminPort)));
    builder.redirectErrorStream(true).redirectOutput(log.toFile());
    long begin = System.nanoTime();
    process = builder.start();
    hook = new Thread(process::destroy);
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      awaitAnswer(begin + START_LIMIT.toNanos());
    } catch (IOException e) {
      close();
      throw e;
    }
    startTime = Duration.ofNanos(System.nanoTime() - begin);
  }

  /// Starts a server and waits for its first answer.
  ///
  /// @param command what to run
  /// @param settings its environment, beside this process's own
  /// @param log where its output goes
  static ServerProcess start(List<String> command, Map<String, String> settings, Path log)
      throws IOException {
    return new ServerProcess(command, new HashMap<>(settings), log);
  }

  private static ServerSocket freePort() throws IOException {
    return new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
  }

  /// Asks for something that needs a token, without one, until the answer is 401.
  private void awaitAnswer(long deadline) throws IOException {
    while (!answers()) {
      if (!process.isAlive() || System.nanoTime() - deadline > 0) {
        throw new IOException("the server did not start; it says:\n" + Files.readString(log));
      }
      LockSupport.parkNanos(500_000);
    }
  }

  private boolean answers() {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(1_000);
      socket
          .getOutputStream()
          .write(
              "GET /api/v1/replicache/stats HTTP/1.1\r\nHost: localhost\r\n\r\n"
                  .getBytes(StandardCharsets.US_ASCII));
      InputStream in = socket.getInputStream();
      return new String(in.readNBytes(12), StandardCharsets.US_ASCII).equals("HTTP/1.1 401");
    } catch (SocketTimeoutException _) {
      return false;
    } catch (IOException _) {
      LockSupport.parkNanos(500_000);
      return false;
    }
  }

  /// The API's port.
  int port() {
    return port;
  }

  /// The port of health and metrics.
  int adminPort() {
    return adminPort;
  }

  /// From the process's start to its first answer.
  Duration startTime() {
    return startTime;
  }

  /// How many streams it lets in, as its log says.
  int maxStreams() throws IOException {
    Matcher matcher = MAX_STREAMS.matcher(Files.readString(log));
    if (!matcher.find()) {
      throw new IOException("the server's log does not say max-streams");
    }
    return Integer.parseInt(matcher.group(1));
  }

  /// The CPU time that it has used, to 10 ms.
  Duration cpu() throws IOException {
    return Duration.ofNanos(cpuTicks(read("stat")) * NANOS_A_TICK);
  }

  /// User and system time out of `/proc/<pid>/stat` (proc_pid_stat(5)); the second field, the name,
  /// may hold anything, even spaces and brackets.
  static long cpuTicks(String stat) {
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
  }

  /// The memory that it holds in RAM, in bytes.
  long residentBytes() throws IOException {
    return residentBytes(read("status"));
  }

  /// `VmRSS` out of `/proc/<pid>/status` (proc_pid_status(5)), in bytes.
  static long residentBytes(String status) {
    return status
        .lines()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("the server has ended"));
  }

  private String read(String file) throws IOException {
    return Files.readString(Path.of("/proc", Long.toString(process.pid()), file));
  }

  /// Ends it and waits for its end, which a training run takes its time for.
  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(120, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException _) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException _) {
      // this JVM is ending too
    }
  }

  /// Its exit status, once it has ended.
  int exitStatus() {
    return process.exitValue();
  }
}
