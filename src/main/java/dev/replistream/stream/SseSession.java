package dev.replistream.stream;

import static java.util.Objects.requireNonNull;

import dev.replistream.http.wire.TakenSocket;
import dev.replistream.poke.EventId;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/// A stream of server-sent events (WHATWG HTML, section "Server-sent events"): what it is served
/// with, and how its events look.
final class SseSession implements Session, EventForm {
  /// How the id of the last event begins; no id of another event does, as the cursor's epochs have
  /// another form.
  private static final String ENDED_ID = "ended-";

  private static final byte[] PING = "data: ping\n\n".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] PRESENCE =
      "event: presence\ndata: ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] REJECTED =
      "event: rejected\ndata: ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] MUTATION =
      "event: mutation\ndata: ".getBytes(StandardCharsets.US_ASCII);

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
  public void accept(TakenSocket socket, Feeds feeds) {
    connection.serve(socket, this, feeds, manager, metrics, settings.pingInterval());
  }

  @Override
  public void watch(TakenSocket socket) {
    socket.watchEnd(end -> connection.end(CloseReason.of(end)));
  }

  @Override
  public @Nullable String lastEventId() {
    return lastEventId;
  }

  @Override
  public byte[] first(EventId id) {
    byte[] connected =
        ("retry: " + settings.retry().toMillis() + "\nid: " + id + "\ndata: connected\n\n")
            .getBytes(StandardCharsets.US_ASCII);
    byte[] first = concat(requireNonNull(head), connected);
    head = null; // it is not to be kept while the stream is open
    lastEventId = null;
    return first;
  }

  @Override
  public byte[] sync(SyncEvent sync) {
    return sync.eventStream();
  }

  @Override
  public byte[] ping() {
    return PING;
  }

  /// It has no id, as it says nothing of how far the client has come.
  @Override
  public byte[] presence(byte[] json) {
    return event(PRESENCE, json);
  }

  /// It has no id either.
  @Override
  public byte[] rejected(byte[] json) {
    return event(REJECTED, json);
  }

  /// Nor has this.
  @Override
  public byte[] mutation(byte[] json) {
    return event(MUTATION, json);
  }

  private static byte[] event(byte[] begin, byte[] json) {
    byte[] frame = Arrays.copyOf(begin, begin.length + json.length + 2);
    System.arraycopy(json, 0, frame, begin.length, json.length);
    frame[frame.length - 2] = '\n';
    frame[frame.length - 1] = '\n';
    return frame;
  }

  @Override
  public byte @Nullable [] farewell(CloseReason reason) {
    return switch (reason) {
      case DRAINED -> retryFrame(settings); // when to come back
      case ENDED -> endedFrame();
      default -> null;
    };
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
