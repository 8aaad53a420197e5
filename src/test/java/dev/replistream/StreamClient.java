package dev.replistream;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A client of one stream: its response's head is read, its events are read one by one. Confined to
/// one thread, except for {@link #close} and {@link #reset}.
public final class StreamClient implements AutoCloseable {
  private final HttpConnection connection;
  private final String head;
  private final EventStreamParser parser = new EventStreamParser();
  private final Deque<ServerSentEvent> events = new ArrayDeque<>();
  private final byte[] buffer = new byte[8192];
  private boolean ended;

  /// Sends a whole request over `connection` and reads the head of the response.
  public StreamClient(HttpConnection connection, HttpRequest request) {
    this.connection = connection;
    this.head = connection.send(request.toBytes()).head();
  }

  /// The head of the response.
  public String head() {
    return head;
  }

  /// The next event, or null at the end of the stream.
  ///
  /// @throws AssertionError when nothing comes in time
  public @Nullable ServerSentEvent next() {
    return next(HttpConnection.PATIENCE);
  }

  private @Nullable ServerSentEvent next(Duration timeout) {
    ServerSentEvent event = poll(timeout);
    if (event == null && !ended) {
      throw new AssertionError("no event within " + timeout + " after " + head);
    }
    return event;
  }

  /// The next event, or null when none comes in time or the stream has ended.
  public @Nullable ServerSentEvent poll(Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (events.isEmpty() && !ended && deadline - System.nanoTime() > 0) {
      int count = connection.read(buffer, Duration.ofNanos(deadline - System.nanoTime()));
      if (count < 0) {
        ended = true;
      } else {
        events.addAll(parser.feed(buffer, 0, count));
      }
    }
    return events.poll();
  }

  /// Whether the end of the stream has been read.
  public boolean hasEnded() {
    return ended;
  }

  /// The next event, which has to be `data`. Pings before it are passed over: on a busy machine a
  /// test may take longer than their interval.
  public ServerSentEvent expect(String data) {
    ServerSentEvent event = next();
    while (event != null && event.data().equals("ping") && !data.equals("ping")) {
      event = next();
    }
    if (event == null || !event.data().equals(data)) {
      throw new AssertionError("expected " + data + " but got " + event + " after " + head);
    }
    return event;
  }

  /// All events to the end of the stream, which has to come within `timeout`.
  public List<ServerSentEvent> untilEnd(Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    List<ServerSentEvent> all = new ArrayList<>();
    ServerSentEvent event = next(Duration.ofNanos(deadline - System.nanoTime()));
    while (event != null) {
      all.add(event);
      event = next(Duration.ofNanos(deadline - System.nanoTime()));
    }
    return all;
  }

  /// What the last `retry:` said, in milliseconds; -1 when there was none.
  public long reconnectionMillis() {
    return parser.reconnectionMillis();
  }

  /// Closes with a FIN.
  @Override
  public void close() {
    connection.close();
  }

  /// Closes with a RST.
  public void reset() {
    connection.reset();
  }
}
