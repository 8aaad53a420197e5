package dev.replistream.cluster;

import dev.replistream.Eventually;
import dev.replistream.ServiceClient;
import dev.replistream.Settings;
import dev.replistream.cli.CommandProcess;
import java.io.IOException;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// One node, which can be killed or stopped and started again. Each life is a process with ports of
/// its own. Started and ended by one thread; {@link #client} may be used by any.
final class ServerNode implements AutoCloseable {
  private static final Pattern STARTED =
      Pattern.compile(".*event=start address=127\\.0\\.0\\.1:(\\d+) admin-port=(\\d+) .*");

  private final Map<String, String> environment;
  private final Settings settings;
  private @Nullable CommandProcess process;
  private volatile @Nullable ServiceClient client;

  /// @param environment of the process, which lets the system choose the ports
  /// @param settings by which the test signs tokens
  ServerNode(Map<String, String> environment, Settings settings) {
    this.environment = Map.copyOf(environment);
    this.settings = settings;
  }

  /// Starts the process, and does not wait for it.
  void begin() throws IOException {
    process = CommandProcess.start(environment, List.of(), "serve");
  }

  /// Waits until the process that has begun takes part.
  void awaitReady() throws InterruptedException {
    Matcher started = STARTED.matcher(process().out().await("event=start"));
    if (!started.matches()) {
      throw new AssertionError("unlike any start: " + process().out());
    }
    ServiceClient caller =
        new ServiceClient(
            Integer.parseInt(started.group(1)),
            Integer.parseInt(started.group(2)),
            settings,
            Clock.systemUTC());
    Eventually.holds("the node is ready", () -> isReady(caller));
    client = caller;
  }

  /// Whether a node says that it is ready.
  static boolean isReady(ServiceClient node) {
    return node.admin("/health/ready").status() == 200;
  }

  private CommandProcess process() {
    CommandProcess current = process;
    if (current == null) {
      throw new IllegalStateException("it never began");
    }
    return current;
  }

  /// The caller of its life, or of its last one where it has ended.
  ServiceClient client() {
    ServiceClient current = client;
    if (current == null) {
      throw new IllegalStateException("it was never ready");
    }
    return current;
  }

  /// What its life has printed so far.
  String output() {
    return process().out().toString() + process().err();
  }

  /// How the system knows its process.
  long pid() {
    return process().pid();
  }

  /// Ends it with SIGKILL and waits for its end.
  void kill() throws InterruptedException {
    process().close();
    process().exitCode();
  }

  /// Sends SIGTERM.
  void terminate() {
    process().terminate();
  }

  /// Waits for its end.
  int exitCode() throws InterruptedException {
    return process().exitCode();
  }

  @Override
  public void close() {
    CommandProcess current = process;
    if (current != null) {
      current.close();
    }
  }
}
