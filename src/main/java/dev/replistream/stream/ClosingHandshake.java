package dev.replistream.stream;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/// The end of a WebSocket, which the server waits for once it has sent its close frame, so that the
/// client reads that before the socket is closed (RFC 6455, section 7.1.1). Made and awaited by the
/// connection's thread; any may say that it is over.
final class ClosingHandshake {
  private static final Duration LONGEST = Duration.ofSeconds(5);

  private final Thread thread = Thread.currentThread();
  private volatile boolean over;

  /// The client has closed, left, or broken the rules: there is nothing to wait for.
  void over() {
    over = true;
    LockSupport.unpark(thread);
  }

  boolean isOver() {
    return over;
  }

  /// Waits till it is over, or for `most`, or for five seconds, or till the thread is interrupted.
  void await(Duration most) {
    long deadline = System.nanoTime() + (most.compareTo(LONGEST) < 0 ? most : LONGEST).toNanos();
    for (long left = deadline - System.nanoTime();
        !over && left > 0 && !thread.isInterrupted();
        left = deadline - System.nanoTime()) {
      LockSupport.parkNanos(this, left);
    }
  }
}
