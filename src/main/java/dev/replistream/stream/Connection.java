package dev.replistream.stream;

import dev.replistream.auth.Caller;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import org.jspecify.annotations.Nullable;

/// One open stream: its owner, its queue, and at most one pending `sync`.
///
/// Pokers, the drain and the watch over the socket offer from any thread and never wait; the
/// stream's own thread takes. However many pokes come before the client reads, the queue holds one
/// signal for them, and the newest poke is the one that is told: a slow client costs no memory.
public final class Connection {
  /// What wakes the stream's thread.
  enum Signal {
    /// There is a pending sync.
    SYNC,
    /// The connection is to end; the reason is set.
    END
  }

  private static final AtomicReferenceFieldUpdater<Connection, @Nullable Sync> PENDING =
      AtomicReferenceFieldUpdater.newUpdater(Connection.class, Sync.class, "pending");
  private static final AtomicReferenceFieldUpdater<Connection, @Nullable CloseReason> REASON =
      AtomicReferenceFieldUpdater.newUpdater(Connection.class, CloseReason.class, "reason");

  private final Caller caller;
  private final Transport transport;
  private final long openedNanoTime = System.nanoTime();
  // one SYNC and one END at the most, so an offer never fails
  private final LinkedBlockingQueue<Signal> queue = new LinkedBlockingQueue<>(2);
  private volatile @Nullable Sync pending;
  private volatile @Nullable CloseReason reason;

  /// Where it stands among its user's connections; guarded by {@link UserConnections}.
  int slot = -1;

  /// A connection that is not registered yet.
  public Connection(Caller caller, Transport transport) {
    this.caller = caller;
    this.transport = transport;
  }

  /// Whose it is.
  public Caller caller() {
    return caller;
  }

  /// How it carries its events.
  public Transport transport() {
    return transport;
  }

  long openedNanoTime() {
    return openedNanoTime;
  }

  /// Makes `sync` pending, unless a newer one is.
  ///
  /// @return whether one was pending before, so that the two became one
  boolean offer(Sync sync) {
    Sync before = PENDING.getAndAccumulate(this, sync, Connection::newer);
    if (before == null) {
      queue.offer(Signal.SYNC);
    }
    return before != null;
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

  /// Waits for a signal.
  ///
  /// @return the signal, or null when none came in time
  @Nullable Signal poll(long timeoutNanos) throws InterruptedException {
    return queue.poll(timeoutNanos, TimeUnit.NANOSECONDS);
  }

  /// Takes the pending sync, if there is one.
  @Nullable Sync takeSync() {
    return PENDING.getAndSet(this, null);
  }
}
