package dev.replistream.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/// Proves an image that was just built: it starts, a poke reaches a stream, it is healthy, and
/// SIGTERM ends it in order.
public final class ImageCheck {
  private static final Duration LIMIT = Duration.ofSeconds(10);

  // what a JVM answers that SIGTERM has ended: 128 + 15
  private static final int ENDED_BY_SIGTERM = 143;

  private ImageCheck() {}

  /// Runs the check, and fails with what is wrong.
  ///
  /// @param args the log file, then the server's command
  public static void main(String[] args) throws IOException {
    Path log = Path.of(args[0]);
    List<String> command = List.of(args).subList(1, args.length);
    Secret secret = new Secret();
    ServerProcess server =
        ServerProcess.start(command, Map.of("REPLISTREAM_AUTH_SECRET", secret.text()), log);
    try (server;
        Loop loop = new Loop()) {
      Deliveries deliveries = new Deliveries(1);
      List<String> user = secret.tokens(1);
      StreamLoad streams = new StreamLoad(loop, server.port(), user, deliveries);
      streams.open(1, _ -> 0);
      PokeLoad pokes = new PokeLoad(loop, server.port(), user, streams, deliveries, 1);
      pokes.run(1, Duration.ZERO, LIMIT);
      check(deliveries.count() == 1, "a poke did not reach its stream", log);

      System.out.printf(
          "start to first answer %d ms, RSS %.1f MB%n",
          server.startTime().toMillis(), server.residentBytes() / 1e6);
    }
    check(server.exitStatus() == ENDED_BY_SIGTERM, "exit status " + server.exitStatus(), log);
    String output = Files.readString(log);
    check(output.contains("event=stop"), "SIGTERM did not end the server in order", log);
    check(!output.contains("[warning]"), "the JVM warns", log);
  }

  private static void check(boolean good, String fault, Path log) throws IOException {
    if (!good) {
      throw new IllegalStateException(fault + "; the server says:\n" + Files.readString(log));
    }
  }
}
