package dev.replistream.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntUnaryOperator;

/// What push and pull cost, on one server with a database of its own. Confined to one thread.
final class SyncBench {
  private static final int CLIENTS = 64;
  private static final int BATCH = 5_000;
  private static final int CHANGES = 10;
  private static final int SMALL_VIEW = 1_000;

  /// How much of it.
  ///
  /// @param entries how many entries the large view has
  /// @param rounds how often what takes long is measured
  /// @param deltas how often what takes short is measured
  /// @param pulls how many unchanged pulls each of eight clients makes
  /// @param pushes how many single-mutation pushes each client makes
  record Sizes(int entries, int rounds, int deltas, int pulls, int pushes) {
    static final Sizes FULL = new Sizes(100_000, 9, 400, 5_000, 200);
    static final Sizes QUICK = new Sizes(100_000, 3, 100, 1_500, 60);
  }

  private final List<String> command;
  private final Path work;
  private final Sizes sizes;
  private final Report report;

  /// In JavaScript, for the training too.
  static final Path MUTATORS =
      Path.of("src/test/resources/dev/replistream/bench/mutators.js").toAbsolutePath();

  private static final int RULE_PUSHES = 20;
  private static final int RULE_BATCH = 2_000;

  private final Secret secret = new Secret();
  private final List<String> tokens = secret.tokens(CLIENTS + 3);
  private int clients;

  /// @param command what starts the server
  /// @param work a directory for the server's files
  SyncBench(List<String> command, Path work, Sizes sizes, Report report) {
    this.command = command;
    this.work = work;
    this.sizes = sizes;
    this.report = report;
  }

  /// Measures everything.
  void run() throws IOException {
    try (ServerProcess server = start("server", Map.of())) {
      try (SyncClient small = client(server, CLIENTS);
          SyncClient large = client(server, CLIENTS + 1)) {
        small.push(0, SMALL_VIEW);
        for (int first = 0; first < sizes.entries(); first += BATCH) {
          large.push(first, BATCH);
        }
        delta(small, SMALL_VIEW);
        delta(large, sizes.entries());
        firstPull(server);
      }
      pushOfMany(server);
      unchanged(server);
      pushes(server, "different spaces", i -> i);
      pushes(server, "one space", _ -> 0);
    }
    report.note("SQLite, every push durable (synchronous=FULL); values of about 100 bytes");
    report.note("times are medians on one keep-alive connection; rates are of as many as clients");
  }

  /// Measures mutators in JavaScript beside the built-in ones with the same effect.
  void runRules() throws IOException {
    try (ServerProcess server =
        start(
            "rules",
            Map.of(
                "REPLISTREAM_MUTATORS_FILE",
                "" + MUTATORS,
                "REPLISTREAM_MUTATORS_BUILT_IN",
                "true"))) {
      report.row("start with rules", "%d ms", server.startTime().toMillis());
      report.row("RSS with rules, idle", "%.0f MB", server.residentBytes() / 1e6);
      for (int round = 0; round < 2; round++) {
        for (String mutator : List.of("put", "set", "patch", "change")) {
          cpuOfMutations(server, mutator, round == 0 ? " (first round)" : "");
        }
      }
      pushes(server, "different spaces, set in JavaScript", i -> i, "set");
    }
  }

  private void cpuOfMutations(ServerProcess server, String mutator, String round)
      throws IOException {
    try (SyncClient client =
        new SyncClient(server.port(), tokens.get(CLIENTS + 2), "rules-" + clients++, mutator)) {
      Duration before = server.cpu();
      for (int push = 0; push < RULE_PUSHES; push++) {
        client.push(push % 5 * RULE_BATCH, RULE_BATCH);
      }
      double nanos = server.cpu().minus(before).toNanos();
      report.row(
          "CPU of a %s in pushes of %,d%s".formatted(mutator, RULE_BATCH, round),
          "%.1f us",
          nanos / RULE_PUSHES / RULE_BATCH / 1e3);
    }
  }

  /// @param name what its directory and its log are called
  /// @param more settings beside those of every measurement
  private ServerProcess start(String name, Map<String, String> more) throws IOException {
    Map<String, String> settings = new HashMap<>(more);
    settings.put("REPLISTREAM_AUTH_SECRET", secret.text());
    settings.put("REPLISTREAM_DATA_DIR", work.resolve(name).toString());
    settings.put("REPLISTREAM_LIMITS_PUSHES_PER_SECOND", "0");
    return ServerProcess.start(command, settings, work.resolve(name + ".log"));
  }

