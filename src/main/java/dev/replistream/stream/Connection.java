package dev.replistream.stream;

import static java.util.Objects.requireNonNull;

import dev.replistream.auth.Caller;
import dev.replistream.http.wire.TakenSocket;
import dev.replistream.inspector.MutationFeed;
import dev.replistream.poke.EventId;
import dev.replistream.presence.PresenceFeed;
import dev.replistream.rejection.RejectionFeed;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Base64;
import java.util.UUID;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import org.jspecify.annotations.Nullable;

/// One open stream, from its first event to its last. Its own virtual thread loops over its queue
/// ({@link #serve}); pokes, lists of presence, rejections, mutations and ends come from any thread,
/// which never waits.
///
/// One thread at a time has the pen. Whoever has something for the client notes it, and if nobody
/// has the pen they take it, write there and then, and put it down: most events cost one write and
/// no switch of threads. Else whoever has the pen sees the note before they put it down. What has
/// to wait for the client, what does not stop coming, the end, and what is due by the clock are for
/// the stream's thread: who has the pen hands it over through the queue, which therefore never
/// holds more than one turn.
///
/// However many pokes come before the client reads, one `sync` is pending, of the newest poke, so a
/// slow client costs no memory.
final class Connection {
  private static final Logger LOGGER = System.getLogger(Connection.class.getName());
  private static final AtomicIntegerFieldUpdater<Connection> STATE =
      AtomicIntegerFieldUpdater.newUpdater(Connection.class, "state");
  private static final AtomicReferenceFieldUpdater<Connection, @Nullable SyncEvent> PENDING =
      AtomicReferenceFieldUpdater.newUpdater(Connection.class, SyncEvent.class, "pending");
  private static final AtomicReferenceFieldUpdater<Connection, @Nullable CloseReason> REASON =
      AtomicReferenceFieldUpdater.newUpdater(Connection.class, CloseReason.class, "reason");
  private static final AtomicReferenceFieldUpdater<Connection, @Nullable String> ID =
      AtomicReferenceFieldUpdater.newUpdater(Connection.class, String.class, "id");

  // the state: whether somebody has the pen, and notes of what is to be done with it
  private static final int FREE = 0;
  private static final int HELD = 1;
  private static final int CONTROL = 1 << 1;
  private static final int SYNC = 1 << 2;
  private static final int PRESENCE = 1 << 3;
  private static final int REJECTED = 1 << 4;
  private static final int MUTATION = 1 << 5;
  private static final int EVERYTHING = CONTROL | SYNC | PRESENCE | REJECTED | MUTATION;
  private static final int OWNER = 1 << 6; // the stream's thread is to have it next

  private static final EventId NONE = new EventId("0", 0);

  /// How late a ping may be; an eighth of the ping interval, if that is less.
  private static final Duration LATEST = Duration.ofMillis(500);

  /// In so many batches, which are the same for all streams, pings come in that time. To wake the
  /// threads of some streams together costs a fraction of waking each by itself, and what was
  /// opened, or written to, in the same moment is spread.
  private static final int BATCHES = 4;

  /// How often a thread that is not the stream's writes what others bring meanwhile.
  private static final int MOST_FOR_OTHERS = 16;

  /// What the queue hands to the stream's thread.
  private enum Turn {
    YOURS
  }

  /// What the socket did not take.
  ///
  /// @param written what to do when it has
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  private record Rest(byte[] frame, int offset, Runnable written) {}

  private final Caller caller;
  private final Transport transport;
  private final String device;
  private final long openedNanoTime = System.nanoTime();
  private final long expiresNanoTime;
  private final LinkedBlockingQueue<Turn> queue = new LinkedBlockingQueue<>();
  private volatile int state = HELD; // by the stream's thread, which writes first
  private volatile @Nullable SyncEvent pending;
  private volatile @Nullable CloseReason reason;
  private volatile long lastWriteNanoTime = openedNanoTime;
  private volatile @Nullable String id;

  // these belong to whoever has the pen; the stream's thread sets them before it puts it down first
  private TakenSocket socket;
  private EventForm form;
  private StreamMetrics metrics;
  private Feeds feeds;
  private @Nullable Rest rest;
  private EventId connected = NONE;
  private long toldStamp;
  private int events;

