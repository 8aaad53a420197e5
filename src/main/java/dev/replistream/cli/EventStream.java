package dev.replistream.cli;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The events of one response, each with the time at which its last byte came.
///
/// A virtual thread of its own reads the body and waits when 1,000 events have not been taken yet;
/// {@link #close} ends it. Everything else is confined to the thread that runs the command.
final class EventStream implements AutoCloseable {
  private static final int CAPACITY = 1_000;

  private final InputStream body;
  private final String lastEventId;
  private final BlockingQueue<Item> items = new ArrayBlockingQueue<>(CAPACITY);
  private final Thread reader;
  private @Nullable End end;

  /// What came next.
  sealed interface Item {}

  /// An event, and when it had come by {@link System#nanoTime}.
  record Arrival(ServerSentEvent event, long nanoTime) implements Item {}

  /// The end of the stream.
  ///
  /// @param reason what ended it, in a few words
  /// @param lastEventId what to send as `Last-Event-ID` when coming back; empty for nothing
  /// @param reconnectionTime the last `retry:` that it carried
  /// @param nanoTime when it ended
  record End(String reason, String lastEventId, Optional<Duration> reconnectionTime, long nanoTime)
      implements Item {}

  /// Starts to read; the body is closed with this.
  ///
  /// @param lastEventId what the client got before this stream; empty for nothing
  EventStream(InputStream body, String lastEventId) {
    this.body = body;
    this.lastEventId = lastEventId;
    this.reader = Thread.ofVirtual().name("event-stream").start(this::read);
  }

  /// The next event or the end, after which there is only the end; empty when neither came within
  /// `wait`.
  Optional<Item> next(Duration wait) throws InterruptedException {
    if (end != null) {
      return Optional.of(end);
    }
    Item item = items.poll(wait.toNanos(), TimeUnit.NANOSECONDS);
    if (item instanceof End last) {
      end = last;
    }
    return Optional.ofNullable(item);
  }

  private void read() {
    SseParser parser =
        new SseParser(lastEventId, event -> put(new Arrival(event, System.nanoTime())));
    String reason = "the other side ended it";
    try {
      byte[] buffer = new byte[8 * 1024];
      for (int n = body.read(buffer); n >= 0; n = body.read(buffer)) {
        parser.feed(buffer, 0, n);
      }
    } catch (IOException e) {
      reason = "its connection broke: " + e.getMessage();
    }
    put(new End(reason, parser.lastEventId(), parser.reconnectionTime(), System.nanoTime()));
  }

  private void put(Item item) {
    try {
      items.put(item);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // closed: nobody takes it
    }
  }

  /// Closes the connection. Idempotent.
  @Override
  public void close() {
    reader.interrupt();
    try {
      body.close();
    } catch (IOException _) {
      // it is closed already
    }
  }
}
