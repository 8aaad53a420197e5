package dev.replistream.cluster;

import dev.replistream.Eventually;
import dev.replistream.HttpRequest;
import dev.replistream.ServerSentEvent;
import dev.replistream.StreamClient;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.jspecify.annotations.Nullable;

/// A client that listens for one user as an EventSource does: on one node, and when that stream
/// ends on any other, with the last id and after the time that it was told. Its findings may be
/// read by any thread.
final class Listener implements AutoCloseable {
  private static final Duration LOOK = Duration.ofSeconds(1);

  private final Cluster cluster;
  private final String userId;
  private final HttpRequest request;
  private final SplittableRandom random;
  private final Thread thread;
  private final List<Long> syncs = new ArrayList<>(); // guarded by itself
  private final AtomicIntegerArray endings = new AtomicIntegerArray(Cluster.NODES);
  private volatile @Nullable StreamClient stream;
  private volatile int node = -1;
  private volatile boolean isClosed;
  // of the thread alone
  private String lastEventId = "";
  private long retryMillis = 100;

  /// Begins with the node `first`, or any where that is negative.
  Listener(Cluster cluster, String userId, int first, SplittableRandom random) {
    this.cluster = cluster;
    this.userId = userId;
    this.request = HttpRequest.api("GET", "/stream").by(cluster.token(userId));
    this.random = random;
    this.thread = Thread.ofVirtual().start(() -> run(first));
  }

  /// Waits until all are connected, each to any node.
  static void awaitConnected(List<Listener> all) {
    Eventually.holds("all are connected", () -> all.stream().allMatch(each -> each.node() >= 0));
  }

  String userId() {
    return userId;
  }

  private void run(int first) {
    if (first >= 0) {
      listen(first);
    }
    while (!isClosed) {
      for (int each : Cluster.anyOrder(random)) {
        if (listen(each)) {
          break;
        }
      }
      pause();
    }
  }

  private void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(retryMillis); // as the server says
    } catch (InterruptedException _) {
      isClosed = true;
    }
  }

  /// Listens to a node until the stream ends.
  ///
  /// @return whether it was connected; a draining node says `retry` to whoever comes, and ends
  private boolean listen(int number) {
    HttpRequest resumed =
        lastEventId.isEmpty() ? request : request.with("Last-Event-ID", lastEventId);
    try (StreamClient opened = cluster.node(number).client().open(resumed)) {
      stream = opened;
      if (isClosed || !opened.head().startsWith("HTTP/1.1 200")) {
        return false;
      }
      while (!isClosed && !opened.hasEnded()) {
        take(opened.poll(LOOK), number);
      }
      boolean wasConnected = node == number;
      node = -1;
      retryMillis = opened.reconnectionMillis();
      if (wasConnected && !isClosed) {
        endings.incrementAndGet(number);
      }
      return wasConnected;
    } catch (UncheckedIOException _) {
      return false; // refused
    }
  }

  private void take(@Nullable ServerSentEvent event, int number) {
    if (event == null) {
      return;
    }
    if (event.data().equals("sync")) {
      synchronized (syncs) {
        syncs.add(System.nanoTime());
      }
    }
    if (event.data().equals("connected")) {
      node = number;
    }
    if (!event.lastEventId().isEmpty()) {
      lastEventId = event.lastEventId();
    }
  }

  /// The node to which it is connected now; -1 when to none.
  int node() {
    return node;
  }

  /// When its syncs came, by `System.nanoTime`.
  List<Long> syncs() {
    synchronized (syncs) {
      return List.copyOf(syncs);
    }
  }

  /// How many of its streams a node has ended.
  int endings(int number) {
    return endings.get(number);
  }

  @Override
  public void close() {
    isClosed = true;
    StreamClient current = stream;
    if (current != null) {
      current.close();
    }
    thread.interrupt();
  }
}