  /// Where it stands among its user's connections; guarded by {@link UserConnections}.
  int slot = -1;

  /// A connection that is not registered yet.
  ///
  /// @param device what its user is told of where it comes from; see {@link Device}
  /// @param lifeLeft until the caller's token expires
  @SuppressWarnings("NullAway.Init") // see above
  Connection(Caller caller, Transport transport, String device, Duration lifeLeft) {
    this.caller = caller;
    this.transport = transport;
    this.device = device;
    this.expiresNanoTime = openedNanoTime + saturatedNanos(lifeLeft);
  }

  private static long saturatedNanos(Duration duration) {
    // half the range of nanoTime, so that differences of two of its values never overflow
    Duration most = Duration.ofNanos(Long.MAX_VALUE / 2);
    return duration.compareTo(most) > 0 ? most.toNanos() : duration.toNanos();
  }

  /// Whose it is.
  Caller caller() {
    return caller;
  }

  /// How it carries its events.
  Transport transport() {
    return transport;
  }

  /// Where it comes from, for its user to tell it from others.
  String device() {
    return device;
  }

  /// Names it to its user: 122 random bits as 22 characters of base64url. It is made when it is
  /// first asked for, since most connections end without that.
  String id() {
    String made = id;
    if (made == null) {
      UUID random = UUID.randomUUID();
      byte[] bytes =
          ByteBuffer.allocate(16)
              .putLong(random.getMostSignificantBits())
              .putLong(random.getLeastSignificantBits())
              .array();
      String mine = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
      made = ID.compareAndSet(this, null, mine) ? mine : id();
    }
    return made;
  }

  long openedNanoTime() {
    return openedNanoTime;
  }

  /// When an event was last written, or it was opened.
  long lastWriteNanoTime() {
    return lastWriteNanoTime;
  }

  /// Why it ends, or null while it is open.
  @Nullable CloseReason reason() {
    return reason;
  }

  // what any thread may bring

  /// Makes `sync` pending, unless a newer one is.
  ///
  /// @return whether one was pending before, so that the two became one
  boolean offer(SyncEvent sync) {
    SyncEvent before = PENDING.getAndAccumulate(this, sync, Connection::newer);
    if (before == null) {
      tell(SYNC);
    }
    return before != null;
  }

  private static SyncEvent newer(@Nullable SyncEvent current, SyncEvent next) {
    return current == null || current.stamp() < next.stamp() ? next : current;
  }

  /// Takes the pending sync, if there is one.
  @Nullable SyncEvent takeSync() {
    return PENDING.getAndSet(this, null);
  }

  /// Says that the feed of presence has something.
  void offerPresence() {
    tell(PRESENCE);
  }

  /// Says that the feed of rejections has something.
  void offerRejection() {
    tell(REJECTED);
  }

  /// Says that the feed of mutations has something.
  void offerMutation() {
    tell(MUTATION);
  }

  /// Says that the transport itself has something; see {@link EventForm#takeControl}.
  void offerControl() {
    tell(CONTROL);
  }

  /// Ends the connection for `why`; the first reason given is the one that counts.
  ///
  /// @return whether this call's reason is that one
  boolean end(CloseReason why) {
    boolean first = REASON.compareAndSet(this, null, why);
    if (first) {
      tell(OWNER);
    }
    return first;
  }

  /// Leaves a note for whoever has the pen; if nobody has, takes it and does what the notes say.
  private void tell(int note) {
    if ((add(note | HELD) & HELD) == 0) {
      writeNow();
    }
  }

  private int add(int notes) {
    int before = state;
    while (!STATE.compareAndSet(this, before, before | notes)) {
      before = state;
    }
    return before;
  }

  private boolean takes(int note) {
    int before = state;
    while ((before & note) != 0 && !STATE.compareAndSet(this, before, before & ~note)) {
      before = state;
    }
    return (before & note) != 0;
  }

