package dev.replistream.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;

/// Clients that poke one user after the other over keep-alive connections, each as fast as it gets
/// its answers. Confined to the loop's thread.
final class PokeLoad {
  private static final String PATH = "/api/v1/replicache/poke-user";

  /// What clients send that poke themselves.
  private static final String[] BODIES = {"", "sync", "{}"};

  private final Loop loop;
  private final StreamLoad streams;
  private final Deliveries deliveries;
  private final byte[][] requests;
  private final KeepAlive[] pokers;
  private int nextUser;

  /// @param tokens one a user, in the order of the users of `streams`
  /// @param pokers how many connections
  PokeLoad(
      Loop loop,
      int port,
      List<String> tokens,
      StreamLoad streams,
      Deliveries deliveries,
      int pokers)
      throws IOException {
    this.loop = loop;
    this.streams = streams;
    this.deliveries = deliveries;
    this.requests =
        IntStream.range(0, tokens.size())
            .mapToObj(
                i -> KeepAlive.request("POST", PATH, tokens.get(i), BODIES[i % BODIES.length]))
            .toArray(byte[][]::new);
    this.pokers = new KeepAlive[pokers];
    for (int i = 0; i < pokers; i++) {
      this.pokers[i] = new KeepAlive();
      loop.connect(port, this.pokers[i]);
    }
  }

  /// Pokes `pokes` times, and returns when every sync has come or `limit` has passed. A user whose
  /// last poke is still on its way is passed over.
  ///
  /// @param pause how long to wait after a poke has reached all streams, when there is one user
  /// @return how long it took from the first poke to the last sync
  Duration run(int pokes, Duration pause, Duration limit) {
    long begin = System.nanoTime();
    Round round = new Round(pokes, pause.toNanos());
    loop.runUntil(round::isDone, limit);
    return Duration.ofNanos(System.nanoTime() - begin);
  }

  /// Pokes one user now, if a poker is free and the user's last poke has arrived.
  void poke(int user) {
    for (KeepAlive poker : pokers) {
      if (poker.isFree() && !deliveries.isDue(user)) {
        send(poker, user);
        return;
      }
    }
  }

  private void send(KeepAlive poker, int user) {
    deliveries.poked(user, streams.open(user), System.nanoTime());
    poker.send(requests[user]);
  }

  /// How many pokes were answered with another status than 200, or not at all.
  int failed() {
    int failed = 0;
    for (KeepAlive poker : pokers) {
      failed += poker.failed();
    }
    return failed;
  }

  /// The pokes of one run.
  private final class Round {
    private final long pauseNanos;
    private int left;
    private long notBefore = System.nanoTime();

    Round(int pokes, long pauseNanos) {
      this.left = pokes;
      this.pauseNanos = pauseNanos;
    }

    /// Gives each free poker its next poke.
    boolean isDone() {
      long now = System.nanoTime();
      boolean allFree = true;
      for (KeepAlive poker : pokers) {
        if (left > 0 && now - notBefore >= 0 && poker.isFree()) {
          poke(poker);
        }
        allFree &= poker.isFree();
      }
      if (pauseNanos > 0 && deliveries.missing() > 0) {
        notBefore = System.nanoTime() + pauseNanos;
      }
      return left == 0 && allFree && deliveries.missing() == 0;
    }

    private void poke(KeepAlive poker) {
      for (int tried = 0; tried < requests.length; tried++) {
        int user = nextUser;
        nextUser = (nextUser + 1) % requests.length;
        if (!deliveries.isDue(user)) {
          left--;
          send(poker, user);
          return;
        }
      }
    }
  }
}
