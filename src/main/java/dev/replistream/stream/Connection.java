package dev.replistream.stream;

import dev.replistream.auth.Caller;
import dev.replistream.poke.PresenceFeed;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Base64;
import java.util.UUID;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import org.jspecify.annotations.Nullable;

/// One open stream: its owner, its queue, and at most one pending `sync`.
///
/// Pokers, the drain and the watch over the socket offer from any thread and never wait. A poker
/// that finds the stream idle writes its sync there and then; else it stays pending and the
/// stream's own thread, which waits on the queue, writes it. However many pokes come before the
/// client reads, the queue holds one signal for them, and the newest poke is the one that is told:
/// a slow client costs no memory.
public final class Connection {
  /// What wakes the stream's thread.
  enum Signal {
    /// Something is pending that nobody else could write at once.
    WRITE,
    /// The connection is to end; the reason is set.
    END
  }

  private static final AtomicReferenceFieldUpdater<Connection, @Nullable Sync> PENDING =
      AtomicReferenceFieldUpdater.newUpdater(Connection.class, Sync.class, "pending");
  private static final AtomicReferenceFieldUpdater<Connection, @Nullable CloseReason> REASON =
      AtomicReferenceFieldUpdater.newUpdater(Connection.class, CloseReason.class, "reason");
  private static final AtomicReferenceFieldUpdater<Connection, @Nullable String> ID =
      AtomicReferenceFieldUpdater.newUpdater(Connection.class, String.class, "id");

  private final Caller caller;
  private final Transport transport;
  private final String device;
  private final long openedNanoTime = System.nanoTime();
  // holds a few signals at the most: one for each pending thing, and one that came too late
  private final LinkedBlockingQueue<Signal> queue = new LinkedBlockingQueue<>();
  private final long expiresNanoTime;
  private volatile @Nullable Sync pending;
  private volatile @Nullable CloseReason reason;
  private volatile long lastWriteNanoTime = openedNanoTime;
  private volatile boolean pingPending;
  private volatile @Nullable String id;

  private volatile @Nullable Writer writer;

  /// Writes to the client without waiting, on the thread of whoever has something for it.
  interface Writer {
    /// Writes the pending sync, or sees to it that it will be written.
    ///
    /// @return false when the stream's own thread has to be woken for it
    boolean writeSync();

    /// Writes a ping, if it is still due, or sees to it that it will be written.
    ///
    /// @return false when the stream's own thread has to be woken for it
    boolean writePing();

    /// Writes what a feed has, or sees to it that it will be written.
    ///
    /// @return false when the stream's own thread has to be woken for it
    boolean writePresence(PresenceFeed feed);
  }

  /// Where it stands among its user's connections; guarded by {@link UserConnections}.
  int slot = -1;

  /// A connection that is not registered yet.
  ///
  /// @param device what its user is told of where it comes from; see {@link Device}
  /// @param lifeLeft until the caller's token expires
  public Connection(Caller caller, Transport transport, String device, Duration lifeLeft) {
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
  public Caller caller() {
    return caller;
  }

  /// How it carries its events.
  public Transport transport() {
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

  /// From now on events may be written by other threads than the stream's own.
  void writtenBy(Writer writer) {
    this.writer = writer;
  }

  /// Makes `sync` pending, unless a newer one is, and writes it if nobody else does and it takes no
  /// waiting.
  ///
  /// @return whether one was pending before, so that the two became one
  boolean offer(Sync sync) {
    Sync before = PENDING.getAndAccumulate(this, sync, Connection::newer);
    if (before == null) {
      Writer idle = writer;
      if (idle == null || !idle.writeSync()) {
        wake();
      }
    }
    return before != null;
  }

  /// Writes what `feed` has for the client, if nobody else is writing and it takes no waiting; else
  /// the stream's thread does.
  void offer(PresenceFeed feed) {
    Writer idle = writer;
    if (idle == null || !idle.writePresence(feed)) {
      wake();
    }
  }

  private static Sync newer(@Nullable Sync current, Sync next) {
    return current == null || current.stamp() < next.stamp() ? next : current;
  }

  /// Ends the connection for `why`; the first reason given is the one that counts.
  ///
  /// @return whether this call's reason is that one
  public boolean end(CloseReason why) {
    boolean first = REASON.compareAndSet(this, null, why);
    if (first) {
      queue.offer(Signal.END);
    }
    return first;
  }

  /// Why it ends, or null while it is open.
  @Nullable CloseReason reason() {
    return reason;
  }

  /// Whether {@link #tick} has something to do.
  boolean isDue(long nowNanos, long pingNanos) {
    return nowNanos - expiresNanoTime >= 0
        || (!pingPending && nowNanos - lastWriteNanoTime >= pingNanos);
  }

  /// Ends the connection if its token has expired, and writes a ping, or makes one pending, if it
  /// was silent for the ping interval. Called by the ticker, which keeps time for all connections:
  /// a timed wait would start and cancel a timer for each event of each connection.
  void tick(long nowNanos, long pingNanos) {
    if (nowNanos - expiresNanoTime >= 0) {
      end(CloseReason.TOKEN_EXPIRED);
    } else if (isDue(nowNanos, pingNanos)) {
      pingPending = true;
      Writer idle = writer;
      if (idle == null || !idle.writePing()) {
        wake();
      }
    }
  }

  /// Wakes the stream's thread to write what is pending.
  void wake() {
    queue.offer(Signal.WRITE);
  }

  /// Waits for a signal.
  Signal take() throws InterruptedException {
    return queue.take();
  }

  /// Takes note of a ping that was made pending.
  ///
  /// @return whether it is still due: nothing was written since it was offered
  boolean pingDue(long nowNanos, long pingNanos) {
    pingPending = false;
    return nowNanos - lastWriteNanoTime >= pingNanos;
  }

  /// Notes that an event was written: silence begins anew.
  void written(long nowNanos) {
    lastWriteNanoTime = nowNanos;
  }

  /// Takes the pending sync, if there is one.
  @Nullable Sync takeSync() {
    return PENDING.getAndSet(this, null);
  }
}
