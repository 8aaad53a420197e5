package dev.replistream.stream;

import dev.replistream.http.Wire;
import dev.replistream.poke.PresenceFeed;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Writes the events of one connection, each in one write of prepared bytes, in the form of the
/// WHATWG HTML standard, section "Server-sent events".
///
/// Between events it is idle, and then whoever has one for the client writes it on its own thread,
/// without waiting: most events cost one write and no switch of threads. What would have to wait
/// for the client is left to the stream's thread. Who may write is settled by {@link #state}, which
/// guards the other fields too; a new writer belongs to the thread that made it.
final class EventWriter implements Connection.Writer {
  private static final Logger LOGGER = System.getLogger(EventWriter.class.getName());
  private static final byte[] PING = "data: ping\n\n".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] PRESENCE =
      "event: presence\ndata: ".getBytes(StandardCharsets.US_ASCII);
  private static final AtomicReferenceFieldUpdater<EventWriter, State> STATE =
      AtomicReferenceFieldUpdater.newUpdater(EventWriter.class, State.class, "state");

  private static final Duration BRIEFLY = Duration.ofNanos(10_000);

  /// Who may write.
  private enum State {
    /// Whoever comes first.
    IDLE,
    /// The thread that made it so.
    BUSY,
    /// The stream's thread: the socket took only a part of a frame, and the rest comes next.
    REST
  }

  /// What the socket did not take.
  ///
  /// @param written what to do when it has
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  private record Rest(byte[] frame, int offset, Runnable written) {}

  private final Connection connection;
  private final Wire wire;
  private final SseManager manager;
  private final StreamMetrics metrics;
  private final Duration pingInterval;
  private volatile State state = State.BUSY;
  private @Nullable Rest rest;
  private long connectedStamp;
  private long toldStamp;
  private int events;

  EventWriter(
      Connection connection,
      Wire wire,
      SseManager manager,
      StreamMetrics metrics,
      Duration pingInterval) {
    this.connection = connection;
    this.wire = wire;
    this.manager = manager;
    this.metrics = metrics;
    this.pingInterval = pingInterval;
  }

  /// Writes how the stream begins, and the sync that the client missed; then anybody may write.
  void begin(byte[] first, SseManager.Resume resume) {
    write(first);
    connectedStamp = resume.id().stamp();
    Sync catchUp = resume.catchUp();
    if (catchUp != null) {
      write(catchUp.frame());
      metrics.syncCaughtUp();
    }
    toldStamp = resume.toldStamp();
    state = State.IDLE;
    connection.writtenBy(this);
  }

  /// How many events were written. For the stream's thread.
  int events() {
    return events;
  }

  @Override
  public boolean writeSync() {
    return writeIfIdle(this::syncNow);
  }

  @Override
  public boolean writePing() {
    return writeIfIdle(this::pingNow);
  }

  @Override
  public boolean writePresence(PresenceFeed feed) {
    return writeIfIdle(() -> {
      while (presenceNow(feed)) {
        // till it has nothing more, or the client takes nothing more without waiting
      }
    });
  }

  private boolean writeIfIdle(Runnable write) {
    if (!STATE.compareAndSet(this, State.IDLE, State.BUSY)) {
      return false;
    }
    try {
      write.run();
    } catch (UncheckedIOException e) {
      connection.end(reasonOf(e));
    } catch (Throwable e) { // what is wrong here is not the poker's fault
      connection.end(CloseReason.FAILED);
      LOGGER.log(Level.ERROR, "event=error where=stream", e);
    } finally {
      if (rest == null) {
        state = State.IDLE;
      } else {
        state = State.REST;
        connection.wake();
      }
    }
    return true;
  }

  private void syncNow() {
    Sync sync = nextSync();
    if (sync != null) {
      writeNow(sync.frame(), () -> metrics.syncWritten(System.nanoTime() - sync.pokedNanoTime()));
    }
  }

  private void pingNow() {
    if (connection.pingDue(System.nanoTime(), pingInterval.toNanos())) {
      writeNow(PING, metrics::pingWritten);
    }
  }

  /// @return whether there was a list to write
  private boolean presenceNow(PresenceFeed feed) {
    return rest == null
        && connection.reason() == null
        && feed.next(json -> writeNow(presence(json), metrics::presenceWritten));
  }

  /// It has no id, as it says nothing of how far the client has come.
  private static byte[] presence(byte[] json) {
    byte[] frame = Arrays.copyOf(PRESENCE, PRESENCE.length + json.length + 2);
    System.arraycopy(json, 0, frame, PRESENCE.length, json.length);
    frame[frame.length - 2] = '\n';
    frame[frame.length - 1] = '\n';
    return frame;
  }

  private void writeNow(byte[] frame, Runnable written) {
    int count = wire.writeNow(frame);
    if (count < frame.length) {
      rest = new Rest(frame, count, written);
    } else {
      wrote();
      written.run();
    }
  }

  /// Writes what is left of a frame, and what is pending, and waits for the client where it has to.
  /// For the stream's thread.
  ///
  /// @param feed what the client is told of presence, if it asked for it
  /// @throws UncheckedIOException when the client is gone, or did not read for the write timeout
  void writeWaiting(@Nullable PresenceFeed feed) {
    writeWaiting(() -> {
      while (feed != null && presenceNow(feed)) {
        writeRest();
        syncNow(); // which does not wait for all rooms
        writeRest();
      }
    });
  }

  /// Writes what is pending but presence, and then the last frame of the stream.
  void end(byte[] last) {
    writeWaiting(() -> write(last));
  }

  private void writeWaiting(Runnable more) {
    while (!STATE.compareAndSet(this, State.IDLE, State.BUSY)
        && !STATE.compareAndSet(this, State.REST, State.BUSY)) {
      // whoever is writing is soon done, but may need this thread's carrier for it
      LockSupport.parkNanos(BRIEFLY.toNanos());
    }
    writeRest();
    syncNow();
    writeRest();
    pingNow();
    writeRest();
    more.run();
    state = State.IDLE;
  }

  private void writeRest() {
    Rest left = rest;
    if (left != null) {
      rest = null;
      wire.write(left.frame(), left.offset());
      wrote();
      left.written().run();
    }
  }

  /// The pending sync, if it says more than the client was told.
  private @Nullable Sync nextSync() {
    Sync sync = connection.takeSync();
    if (sync == null || sync.stamp() <= toldStamp) {
      return null;
    }
    toldStamp = Math.max(sync.stamp(), connectedStamp);
    // one that was stamped before this client came, and delivered after: its id must not go back
    // behind that of `connected`, or the client would ask again for what it knows
    return sync.stamp() < connectedStamp
        ? manager.sync(connectedStamp, sync.pokedNanoTime())
        : sync;
  }

  private void write(byte[] frame) {
    wire.write(frame);
    wrote();
  }

  private void wrote() {
    connection.written(System.nanoTime());
    events++;
  }

  /// Why the connection ends when a write failed with `e`.
  CloseReason reasonOf(UncheckedIOException e) {
    return wire.isTimedOut()
        ? CloseReason.STALLED
        : Wire.isVanished(e) ? CloseReason.VANISHED : CloseReason.CLIENT_CLOSED;
  }
}
