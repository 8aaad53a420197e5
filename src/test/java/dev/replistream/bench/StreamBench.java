package dev.replistream.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// What streams and pokes cost: every measurement on a server of its own, started for it. Confined
/// to one thread.
final class StreamBench {
  /// Shorter than the server's default, so that a measurement holds a whole period of pings.
  private static final Duration PING_INTERVAL = Duration.ofSeconds(10);

  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final int USERS = 5_000;
  private static final int WAITING = 1_000;
  private static final int POKERS = 8;

  /// How much of it.
  ///
  /// @param starts how often the start is measured
  /// @param settle how long a fresh server is left alone before its memory is read
  /// @param hold how long streams are held, and users poll
  /// @param idle how many streams are held for their memory
  /// @param warmUp how many deliveries of a fan-out are not counted
  /// @param pokes how many pokes of many users are counted
  /// @param mostHeld the most streams to open when looking for the limit
  record Sizes(
      int starts, Duration settle, Duration hold, int idle, int warmUp, int pokes, int mostHeld) {
    static final Sizes FULL =
        new Sizes(
            3, Duration.ofSeconds(5), Duration.ofSeconds(11), 10_000, 300_000, 40_000, 50_000);
    static final Sizes QUICK =
        new Sizes(1, Duration.ofSeconds(2), Duration.ofSeconds(3), 10_000, 60_000, 10_000, 0);
  }

  private final List<String> command;
  private final Path work;
  private final Sizes sizes;
  private final Report report;
  private final Secret secret = new Secret();
  private final List<String> tokens;

  /// @param command what starts the server
  /// @param work a directory for the server's files
  StreamBench(List<String> command, Path work, Sizes sizes, Report report) {
    this.command = command;
    this.work = work;
    this.sizes = sizes;
    this.report = report;
    this.tokens = secret.tokens(USERS);
  }

  /// Measures everything.
  void run() throws IOException {
    start();
    waitOrPoll();
    idleStreams();
    fanOut(1_000);
    fanOut(10_000);
    manyUsers();
    if (sizes.mostHeld() > 0) {
      mostStreams();
    }
    report.note(
        "ping every %d s (the server's default is 30 s); a poll is GET /stats, which stands for a pull that finds nothing"
            .formatted(PING_INTERVAL.toSeconds()));
    report.note("latency: from the poke's sending to the sync's arrival at the client");
  }

  private ServerProcess server() throws IOException {
    return ServerProcess.start(
        command,
        Map.of(
            "REPLISTREAM_AUTH_SECRET",
            secret.text(),
            "REPLISTREAM_STREAM_MAX_CONNECTIONS_PER_USER",
            "1000000",
            "REPLISTREAM_STREAM_PING_INTERVAL",
            PING_INTERVAL.toString(),
            "REPLISTREAM_STREAM_DRAIN",
            "PT0S",
            "REPLISTREAM_HTTP_TRUSTED_PROXIES", // the polls connect long before they ask
            "127.0.0.0/8",
            "REPLISTREAM_LIMITS_POKES_PER_SECOND",
            "0"),
        work.resolve("server.log"));
  }

  private void start() throws IOException {
    long[] millis = new long[sizes.starts()];
    long[] bytes = new long[sizes.starts()];
    for (int i = 0; i < sizes.starts(); i++) {
      try (ServerProcess server = server();
          Loop loop = new Loop()) {
        millis[i] = server.startTime().toMillis();
        loop.runFor(sizes.settle());
        bytes[i] = server.residentBytes();
      }
    }
    Arrays.sort(millis);
    Arrays.sort(bytes);
    report.row("start to first answer", "%d ms", millis[sizes.starts() / 2]);
    report.row("RSS, no stream yet", "%.1f MB", bytes[sizes.starts() / 2] / 1e6);
  }

  /// The headline: what users who wait cost, against the same users asking again and again.
  private void waitOrPoll() throws IOException {
    List<String> users = tokens.subList(0, WAITING);
    Deliveries deliveries = new Deliveries(WAITING);
    try (ServerProcess server = server();
        Loop loop = new Loop()) {
      PollLoad polls = new PollLoad(loop, server.port(), users);
      polls.run(Duration.ofSeconds(1), sizes.hold()); // warm-up
      Duration everySecond = cost(server, () -> polls.run(Duration.ofSeconds(1), sizes.hold()));
      Duration everyFive = cost(server, () -> polls.run(Duration.ofSeconds(5), sizes.hold()));

      StreamLoad streams = new StreamLoad(loop, server.port(), users, deliveries);
      streams.open(WAITING, i -> i);
      PokeLoad pokes = new PokeLoad(loop, server.port(), users, streams, deliveries, POKERS);
      pokes.run(2 * WAITING, Duration.ZERO, LIMIT); // warm-up
      Duration waiting = cost(server, () -> loop.runFor(sizes.hold()));
      Duration changing =
          cost(
              server,
              () -> {
                Pace pace = new Pace(WAITING, Duration.ofSeconds(10));
                loop.runUntil(
                    () -> {
                      for (long turn = pace.take(); turn >= 0; turn = pace.take()) {
                        int user = (int) (turn % WAITING);
                        pokes.poke(user);
                        polls.poll(user);
                      }
                      return false;
                    },
                    sizes.hold());
              });
      pokes.run(0, Duration.ZERO, LIMIT);

      load("CPU, 1,000 users polling every second", everySecond);
      load("CPU, 1,000 users polling every 5 s", everyFive);
      load("CPU, the same users waiting on streams", waiting);
      load("CPU, the same with a change for each user every 10 s (poke, sync, poll)", changing);
      report.row(
          "polling every second costs, of waiting with changes",
          "%.0f times",
          (double) everySecond.toNanos() / Math.max(changing.toNanos(), 1));
      report.mustBeNone("polls had no answer before the next was due", polls.late());
      report.mustBeNone("polls failed", polls.failed());
      balance(streams, deliveries, pokes);
    }
  }

