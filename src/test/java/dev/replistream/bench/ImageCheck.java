package dev.replistream.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/// Proves an image that was just built: it starts, a poke reaches a stream, it is healthy, and
/// SIGTERM ends it in order.
public final class ImageCheck {
  private static final Duration LIMIT = Duration.ofSeconds(10);

  /// Longer than the JVM waits before it gives memory back.
  private static final Duration SETTLE = Duration.ofSeconds(10);

  private ImageCheck() {}

  /// Runs the check, and fails with what is wrong.
  ///
  /// @param args the log file, then the server's command
  public static void main(String[] args) throws IOException {
    Path log = Path.of(args[0]);
    List<String> command = List.of(args).subList(1, args.length);
    Secret secret = new Secret();
    Path data = Files.createTempDirectory(log.toAbsolutePath().getParent(), "image-check");
    ServerProcess server =
        ServerProcess.start(
            command,
            Map.of(
                "REPLISTREAM_AUTH_SECRET", secret.text(), "REPLISTREAM_DATA_DIR", data.toString()),
            log);
    try (server;
        Loop loop = new Loop()) {
      loop.runFor(SETTLE);
      System.out.printf(
          "start to first answer %d ms, RSS %.1f MB%n",
          server.startTime().toMillis(), server.residentBytes() / 1e6);

      Deliveries deliveries = new Deliveries(1);
      List<String> user = secret.tokens(1);
      StreamLoad streams = new StreamLoad(loop, server.port(), user, deliveries);
      streams.open(1, _ -> 0);
      PokeLoad pokes = new PokeLoad(loop, server.port(), user, streams, deliveries, 1);
      pokes.run(1, Duration.ZERO, LIMIT);
      check(deliveries.count() == 1, "a poke did not reach its stream", log);

      try (SyncClient client = new SyncClient(server.port(), user.getFirst(), "check")) {
        client.push(0, 1);
        check(
            new String(client.pull(), StandardCharsets.UTF_8).contains("item/0000000"),
            "a pull does not show what was pushed",
            log);
      }
    }
    check(server.exitStatus() == 0, "exit status " + server.exitStatus(), log);
    String output = Files.readString(log);
    check(output.contains("event=stop"), "SIGTERM did not end the server in order", log);
    check(!output.contains("[warning]"), "the JVM warns", log);
    checkNodes(command, Files.createTempDirectory(log.toAbsolutePath().getParent(), "nodes"));
  }

  /// Two nodes with PostgreSQL and Redis, whose drivers need more of the runtime.
  private static void checkNodes(List<String> command, Path directory) throws IOException {
    Path log = directory.resolve("node0.log");
    try (Cluster cluster = Cluster.start(2, command, Map.of(), directory);
        Loop loop = new Loop()) {
      List<String> user = cluster.secret().tokens(1);
      loop.runFor(SETTLE);
      Deliveries deliveries = new Deliveries(1);
      StreamLoad streams = new StreamLoad(loop, cluster.node(1).port(), user, deliveries);
      streams.open(1, _ -> 0);
      new PokeLoad(loop, cluster.node(0).port(), user, streams, deliveries, 1)
          .run(1, Duration.ZERO, LIMIT);
      check(deliveries.count() == 1, "a poke did not reach the other node", log);
    }
  }

  private static void check(boolean good, String fault, Path log) throws IOException {
    if (!good) {
      throw new IllegalStateException(fault + "; the server says:\n" + Files.readString(log));
    }
  }
}
