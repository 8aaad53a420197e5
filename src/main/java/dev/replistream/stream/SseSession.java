package dev.replistream.stream;

import dev.replistream.http.Wire;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Writes the events of one connection: `connected`, then `sync` for pokes and `ping` for silence,
/// until an end. Each event is one write of prepared bytes, in the form of the WHATWG HTML
/// standard, section "Server-sent events".
///
/// Confined to the connection's virtual thread. A second one blocks on the socket and sees the
/// client leave at once, which a write would notice only at the second ping.
final class SseSession implements Consumer<Wire> {
  private static final Logger LOGGER = System.getLogger(SseSession.class.getName());
  private static final byte[] PING = "data: ping\n\n".getBytes(StandardCharsets.US_ASCII);

  private final Connection connection;
  private final SseManager manager;
  private final StreamSettings settings;
  private final StreamMetrics metrics;
  private byte @Nullable [] head;
  private @Nullable String lastEventId;
  private long connectedStamp;
  private int events;

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
    try {
      Thread.ofVirtual().start(() -> watch(wire));
      run(wire);
    } catch (UncheckedIOException e) {
      connection.end(reasonOf(wire, e));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      connection.end(CloseReason.DRAINED);
    } catch (RuntimeException e) {
      connection.end(CloseReason.FAILED);
      LOGGER.log(Level.ERROR, "event=error where=stream", e);
    } finally {
      manager.remove(connection, events);
    }
  }

  private void watch(Wire wire) {
    Wire.End end = wire.awaitEnd();
    connection.end(
        switch (end) {
          case CLOSED -> CloseReason.CLIENT_CLOSED;
          case OVERDUE -> CloseReason.STALLED;
          case VANISHED -> CloseReason.VANISHED;
        });
    wire.abort(); // frees the stream's thread if it is blocked in a write
  }

  private static CloseReason reasonOf(Wire wire, UncheckedIOException e) {
    return wire.isTimedOut()
        ? CloseReason.STALLED
        : Wire.isVanished(e) ? CloseReason.VANISHED : CloseReason.CLIENT_CLOSED;
  }

  private void run(Wire wire) throws InterruptedException {
    long told = begin(wire);
    while (true) {
      switch (connection.take()) {
        case SYNC -> told = sync(wire, told);
        case PING -> ping(wire);
        case END -> {
          end(wire, told);
          return;
        }
      }
    }
  }

  /// Writes the head and `connected`, and the sync that the client missed.
  private long begin(Wire wire) {
    SseManager.Resume resume = manager.resume(connection.caller().userId(), lastEventId);
    byte[] connected =
        ("retry: " + settings.retry().toMillis() + "\nid: " + resume.id() + "\ndata: connected\n\n")
            .getBytes(StandardCharsets.US_ASCII);
    byte[] first = concat(head == null ? new byte[0] : head, connected);
    head = null;
    lastEventId = null;
    write(wire, first);
    connectedStamp = resume.id().stamp();
    Sync catchUp = resume.catchUp();
    if (catchUp != null) {
      write(wire, catchUp.frame());
      metrics.syncCaughtUp();
    }
    return resume.toldStamp();
  }

  private void ping(Wire wire) {
    if (connection.pingDue(System.nanoTime(), settings.pingInterval().toNanos())) {
      write(wire, PING);
      metrics.pingWritten();
    }
  }

  private long sync(Wire wire, long told) {
    Sync sync = connection.takeSync();
    if (sync == null || sync.stamp() <= told) {
      return told;
    }
    if (sync.stamp() < connectedStamp) {
      // stamped before this client came and delivered after: its id must not go back behind that of
      // `connected`, or the client would ask again for what it knows
      sync = manager.sync(connectedStamp, sync.pokedNanoTime());
    }
    write(wire, sync.frame());
    metrics.syncWritten(System.nanoTime() - sync.pokedNanoTime());
    return sync.stamp();
  }

  /// Tells the client when to come back, where it can; what is pending goes out before.
  private void end(Wire wire, long told) {
    if (connection.reason() == CloseReason.DRAINED) {
      sync(wire, told);
      write(wire, retryFrame(settings));
    }
  }

  private void write(Wire wire, byte[] bytes) {
    wire.write(bytes);
    connection.written(System.nanoTime());
    events++;
  }

  /// A `retry:` that spreads the return of many clients: the configured time, up to four times.
  static byte[] retryFrame(StreamSettings settings) {
    long retryMillis = settings.retry().toMillis();
    long jittered = retryMillis + ThreadLocalRandom.current().nextLong(retryMillis * 3 + 1);
    return ("retry: " + jittered + "\n\n").getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = new byte[a.length + b.length];
    System.arraycopy(a, 0, both, 0, a.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}
