package dev.replistream.stream;

import dev.replistream.http.Wire;
import dev.replistream.poke.EventId;
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

/// Writes the events of one connection, each in one write of prepared bytes, in the form of its
/// transport.
///
/// Between events it is idle, and then whoever has one for the client writes it on its own thread,
/// without waiting: most events cost one write and no switch of threads. What would have to wait
/// for the client is left to the stream's thread. Who may write is settled by {@link #state}, which
/// guards the other fields too; a new writer belongs to the thread that made it.
final class EventWriter implements Connection.Writer {
  private static final Logger LOGGER = System.getLogger(EventWriter.class.getName());
  private static final byte[] PRESENCE =
      "event: presence\ndata: ".getBytes(StandardCharsets.US_ASCII);
  private static final AtomicReferenceFieldUpdater<EventWriter, State> STATE =
      AtomicReferenceFieldUpdater.newUpdater(EventWriter.class, State.class, "state");

  private static final EventId NONE = new EventId("0", 0);

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
  private final EventForm form;
  private volatile State state = State.BUSY;
  private @Nullable Rest rest;
  private EventId connected = NONE;
  private long toldStamp;
  private int events;

  EventWriter(
      Connection connection,
      Wire wire,
      SseManager manager,
      StreamMetrics metrics,
      Duration pingInterval,
      EventForm form) {
    this.connection = connection;
    this.wire = wire;
    this.manager = manager;
    this.metrics = metrics;
    this.pingInterval = pingInterval;
    this.form = form;
  }

  /// What a connection does on its own thread, from its first event to its last.
  interface Life {
    void run() throws InterruptedException;
  }

  /// Runs the connection's life, and forgets the connection when that ends, for the reason that it
  /// ended for. For the stream's thread.
  void live(Life life) {
    try {
      life.run();
    } catch (UncheckedIOException e) {
      connection.end(reasonOf(e));
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

  /// Writes how the stream begins, and the sync that the client missed; then anybody may write.
  void begin(byte[] first, SseManager.Resume resume) {
    write(first);
    connected = resume.id();
    Sync catchUp = resume.catchUp();
    if (catchUp != null) {
      write(form.sync(catchUp));
      metrics.syncCaughtUp();
    }
    toldStamp = resume.toldStamp();
    state = State.IDLE;
    connection.writtenBy(this);
  }

  @Override
  public boolean writeSync() {
    return writeIfIdle(this::syncNow);
  }

  @Override
  public boolean writePing() {
    return writeIfIdle(this::pingNow);
  }

  /// Writes what the form has to say between events, or sees to it that it will be written.
  ///
  /// @return false when the stream's own thread has to be woken for it
  boolean writeControl() {
    return writeIfIdle(this::controlNow);
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
      writeNow(
          form.sync(sync),
          () -> {
            wrote();
            metrics.syncWritten(System.nanoTime() - sync.pokedNanoTime());
          });
    }
  }

  private void pingNow() {
    if (connection.pingDue(System.nanoTime(), pingInterval.toNanos())) {
      writeNow(
          form.ping(),
          () -> {
            wrote();
            metrics.pingWritten();
          });
    }
  }

  private void controlNow() {
    byte[] control = form.takeControl();
    if (control != null) {
      writeNow(control, () -> {}); // no event, so the silence goes on
    }
  }

  /// @return whether there was a list to write
  private boolean presenceNow(PresenceFeed feed) {
    return rest == null
        && connection.reason() == null
        && feed.next(json ->
            writeNow(
                presence(json),
                () -> {
                  wrote();
                  metrics.presenceWritten();
                }));
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
      written.run();
    }
  }

  /// Writes what is left of a frame, and what is pending, and waits for the client where it has to.
  /// For the stream's thread.
  ///
  /// @param feed what the client is told of presence, if it asked for it
  /// @throws UncheckedIOException when the client is gone, or did not read for the write timeout
  void writeWaiting(@Nullable PresenceFeed feed) {
    writeAllPending();
    while (feed != null && presenceNow(feed)) {
      writeRest();
      syncNow(); // which does not wait for all rooms
      writeRest();
    }
    state = State.IDLE;
  }

  /// Writes what is pending but presence, and then the last frame of the stream: nobody writes
  /// after it.
  void end(byte[] last) {
    writeAllPending();
    write(last);
  }

  private void writeAllPending() {
    while (!STATE.compareAndSet(this, State.IDLE, State.BUSY)
        && !STATE.compareAndSet(this, State.REST, State.BUSY)) {
      // whoever is writing is soon done, but may need this thread's carrier for it
      LockSupport.parkNanos(BRIEFLY.toNanos());
    }
    writeRest();
    controlNow();
    writeRest();
    syncNow();
    writeRest();
    pingNow();
    writeRest();
  }

  private void writeRest() {
    Rest left = rest;
    if (left != null) {
      rest = null;
      wire.write(left.frame(), left.offset());
      left.written().run();
    }
  }

  /// The pending sync, if it says more than the client was told.
  private @Nullable Sync nextSync() {
    Sync sync = connection.takeSync();
    if (sync == null || sync.stamp() <= toldStamp) {
      return null;
    }
    toldStamp = Math.max(sync.stamp(), connected.stamp());
    // one that was stamped before this client came, and delivered after: its id must not go back
    // behind that of `connected`, or the client would ask again for what it knows
    return sync.stamp() < connected.stamp() ? manager.sync(connected, sync.pokedNanoTime()) : sync;
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
  private CloseReason reasonOf(UncheckedIOException e) {
    return wire.isTimedOut()
        ? CloseReason.STALLED
        : Wire.isVanished(e) ? CloseReason.VANISHED : CloseReason.CLIENT_CLOSED;
  }
}
