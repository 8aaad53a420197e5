package dev.replistream.bench;

import dev.replistream.bench.EventLines.Event;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;

/// Many clients that hold a stream open and read what comes. Confined to the loop's thread.
final class StreamLoad {
  /// How many streams may be on their way at once: less than a listener's backlog.
  private static final int RAMP = 64;

  private static final Duration OPEN_LIMIT = Duration.ofSeconds(60);

  private final Loop loop;
  private final int port;
  private final List<String> tokens;
  private final Deliveries deliveries;
  private final int[] openOfUser;
  private final List<SelectionKey> keys = new ArrayList<>();
  private int opening;
  private int open;
  private int failed;
  private long pings;

  /// @param tokens one a user
  /// @param deliveries where each sync is booked
  StreamLoad(Loop loop, int port, List<String> tokens, Deliveries deliveries) {
    this.loop = loop;
    this.port = port;
    this.tokens = tokens;
    this.deliveries = deliveries;
    this.openOfUser = new int[tokens.size()];
  }

  /// Opens streams and returns when each has had its first event or failed.
  ///
  /// @param userOf from a stream's number, counted from 0, to its user's
  void open(int count, IntUnaryOperator userOf) throws IOException {
    int started = 0;
    while (started < count) {
      while (started < count && opening < RAMP) {
        loop.connect(port, new Stream(userOf.applyAsInt(started++)));
        opening++;
      }
      if (!loop.runUntil(() -> opening < RAMP, OPEN_LIMIT)) {
        throw new IOException("the server opens no more streams; open: " + open);
      }
    }
    if (!loop.runUntil(() -> opening == 0, OPEN_LIMIT)) {
      throw new IOException(opening + " streams had no answer in time");
    }
  }

  /// How many are open now.
  int open() {
    return open;
  }

  /// How many a user has open now.
  int open(int user) {
    return openOfUser[user];
  }

  /// How many were refused or ended before they were closed here.
  int failed() {
    return failed;
  }

  /// How many pings came.
  long pings() {
    return pings;
  }

  /// Closes all streams, as clients that leave.
  void close() {
    keys.forEach(Loop::hangUp);
    keys.clear();
    open = 0;
    Arrays.fill(openOfUser, 0);
  }

  private final class Stream implements Loop.Client {
    private final EventLines lines = new EventLines();
    private final int user;
    private boolean isOpen;
    private boolean isRefused;

    Stream(int user) {
      this.user = user;
    }

    @Override
    public void connected(SelectionKey key) throws IOException {
      keys.add(key);
      Loop.send(
          key,
          """
          GET /api/v1/replicache/stream HTTP/1.1\r
          Host: localhost\r
          Accept: text/event-stream\r
          Authorization: Bearer %s\r
          \r
          """
              .formatted(tokens.get(user))
              .getBytes(StandardCharsets.US_ASCII));
    }

    @Override
    public void received(SelectionKey key, ByteBuffer bytes, long nanoTime) throws IOException {
      lines.read(bytes, event -> happened(event, nanoTime));
      if (isRefused) {
        throw new IOException("the server refused the stream");
      }
    }

    private void happened(Event event, long nanoTime) {
      switch (event) {
        case CONNECTED -> {
          isOpen = true;
          opening--;
          open++;
          openOfUser[user]++;
        }
        case SYNC -> deliveries.delivered(user, nanoTime);
        case PING -> pings++;
        case REFUSED -> isRefused = true;
      }
    }

    @Override
    public void ended() {
      failed++;
      if (isOpen) {
        open--;
        openOfUser[user]--;
      } else {
        opening--;
      }
    }
  }
}
