package dev.replistream.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/// Clients that ask over keep-alive connections of their own. Confined to the loop's thread.
///
/// `GET /stats` stands for the pull that finds nothing: a verified token, a lookup, a short answer.
final class PollLoad {
  private static final String PATH = "/api/v1/replicache/stats";
  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(20);

  private final Loop loop;
  private final byte[][] requests;
  private final KeepAlive[] pollers;
  private int late;

  /// Connects one client a token.
  PollLoad(Loop loop, int port, List<String> tokens) throws IOException {
    this.loop = loop;
    this.requests =
        tokens.stream()
            .map(token -> KeepAlive.request("GET", PATH, token, ""))
            .toArray(byte[][]::new);
    this.pollers = new KeepAlive[requests.length];
    for (int i = 0; i < pollers.length; i++) {
      KeepAlive poller = new KeepAlive();
      pollers[i] = poller;
      loop.connect(port, poller);
      if (!loop.runUntil(poller::isFree, CONNECT_LIMIT)) {
        throw new IOException("the server takes no more connections; taken: " + i);
      }
    }
  }

  /// Every client polls at `interval`, all of them spread evenly over it.
  void run(Duration interval, Duration time) {
    Pace pace = new Pace(pollers.length, interval);
    loop.runUntil(
        () -> {
          for (long turn = pace.take(); turn >= 0; turn = pace.take()) {
            poll((int) (turn % pollers.length));
          }
          return false;
        },
        time);
  }

  /// One client polls now, unless its last poll has no answer yet.
  void poll(int client) {
    if (pollers[client].isFree()) {
      pollers[client].send(requests[client]);
    } else {
      late++;
    }
  }

  /// How many polls were not sent, as the one before had no answer.
  int late() {
    return late;
  }

  /// How many polls were answered with another status than 200, or not at all.
  int failed() {
    int failed = 0;
    for (KeepAlive poller : pollers) {
      failed += poller.failed();
    }
    return failed;
  }
}
