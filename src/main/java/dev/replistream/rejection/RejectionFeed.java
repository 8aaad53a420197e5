package dev.replistream.rejection;

import org.jspecify.annotations.Nullable;

/// The rejections that one connection has still to be told. All connections of a user share what is
/// pending, so a client that is slow costs no memory; one that falls behind by more than a hundred
/// misses the oldest, which `GET /rejections` still has.
///
/// Thread-safe by the monitor of its user.
public final class RejectionFeed implements AutoCloseable {
  private final UserRejections user;
  private final Runnable wake;
  private final Runnable onClose;

  /// How many had been told of when the next one came; guarded by the user's monitor.
  long position;

  /// @param wake called when the feed, which had nothing, has something
  /// @param onClose forgets it
  RejectionFeed(UserRejections user, Runnable wake, Runnable onClose) {
    this.user = user;
    this.wake = wake;
    this.onClose = onClose;
  }

  /// Takes the next one, as JSON in UTF-8 on one line; null when there is none. Nobody writes to
  /// it.
  public byte @Nullable [] next() {
    return user.next(this);
  }

  /// Lets the connection write; to be called without any lock, as it may write there and then.
  void wake() {
    wake.run();
  }

  /// Forgets the connection, which has ended. Idempotent.
  @Override
  public void close() {
    onClose.run();
  }
}