  /// Puts the pen down, if there is no note.
  private boolean putDown() {
    return state == HELD && STATE.compareAndSet(this, HELD, FREE);
  }

  /// Writes what is pending as long as that takes no waiting, and puts the pen down or hands it
  /// over, also where others bring more and more: this thread has something else to do. For any
  /// thread that has it.
  private void writeNow() {
    try {
      for (int i = 0; i <= MOST_FOR_OTHERS && rest == null && (state & OWNER) == 0; i++) {
        if (putDown()) {
          return;
        }
        writeEach(EVERYTHING, false);
      }
    } catch (UncheckedIOException e) {
      end(reasonOf(e));
    } catch (Throwable e) { // what is wrong here is not the poker's fault
      end(CloseReason.FAILED);
      LOGGER.log(Level.ERROR, "event=error where=stream", e);
    }
    queue.offer(Turn.YOURS);
  }

  // what the stream's thread does

  /// Serves the client on the calling thread, the stream's own, till the stream ends, and forgets
  /// the connection.
  ///
  /// @param feeds what the client is told beside pokes
  void serve(
      TakenSocket socket,
      EventForm form,
      Feeds feeds,
      SseManager manager,
      StreamMetrics metrics,
      Duration pingInterval) {
    this.socket = socket;
    this.form = form;
    this.feeds = feeds;
    this.metrics = metrics;
    try {
      form.watch(socket);
      begin(manager.resume(caller.userId(), form.lastEventId()));
      loop(pingInterval.toNanos());
      sayFarewell();
    } catch (UncheckedIOException e) {
      end(reasonOf(e));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      end(CloseReason.DRAINED);
    } catch (RuntimeException e) {
      end(CloseReason.FAILED);
      LOGGER.log(Level.ERROR, "event=error where=stream", e);
    } finally {
      manager.remove(this, events);
    }
  }

  /// Writes how the stream begins, and the sync that the client missed.
  private void begin(SseManager.Resume resume) {
    write(form.first(resume.id()));
    connected = resume.id();
    SyncEvent catchUp = resume.catchUp();
    if (catchUp != null) {
      write(form.sync(catchUp));
      metrics.syncCaughtUp();
    }
    toldStamp = resume.toldStamp();
  }

  /// Waits for a turn, and pings when none comes. Whoever finds the stream idle writes to it
  /// themselves, so a turn comes only with what they leave to this thread; after the time-out it is
  /// seen when something was last written.
  private void loop(long pingNanos) throws InterruptedException {
    while (writeAll()) {
      if (queue.poll(nanosTillDue(pingNanos), TimeUnit.NANOSECONDS) == null) {
        takePen();
        pingIfDue(pingNanos);
      }
    }
  }

  /// Writes all that is pending, and puts the pen down.
  ///
  /// @return false when the stream is to end: then this thread keeps the pen
  private boolean writeAll() {
    writeRest();
    do {
      takes(OWNER); // before the look at the reason, which may come together with another such note
      if (isToEnd()) {
        return false;
      }
      writeEach(EVERYTHING, true);
    } while (!putDown());
    return true;
  }

  private boolean isToEnd() {
    if (System.nanoTime() - expiresNanoTime >= 0) {
      end(CloseReason.TOKEN_EXPIRED);
    }
    return reason != null;
  }

  /// How long this thread may wait: till the token expires, or a ping is due, which is when the
  /// silence has been long enough and the next batch of pings comes.
  long nanosTillDue(long pingNanos) {
    long late = Math.min(LATEST.toNanos(), pingNanos / 8);
    long batch = late / BATCHES;
    long due =
        lastWriteNanoTime + pingNanos + ThreadLocalRandom.current().nextLong(late - batch + 1);
    long ping = Math.ceilDiv(due, batch) * batch;
    long now = System.nanoTime();
    return Math.min(ping - now, expiresNanoTime - now);
  }

  /// Takes the pen, or waits for it while another thread writes, which is soon done.
  private void takePen() throws InterruptedException {
    if ((add(OWNER | HELD) & HELD) != 0) {
      queue.take();
    }
  }

