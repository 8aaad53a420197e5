package dev.replistream.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.Rounds;
import dev.replistream.db.TestPostgres;
import dev.replistream.nodes.TestRedis;
import dev.replistream.poke.TcpProxy;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Redis and PostgreSQL go away again and again under three nodes that hold streams.
class HundredFaultsTest {
  private static final int USERS = 60;

  /// Those who are poked, so that the nodes have nothing more to remember after the first faults.
  private static final int POKED = 6;

  /// The first faults, in which classes are loaded, pools filled and caches.
  private static final int WARM_UP = Rounds.of(4, 6);

  /// How often Redis goes away after that, for each of three nodes, and every fourth time
  /// PostgreSQL too.
  private static final int ROUNDS = Rounds.of(4, 34);

  /// In one round of so many they go silent; else their connections are cut.
  private static final int SILENT_EACH = Rounds.of(4, 17);

  /// Within which a node says that it is not ready: two seconds, and what a busy machine adds.
  private static final Duration NOTICE = Duration.ofSeconds(5);

  /// Within which all is well again.
  private static final Duration REPAIR = Duration.ofSeconds(10);

  /// More than living objects come and go without a fault, and less than they would grow by if each
  /// cost two kilobytes.
  private static final long MAX_GROWTH_BYTES = 100_000;

  /// A class in a histogram: its bytes, its name.
  private static final Pattern CLASS =
      Pattern.compile("^ *\\d+: +\\d+ +(\\d+) +(\\S+)", Pattern.MULTILINE);

  /// What the collector fills gaps with, and counts as living.
  private static final String FILLER = "[Ljdk.internal.vm.FillerElement;";

  private TestRedis redis;
  private TcpProxy toRedis;
  private TcpProxy toPostgres;
  private Cluster cluster;
  private final List<Listener> listeners = new ArrayList<>();

  @BeforeEach
  void start(@TempDir Path directory) throws Exception {
    redis = TestRedis.start();
    toRedis = new TcpProxy(redis.port());
    String databaseUrl = TestPostgres.newDatabase();
    int port = URI.create(databaseUrl.substring("jdbc:".length())).getPort();
    toPostgres = new TcpProxy(port);
    cluster =
        Cluster.start(
            databaseUrl.replace(":" + port + "/", ":" + toPostgres.port() + "/"),
            Collections.nCopies(Cluster.NODES, "redis://127.0.0.1:" + toRedis.port()),
            Map.of(),
            directory);
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < USERS; i++) {
      listeners.add(new Listener(cluster, "user-" + i, i % Cluster.NODES, random.split()));
    }
    Listener.awaitConnected(listeners);
  }

  @AfterEach
  void stop() {
    listeners.forEach(Listener::close);
    cluster.close();
    toPostgres.close();
    toRedis.close();
    redis.close();
  }

  @Test
  void costNoThreadNoMemoryAndNoStream(@TempDir Path directory) throws Exception {
    for (int round = 0; round < WARM_UP; round++) {
      fault(round);
    }
    List<Footprint> before = footprints(directory);
    for (int round = 0; round < ROUNDS; round++) {
      fault(round);
    }
    List<Footprint> after = footprints(directory);

    System.out.println("HundredFaultsTest before " + before + " after " + after);
    for (int node = 0; node < Cluster.NODES; node++) {
      assertThat(after.get(node).threads).isLessThanOrEqualTo(before.get(node).threads + 3);
      assertThat(after.get(node).bytes)
          .isLessThanOrEqualTo(before.get(node).bytes + MAX_GROWTH_BYTES);
    }
    assertThat(toRedis.connections()).isLessThanOrEqualTo(2 * Cluster.NODES);
    assertThat(listeners)
        .as("streams that ended")
        .allMatch(each -> nodes().allMatch(node -> each.endings(node) == 0));
  }

  private void fault(int round) {
    Listener poked = listeners.get(round % POKED);
    List<TcpProxy> ways = round % 4 == 0 ? List.of(toRedis, toPostgres) : List.of(toRedis);
    ways.forEach(round % SILENT_EACH == SILENT_EACH - 1 ? TcpProxy::silence : TcpProxy::cut);
    Eventually.holdsWithin(
        NOTICE, "no node is ready", () -> nodes().parallel().noneMatch(this::isReady));
    int syncs = poked.syncs().size();
    assertThat(cluster.node(poked.node()).client().poke(poked.userId())).isOne();
    Eventually.holds("it is told", () -> poked.syncs().size() > syncs);
    ways.forEach(TcpProxy::restore);
    Eventually.holdsWithin(
        REPAIR, "all are ready", () -> nodes().parallel().allMatch(this::isReady));
  }

  private static IntStream nodes() {
    return IntStream.range(0, Cluster.NODES);
  }

  private boolean isReady(int node) {
    return ServerNode.isReady(cluster.node(node).client());
  }

  /// What a process holds.
  ///
  /// @param threads virtual ones among them
  /// @param bytes of the objects that live
  private record Footprint(int threads, long bytes) {
    static Footprint of(long pid, Path directory) throws IOException, InterruptedException {
      Path dump = directory.resolve(pid + ".threads");
      jcmd(pid, "Thread.dump_to_file", "-overwrite", dump.toString());
      try (var lines = Files.lines(dump)) {
        int threads = (int) lines.filter(line -> line.startsWith("#")).count();
        long bytes =
            CLASS
                .matcher(jcmd(pid, "GC.class_histogram"))
                .results()
                .filter(each -> !each.group(2).equals(FILLER))
                .mapToLong(each -> Long.parseLong(each.group(1)))
                .sum();
        return new Footprint(threads, bytes);
      }
    }

    private static String jcmd(long pid, String... command)
        throws IOException, InterruptedException {
      List<String> all =
          new ArrayList<>(
              List.of(
                  Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                  Long.toString(pid)));
      all.addAll(List.of(command));
      Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as(output).isZero();
      return output;
    }
  }

  private List<Footprint> footprints(Path directory) throws IOException, InterruptedException {
    List<Footprint> all = new ArrayList<>();
    for (int node = 0; node < Cluster.NODES; node++) {
      all.add(Footprint.of(cluster.node(node).pid(), directory));
    }
    return all;
  }
}
