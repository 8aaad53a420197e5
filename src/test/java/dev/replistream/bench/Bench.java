package dev.replistream.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// The entry of `etc/bench`, which gives it the server's command.
public final class Bench {
  private static final String USAGE =
      "usage: etc/bench [streams|sync|cluster] [--quick] [--rules] [--jar] [--peer]";

  private Bench() {}

  /// Runs a measurement, prints its report, and exits with 1 if anything was lost.
  ///
  /// @param args the measurement and its options, then `--` and the command of the server
  public static void main(String[] args) throws IOException {
    List<String> options = new ArrayList<>(List.of(args));
    int split = options.indexOf("--");
    List<String> command = List.copyOf(options.subList(split + 1, options.size()));
    options.subList(split < 0 ? 0 : split, options.size()).clear();
    boolean quick = options.remove("--quick");
    boolean rules = options.remove("--rules");
    boolean sync = options.remove("sync");
    boolean cluster = options.remove("cluster");
    boolean streams = options.remove("streams") || !(sync || cluster);
    if (!options.isEmpty() || split < 0) {
      System.err.println(
          options.isEmpty()
              ? USAGE
              : "etc/bench: I don't know " + options.getFirst() + "\n" + USAGE);
      System.exit(2);
    }
    Path work = Files.createTempDirectory("replistream-bench");
    Report report = new Report();
    try {
      if (streams) {
        new StreamBench(
                command, work, quick ? StreamBench.Sizes.QUICK : StreamBench.Sizes.FULL, report)
            .run();
      }
      if (sync) {
        SyncBench bench =
            new SyncBench(
                command, work, quick ? SyncBench.Sizes.QUICK : SyncBench.Sizes.FULL, report);
        if (rules) {
          bench.runRules();
        } else {
          bench.run();
        }
      }
      if (cluster) {
        new ClusterBench(
                command, work, quick ? ClusterBench.Sizes.QUICK : ClusterBench.Sizes.FULL, report)
            .run();
      }
      System.out.println(report.markdown());
    } finally {
      remove(work);
    }
    System.exit(report.isGood() ? 0 : 1);
  }

  private static void remove(Path directory) throws IOException {
    try (var files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