  private void pingIfDue(long pingNanos) {
    writeRest();
    if (System.nanoTime() - lastWriteNanoTime >= pingNanos && !isToEnd()) {
      write(form.ping());
      metrics.pingWritten();
    }
  }

  /// Writes the last frame of the stream, if there is one, after what is pending of pokes.
  private void sayFarewell() {
    byte[] last = form.farewell(requireNonNull(reason));
    if (last != null) {
      writeEach(CONTROL | SYNC, true);
      write(last);
    }
  }

  // what whoever has the pen does

  /// Writes each thing of these that is pending once, so that none holds another up.
  ///
  /// @param waits whether this is the stream's thread, which waits for the client where it has to;
  ///   else it ends where the socket takes no more
  private void writeEach(int these, boolean waits) {
    for (int note = CONTROL; note <= MUTATION && rest == null; note <<= 1) {
      if (takes(note & these)) {
        switch (note) {
          case CONTROL -> writeControl();
          case SYNC -> writeSync();
          case PRESENCE -> writePresence();
          case REJECTED -> writeRejection();
          default -> writeMutation();
        }
        if (waits) {
          writeRest();
        }
      }
    }
  }

  private void writeControl() {
    byte[] control = form.takeControl();
    if (control != null) {
      send(control, () -> {}); // no event, so the silence goes on
    }
  }

  private void writeSync() {
    SyncEvent sync = nextSync();
    if (sync != null) {
      send(
          form.sync(sync),
          () -> {
            wrote();
            metrics.syncWritten(System.nanoTime() - sync.pokedNanoTime());
          });
    }
  }

  /// The pending sync, if it says more than the client was told.
  private @Nullable SyncEvent nextSync() {
    SyncEvent sync = takeSync();
    if (sync == null || sync.stamp() <= toldStamp) {
      return null;
    }
    toldStamp = Math.max(sync.stamp(), connected.stamp());
    // one that was stamped before this client came, and delivered after: its id must not go back
    // behind that of `connected`, or the client would ask again for what it knows
    return sync.stamp() < connected.stamp() ? new SyncEvent(connected, sync.pokedNanoTime()) : sync;
  }

  /// Writes one list, so that a sync does not wait for all rooms.
  private void writePresence() {
    PresenceFeed feed = feeds.presence();
    boolean wasOne =
        feed != null
            && feed.next(json ->
                send(
                    form.presence(json),
                    () -> {
                      wrote();
                      metrics.presenceWritten();
                    }));
    if (wasOne) {
      add(PRESENCE);
    }
  }

  /// Writes one of them, so that a sync does not wait for all.
  private void writeRejection() {
    RejectionFeed feed = feeds.rejections();
    byte[] json = feed == null ? null : feed.next();
    if (json != null) {
      send(
          form.rejected(json),
          () -> {
            wrote();
            metrics.rejectionWritten();
          });
      add(REJECTED); // there may be more
    }
  }

  /// Writes one of them too.
  private void writeMutation() {
    MutationFeed feed = feeds.mutations();
    byte[] json = feed == null ? null : feed.next();
    if (json != null) {
      send(
          form.mutation(json),
          () -> {
            wrote();
            metrics.mutationWritten();
          });
      add(MUTATION); // there may be more
    }
  }

  /// Writes a frame, or what the socket takes of it without waiting.
  private void send(byte[] frame, Runnable written) {
    int count = socket.writeNow(frame);
    if (count < frame.length) {
      rest = new Rest(frame, count, written);
    } else {
      written.run();
    }
  }

  private void writeRest() {
    Rest left = rest;
    if (left != null) {
      rest = null;
      socket.write(left.frame(), left.offset());
      left.written().run();
    }
  }

  private void write(byte[] frame) {
    socket.write(frame);
    wrote();
  }

  private void wrote() {
    lastWriteNanoTime = System.nanoTime();
    events++;
  }

  /// Why the connection ends when a write failed with `e`.
  private CloseReason reasonOf(UncheckedIOException e) {
    return socket.isTimedOut()
        ? CloseReason.STALLED
        : TakenSocket.isVanished(e) ? CloseReason.VANISHED : CloseReason.CLIENT_CLOSED;
  }
}