  private SyncClient client(ServerProcess server, int user) throws IOException {
    return new SyncClient(server.port(), tokens.get(user), "bench-" + clients++);
  }

  private void delta(SyncClient client, int entries) throws IOException {
    client.catchUp();
    long[] nanos = new long[sizes.deltas()];
    for (int warmUp = 0; warmUp < 2; warmUp++) {
      for (int i = 0; i < nanos.length; i++) {
        client.push(i * CHANGES % (entries - CHANGES), CHANGES);
        long begin = System.nanoTime();
        client.catchUp();
        nanos[i] = System.nanoTime() - begin;
      }
    }
    report.row(
        "pull of %d changes, view of %,d entries".formatted(CHANGES, entries),
        "%.2f ms",
        median(nanos) / 1e6);
  }

  private void firstPull(ServerProcess server) throws IOException {
    long[] nanos = new long[sizes.rounds()];
    int bytes = 0;
    long before = server.residentBytes();
    long peak = 0;
    for (int i = 0; i < nanos.length; i++) {
      try (SyncClient fresh = client(server, CLIENTS + 1)) {
        long begin = System.nanoTime();
        bytes = fresh.pull().length;
        nanos[i] = System.nanoTime() - begin;
        peak = Math.max(peak, server.residentBytes());
      }
    }
    report.row(
        "first pull of %,d entries (%.1f MB)".formatted(sizes.entries(), bytes / 1e6),
        "%.0f ms",
        median(nanos) / 1e6);
    report.row("RSS before and after those pulls", "%.0f, %.0f MB", before / 1e6, peak / 1e6);
  }

  private void pushOfMany(ServerProcess server) throws IOException {
    long[] nanos = new long[sizes.rounds()];
    try (SyncClient client = client(server, CLIENTS + 2)) {
      for (int i = 0; i < nanos.length; i++) {
        long begin = System.nanoTime();
        client.push(i * BATCH, BATCH);
        nanos[i] = System.nanoTime() - begin;
      }
    }
    report.row("push of %,d mutations".formatted(BATCH), "%.0f ms", median(nanos) / 1e6);
  }

  private void unchanged(ServerProcess server) throws IOException {
    List<Callable<Void>> pullers = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      SyncClient client = client(server, CLIENTS);
      client.catchUp();
      pullers.add(() -> {
        for (int pull = 0; pull < sizes.pulls(); pull++) {
          client.pull();
        }
        return null;
      });
    }
    Duration warm = atOnce(pullers);
    Duration taken = atOnce(pullers);
    report.row(
        "unchanged pulls, 8 clients",
        "%,.0f /s (%,.0f in the first round)",
        rate(8 * sizes.pulls(), taken),
        rate(8 * sizes.pulls(), warm));
  }

  private void pushes(ServerProcess server, String where, IntUnaryOperator userOf)
      throws IOException {
    pushes(server, where, userOf, "put");
  }

  private void pushes(ServerProcess server, String where, IntUnaryOperator userOf, String mutator)
      throws IOException {
    List<Callable<Void>> pushers = new ArrayList<>();
    for (int i = 0; i < CLIENTS; i++) {
      SyncClient client =
          new SyncClient(
              server.port(), tokens.get(userOf.applyAsInt(i)), "bench-" + clients++, mutator);
      pushers.add(() -> {
        for (int push = 0; push < sizes.pushes(); push++) {
          client.push(push % 100, 1);
        }
        return null;
      });
    }
    Duration warm = atOnce(pushers);
    Duration taken = atOnce(pushers);
    report.row(
        "pushes of one mutation, %d clients in %s".formatted(CLIENTS, where),
        "%,.0f /s (%,.0f in the first round)",
        rate(CLIENTS * sizes.pushes(), taken),
        rate(CLIENTS * sizes.pushes(), warm));
  }

  private static double rate(int count, Duration taken) {
    return count * 1e9 / taken.toNanos();
  }

  /// Runs all tasks at the same time, each on a thread of its own.
  private static Duration atOnce(List<Callable<Void>> tasks) throws IOException {
    long begin = System.nanoTime();
    try (ExecutorService threads = Executors.newFixedThreadPool(tasks.size())) {
      for (Future<Void> task : threads.invokeAll(tasks)) {
        task.get();
      }
    } catch (ExecutionException e) {
      throw new IOException(e.getCause());
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    return Duration.ofNanos(System.nanoTime() - begin);
  }

  private static double median(long[] values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }
}
