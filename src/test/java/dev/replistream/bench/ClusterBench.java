package dev.replistream.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/// What pokes cost that go from one node through Redis to another, against those that stay on one;
/// and both while the nodes hold as many streams as they may. Confined to one thread.
final class ClusterBench {
  private static final int NODES = 3;
  private static final int USERS = 2_000;
  private static final int POKERS = 8;
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /// How much of it.
  ///
  /// @param pokes how many pokes are counted
  /// @param held how many more streams each node holds
  record Sizes(int pokes, int held) {
    static final Sizes FULL = new Sizes(40_000, 17_000);
    static final Sizes QUICK = new Sizes(10_000, 1_000);
  }

  private final List<String> command;
  private final Path work;
  private final Sizes sizes;
  private final Report report;

  ClusterBench(List<String> command, Path work, Sizes sizes, Report report) {
    this.command = command;
    this.work = work;
    this.sizes = sizes;
    this.report = report;
  }

  /// Measures everything.
  void run() throws IOException {
    Map<String, String> settings =
        Map.of(
            "REPLISTREAM_STREAM_MAX_CONNECTIONS_PER_USER",
            "1000000",
            "REPLISTREAM_STREAM_DRAIN",
            "PT0S",
            "REPLISTREAM_LIMITS_POKES_PER_SECOND",
            "0");
    try (Cluster cluster = Cluster.start(NODES, command, settings, work);
        Loop loop = new Loop()) {
      List<String> tokens = cluster.secret().tokens(USERS);
      Deliveries deliveries = new Deliveries(USERS);
      // all measured streams are with the last node
      StreamLoad streams = new StreamLoad(loop, cluster.node(NODES - 1).port(), tokens, deliveries);
      streams.open(USERS, i -> i);
      measure(cluster, loop, streams, deliveries, tokens, "");
      List<Holder> holders = new ArrayList<>();
      try {
        Duration before = cluster.cpu();
        for (int node = 0; node < NODES; node++) {
          holders.add(new Holder(cluster.node(node).port(), sizes.held(), cluster.secret()));
        }
        int held = 0;
        for (Holder holder : holders) {
          held += holder.awaitHeld();
        }
        report.row("streams of all nodes", "%,d", held + USERS);
        report.row(
            "CPU per connect, nodes",
            "%.0f µs",
            cluster.cpu().minus(before).toNanos() / 1e3 / held);
        for (int node = 0; node < NODES; node++) {
          report.row(
              "RSS of node " + (node + 1), "%.0f MB", cluster.node(node).residentBytes() / 1e6);
        }
        measure(cluster, loop, streams, deliveries, tokens, ", all streams held");
      } finally {
        holders.forEach(Holder::close);
      }
      report.mustBeNone("streams failed", streams.failed());
    }
    report.note("latency: from the poke's sending to the sync's arrival at the client");
    report.note("clients, nodes, Redis and PostgreSQL share the cores of this machine");
  }

  private void measure(
      Cluster cluster,
      Loop loop,
      StreamLoad streams,
      Deliveries deliveries,
      List<String> tokens,
      String under)
      throws IOException {
    for (boolean isAcross : new boolean[] {false, true}) {
      int port = cluster.node(isAcross ? 0 : NODES - 1).port();
      PokeLoad pokes = new PokeLoad(loop, port, tokens, streams, deliveries, POKERS);
      String where = (isAcross ? "across nodes" : "within a node") + under;
      pokes.run(sizes.pokes() / 2, Duration.ZERO, LIMIT); // warm-up
      deliveries.startOver();
      Duration cpu = cluster.cpu();
      Duration cpuOfRedis = cluster.cpuOfRedis();
      Duration taken = pokes.run(sizes.pokes(), Duration.ZERO, LIMIT);
      report.row("pokes/s, " + where, "%,.0f", sizes.pokes() * 1e9 / taken.toNanos());
      report.row(
          "poke to sync, " + where + ": p50 / p99 / p99.9",
          "%.2f / %.2f / %.2f ms",
          deliveries.latencyMillis(50),
          deliveries.latencyMillis(99),
          deliveries.latencyMillis(99.9));
      report.row(
          "CPU per delivery, " + where + ": nodes / Redis",
          "%.1f / %.1f µs",
          cluster.cpu().minus(cpu).toNanos() / 1e3 / sizes.pokes(),
          cluster.cpuOfRedis().minus(cpuOfRedis).toNanos() / 1e3 / sizes.pokes());
      report.mustBeNone("deliveries are missing, " + where, deliveries.missing());
      report.mustBeNone("syncs came that nobody asked for", deliveries.unexpected());
      report.mustBeNone("pokes failed, " + where, pokes.failed());
    }
  }

  /// A process that holds streams of other users, so that no process needs too many open files.
  private static final class Holder {
    private final Process process;
    private final BufferedReader output;

    Holder(int port, int count, Secret secret) throws IOException {
      process =
          new ProcessBuilder(
                  ProcessHandle.current().info().command().orElseThrow(),
                  "-cp",
                  System.getProperty("java.class.path"),
                  Main.class.getName(),
                  Integer.toString(port),
                  Integer.toString(count))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      try (var tokens = process.outputWriter(StandardCharsets.US_ASCII)) {
        // users of their own, with four streams each
        for (String token : secret.tokens(USERS + count / 4).subList(USERS, USERS + count / 4)) {
          tokens.write(token + "\n");
        }
      }
      output =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII));
    }

    int awaitHeld() throws IOException {
      String line = output.readLine();
      if (line == null) {
        throw new IOException("a process that holds streams has ended");
      }
      return Integer.parseInt(line);
    }

    void close() {
      process.destroy();
    }
  }

  /// The entry of a process that holds streams.
  static final class Main {
    private Main() {}

    /// Opens streams, says how many are open, and holds them until it is ended.
    ///
    /// @param arguments the server's port, and how many; the tokens come by standard input
    public static void main(String[] arguments) throws IOException, InterruptedException {
      List<String> tokens =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII))
              .lines()
              .toList();
      try (Loop loop = new Loop()) {
        StreamLoad streams =
            new StreamLoad(
                loop, Integer.parseInt(arguments[0]), tokens, new Deliveries(tokens.size()));
        streams.open(Integer.parseInt(arguments[1]), i -> i % tokens.size());
        System.out.println(streams.open());
        loop.runFor(Duration.ofHours(1));
      }
      new CountDownLatch(1).await();
    }
  }
}
