package dev.replistream.inspector;

import dev.replistream.api.JsonValue;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The mutations that one connection has still to be told. A client that does not keep up misses
/// the oldest, and is told how many.
///
/// Thread-safe by its own monitor.
public final class MutationFeed implements AutoCloseable {
  /// How many bytes are pending at most.
  static final int MAX_BYTES = 1 << 20;

  private final Budget budget;
  private final Runnable wake;
  private final Consumer<MutationFeed> onClose;
  private final Deque<byte[]> pending = new ArrayDeque<>();
  private int bytes; // of those
  private long dropped; // since the client was told of such
  private boolean isClosed;

  /// @param budget what all feeds may hold
  /// @param wake called when the feed, which had nothing, has something
  /// @param onClose forgets it
  MutationFeed(Budget budget, Runnable wake, Consumer<MutationFeed> onClose) {
    this.budget = budget;
    this.wake = wake;
    this.onClose = onClose;
  }

  /// Makes some pending, as JSON.
  ///
  /// @param untold how many more there were that are not told, as they were too many
  /// @return whether nothing was before, so that the connection has to be woken
  synchronized boolean offer(List<byte[]> more, int untold) {
    if (isClosed) {
      return false;
    }
    boolean wasIdle = pending.isEmpty() && dropped == 0;
    more.forEach(this::add);
    drop(untold);
    return wasIdle;
  }

  private void add(byte[] json) {
    while (bytes + json.length > MAX_BYTES || !budget.take(json.length)) {
      drop(1);
      if (poll() == null) { // others have it all
        return;
      }
    }
    pending.add(json);
    bytes += json.length;
  }

  private void drop(int count) {
    budget.dropped(count);
    dropped += count;
  }

  private byte @Nullable [] poll() {
    byte[] oldest = pending.poll();
    if (oldest != null) {
      bytes -= oldest.length;
      budget.giveBack(oldest.length);
    }
    return oldest;
  }

  /// Takes the next one, as JSON in UTF-8 on one line; null when there is none. Nobody writes to
  /// it. Where some were dropped since the last one, it is `{"dropped":…}`, which says how many.
  public synchronized byte @Nullable [] next() {
    if (dropped > 0) {
      byte[] notice = JsonValue.object().with("dropped", dropped).build().toBytes();
      dropped = 0;
      return notice;
    }
    return poll();
  }

  /// Lets the connection write; to be called without any lock, as it may write there and then.
  void wake() {
    wake.run();
  }

  /// Forgets the connection, which has ended. Idempotent.
  @Override
  public void close() {
    onClose.accept(this);
    synchronized (this) {
      isClosed = true;
      budget.giveBack(bytes);
      bytes = 0;
      pending.clear();
      dropped = 0;
    }
  }
}
