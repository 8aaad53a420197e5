package dev.replistream.stream;

import dev.replistream.http.Wire;
import dev.replistream.poke.PresenceFeed;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One open stream from its first event, `connected`, to its end. Its thread, the connection's own,
/// waits on the connection's queue for what nobody else could write at once.
///
/// Confined to that thread.
final class SseSession implements Consumer<Wire> {
  /// How the id of the last event begins; no id of another event does, as the cursor's epochs have
  /// another form.
  private static final String ENDED_ID = "ended-";

  private final Connection connection;
  private final SseManager manager;
  private final StreamSettings settings;
  private final StreamMetrics metrics;
  private byte @Nullable [] head;
  private @Nullable String lastEventId;

  /// @param head the response's head, which goes out with the first event
  /// @param lastEventId what the client saw last, if it said so
  SseSession(
      Connection connection,
      byte[] head,
      @Nullable String lastEventId,
      SseManager manager,
      StreamSettings settings,
      StreamMetrics metrics) {
    this.connection = connection;
    this.head = head;
    this.lastEventId = lastEventId;
    this.manager = manager;
    this.settings = settings;
    this.metrics = metrics;
  }

  @Override
  public void accept(Wire wire) {
    accept(wire, null);
  }

  /// As {@link #accept(Wire)}, and tells the client what `feed` has.
  void accept(Wire wire, @Nullable PresenceFeed feed) {
    EventWriter writer =
        new EventWriter(
            connection, wire, manager, metrics, settings.pingInterval(), EventForm.EVENT_STREAM);
    writer.live(() -> {
      wire.watchEnd(end -> connection.end(reasonOf(end)));
      begin(writer);
      run(writer, feed);
    });
  }

  static CloseReason reasonOf(Wire.End end) {
    return switch (end) {
      case CLOSED -> CloseReason.CLIENT_CLOSED;
      case OVERDUE -> CloseReason.STALLED;
      case VANISHED -> CloseReason.VANISHED;
    };
  }

  /// Writes the head and `connected`, and the sync that the client missed.
  private void begin(EventWriter writer) {
    SseManager.Resume resume = manager.resume(connection.caller().userId(), lastEventId);
    byte[] connected =
        ("retry: " + settings.retry().toMillis() + "\nid: " + resume.id() + "\ndata: connected\n\n")
            .getBytes(StandardCharsets.US_ASCII);
    byte[] first = concat(head == null ? new byte[0] : head, connected);
    head = null;
    lastEventId = null;
    writer.begin(first, resume);
  }

  private void run(EventWriter writer, @Nullable PresenceFeed feed) throws InterruptedException {
    while (connection.take() != Connection.Signal.END) {
      writer.writeWaiting(feed);
    }
    if (connection.reason() == CloseReason.DRAINED) {
      // tells the client when to come back; what is pending goes out before
      writer.end(retryFrame(settings));
    } else if (connection.reason() == CloseReason.ENDED) {
      writer.end(endedFrame());
    }
  }

  /// The last event of a stream that its user ended. A client that does not know it, such as a
  /// native EventSource, comes back and says its id, by which it is known.
  private byte[] endedFrame() {
    return ("id: " + ENDED_ID + connection.id() + "\nevent: ended\ndata: ended\n\n")
        .getBytes(StandardCharsets.US_ASCII);
  }

  /// Whether the client that saw `lastEventId` last was told not to come back.
  static boolean isEnded(@Nullable String lastEventId) {
    return lastEventId != null && lastEventId.startsWith(ENDED_ID);
  }

  /// A `retry:` that spreads the return of many clients: the configured time, up to four times.
  static byte[] retryFrame(StreamSettings settings) {
    return retryFrame(settings, Duration.ZERO);
  }

  /// The same, after an absence.
  static byte[] retryFrame(StreamSettings settings, Duration absence) {
    return (retry(settings, absence) + "\n\n").getBytes(StandardCharsets.US_ASCII);
  }

  /// The field of {@link #retryFrame}.
  static String retry(StreamSettings settings) {
    return retry(settings, Duration.ZERO);
  }

  /// The same, after an absence.
  static String retry(StreamSettings settings, Duration absence) {
    long retryMillis = settings.retry().toMillis();
    long jittered = retryMillis + ThreadLocalRandom.current().nextLong(retryMillis * 3 + 1);
    return "retry: " + (absence.toMillis() + jittered);
  }

  static byte[] concat(byte[] a, byte[] b) {
    byte[] both = new byte[a.length + b.length];
    System.arraycopy(a, 0, both, 0, a.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}