  private void load(String measure, Duration cpu) {
    report.row(measure, "%.2f %% of a core", 100.0 * cpu.toNanos() / sizes.hold().toNanos());
  }

  private interface Work {
    void run() throws IOException;
  }

  private static Duration cost(ServerProcess server, Work work) throws IOException {
    Duration before = server.cpu();
    work.run();
    return server.cpu().minus(before);
  }

  private void idleStreams() throws IOException {
    Deliveries deliveries = new Deliveries(1);
    try (ServerProcess server = server();
        Loop loop = new Loop()) {
      loop.runFor(sizes.settle());
      StreamLoad streams = new StreamLoad(loop, server.port(), tokens.subList(0, 1), deliveries);
      long before = server.residentBytes();
      Duration connecting = cost(server, () -> streams.open(sizes.idle(), _ -> 0));
      Duration idling = cost(server, () -> loop.runFor(sizes.hold()));
      long held = server.residentBytes();
      report.row(
          "RSS per idle stream, %,d streams".formatted(sizes.idle()),
          "%.1f KB",
          (held - before) / 1e3 / sizes.idle());
      report.row("CPU per connect", "%.0f µs", connecting.toNanos() / 1e3 / sizes.idle());
      load("CPU, %,d idle streams".formatted(sizes.idle()), idling);
      report.mustBeNone("idle streams failed", streams.failed());
    }
  }

  /// One user's poke to all of his streams, each poke after the last has arrived everywhere.
  private void fanOut(int count) throws IOException {
    Deliveries deliveries = new Deliveries(1);
    List<String> user = tokens.subList(0, 1);
    try (ServerProcess server = server();
        Loop loop = new Loop()) {
      StreamLoad streams = new StreamLoad(loop, server.port(), user, deliveries);
      streams.open(count, _ -> 0);
      PokeLoad pokes = new PokeLoad(loop, server.port(), user, streams, deliveries, 1);
      Duration pause = Duration.ofMillis(20);
      pokes.run(sizes.warmUp() / count, pause, LIMIT);
      deliveries.startOver();
      int counted = Math.max(20, sizes.warmUp() / count / 3);
      Duration cpu = cost(server, () -> pokes.run(counted, pause, LIMIT));
      latency("poke to sync, %,d streams of one user".formatted(count), deliveries);
      report.row(
          "CPU per delivery, %,d streams of one user".formatted(count),
          "%.1f µs",
          cpu.toNanos() / 1e3 / Math.max(1, deliveries.count()));
      balance(streams, deliveries, pokes);
    }
  }

  private void manyUsers() throws IOException {
    Deliveries deliveries = new Deliveries(USERS);
    try (ServerProcess server = server();
        Loop loop = new Loop()) {
      StreamLoad streams = new StreamLoad(loop, server.port(), tokens, deliveries);
      streams.open(2 * USERS, i -> i % USERS);
      PokeLoad pokes = new PokeLoad(loop, server.port(), tokens, streams, deliveries, POKERS);
      pokes.run(sizes.pokes() / 2, Duration.ZERO, LIMIT);
      deliveries.startOver();
      Duration[] taken = {Duration.ZERO};
      Duration cpu = cost(server, () -> taken[0] = pokes.run(sizes.pokes(), Duration.ZERO, LIMIT));
      String users = "%,d users with 2 streams".formatted(USERS);
      report.row("pokes, " + users, "%,.0f /s", sizes.pokes() * 1e9 / taken[0].toNanos());
      report.row("CPU per poke, " + users, "%.0f µs", cpu.toNanos() / 1e3 / sizes.pokes());
      latency("poke to sync, " + users + ", at that rate", deliveries);
      report.row("RSS after that", "%.0f MB", server.residentBytes() / 1e6);
      balance(streams, deliveries, pokes);
    }
  }

  /// As many streams as the server's limit of open files lets in.
  private void mostStreams() throws IOException {
    try (ServerProcess server = server();
        Loop loop = new Loop()) {
      int most = Math.min(server.maxStreams(), sizes.mostHeld());
      StreamLoad streams =
          new StreamLoad(loop, server.port(), tokens.subList(0, 1), new Deliveries(1));
      streams.open(most, _ -> 0);
      loop.runFor(sizes.hold());
      report.row(
          "streams held (the server lets in %,d)".formatted(server.maxStreams()),
          "%,d with %.0f MB RSS",
          streams.open(),
          server.residentBytes() / 1e6);
      report.mustBeNone("of the held streams failed", streams.failed());
      report.mustBeNone("of the held streams got no ping", Math.max(0, most - streams.pings()));
    }
  }

  private void latency(String measure, Deliveries deliveries) {
    report.row(
        measure + ": p50 / p99 / p99.9",
        "%.1f / %.1f / %.1f ms",
        deliveries.latencyMillis(50),
        deliveries.latencyMillis(99),
        deliveries.latencyMillis(99.9));
  }

  private void balance(StreamLoad streams, Deliveries deliveries, PokeLoad pokes) {
    report.mustBeNone("deliveries are missing", deliveries.missing());
    report.mustBeNone("syncs came that nobody asked for", deliveries.unexpected());
    report.mustBeNone("pokes failed", pokes.failed());
    report.mustBeNone("streams failed", streams.failed());
  }
}
