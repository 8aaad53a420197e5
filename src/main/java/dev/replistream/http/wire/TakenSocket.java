package dev.replistream.http.wire;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The socket of a connection that a session has taken over ({@link Takeover}): it carries bytes
/// for that session, and no more requests.
///
/// It does not block: whoever has something for the client can write it on their own thread ({@link
/// #writeNow}), and one thread sees all clients leave. A write that has to wait has a deadline.
///
/// {@link #write(byte[])} is for the session's thread; {@link #abort} may be called by any.
public final class TakenSocket {
  /// How long a write waits before it tries again: a client that stops reading costs little.
  private static final Duration SHORTEST_PAUSE = Duration.ofMillis(1);

  private static final Duration LONGEST_PAUSE = Duration.ofMillis(64);

  private final Wire wire;
  // where it can be had, and so does not block
  private final @Nullable SocketChannel channel;
  private final AtomicReference<@Nullable Consumer<End>> endListener = new AtomicReference<>();
  private @Nullable DataReader ahead;

  /// How a connection ended.
  public enum End {
    /// One side closed it, or the client's network reset it.
    CLOSED,
    /// It kept this server waiting beyond a deadline.
    OVERDUE,
    /// TCP gave up on a client that stopped answering.
    VANISHED
  }

  /// @param channel the socket's; null where it can only be written to by waiting
  /// @param ahead what came behind the request, if anything did
  TakenSocket(Wire wire, @Nullable SocketChannel channel, @Nullable DataReader ahead) {
    this.wire = wire;
    this.channel = channel;
    this.ahead = ahead;
  }

  /// Writes `bytes` at once, in one call to the socket, and waits while the client does not read.
  ///
  /// @throws UncheckedIOException when the client is gone, or did not read for the write timeout
  public void write(byte[] bytes) {
    write(bytes, 0);
  }

  /// Writes what is left of `bytes` from `offset` on, as {@link #write(byte[])} does.
  public void write(byte[] bytes, int offset) {
    IoTimer timer = wire.timer();
    timer.writeWithin(wire.deadlines().write());
    try {
      if (channel == null) {
        wire.context()
            .dataWriter()
            .writeNow(BufferData.create(bytes, offset, bytes.length - offset));
      } else {
        writeWaiting(channel, ByteBuffer.wrap(bytes, offset, bytes.length - offset));
      }
    } finally {
      timer.writeDone();
    }
  }

  private static void writeWaiting(SocketChannel channel, ByteBuffer bytes) {
    Duration pause = SHORTEST_PAUSE;
    while (write(channel, bytes) < 0 || bytes.hasRemaining()) {
      LockSupport.parkNanos(pause.toNanos());
      pause = pause.compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : pause;
    }
  }

  private static int write(SocketChannel channel, ByteBuffer bytes) {
    try {
      return channel.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Writes as much of `bytes` as takes no waiting. Any one thread may call it, if no other writes
  /// at the same time.
  ///
  /// @return how many bytes were written: none where the connection can only be written to by
  ///   waiting
  /// @throws UncheckedIOException when the client is gone
  public int writeNow(byte[] bytes) {
    return channel == null ? 0 : write(channel, ByteBuffer.wrap(bytes));
  }

  /// Tells `onEnd` once how the connection ends: the client closes it, or {@link #abort} does. Then
  /// the socket is closed, which frees a write that waits. Bytes that the client sends meanwhile
  /// are dropped. `onEnd` must not wait.
  public void watchEnd(Consumer<End> onEnd) {
    ahead = null;
    watch(_ -> {}, onEnd);
  }

  /// Does as {@link #watchEnd} does, and hands what the client sends to `onBytes` instead of
  /// dropping it. The bytes are `onBytes`' during its call only; it is called by one thread at a
  /// time and must not wait either.
  public void watch(Consumer<ByteBuffer> onBytes, Consumer<End> onEnd) {
    DataReader before = ahead;
    ahead = null;
    if (before != null && before.available() > 0) {
      onBytes.accept(ByteBuffer.wrap(before.readBuffer(before.available()).readBytes()));
    }
    endListener.set(onEnd);
    Watch watch = new Watch(onBytes);
    if (channel == null) {
      Thread.ofVirtual().start(() -> readToEnd(watch));
      return;
    }
    try {
      wire.threads().endWatch().add(channel, watch);
    } catch (IOException | ClosedSelectorException _) { // it is closed already
      watch.ended(Optional.empty());
    }
  }

  private final class Watch implements SelectorLoop.Guest {
    private final Consumer<ByteBuffer> onBytes;

    Watch(Consumer<ByteBuffer> onBytes) {
      this.onBytes = onBytes;
    }

    @Override
    public @Nullable Runnable received(SocketChannel from, ByteBuffer bytes) {
      onBytes.accept(bytes);
      return null;
    }

    @Override
    public void ended(Optional<Throwable> failure) {
      TakenSocket.this.ended(failure.filter(TakenSocket::saysVanished).isPresent());
    }
  }

  private void readToEnd(Watch watch) {
    Optional<Throwable> failure = Optional.empty();
    try {
      for (byte[] bytes = wire.context().serverSocket().get();
          bytes != null;
          bytes = wire.context().serverSocket().get()) {
        watch.onBytes.accept(ByteBuffer.wrap(bytes));
      }
    } catch (UncheckedIOException e) {
      failure = Optional.ofNullable(e.getCause());
    }
    watch.ended(failure);
  }

  private void ended(boolean isVanished) {
    Consumer<End> listener = endListener.getAndSet(null);
    if (listener != null) {
      listener.accept(isTimedOut() ? End.OVERDUE : isVanished ? End.VANISHED : End.CLOSED);
      abort();
    }
  }

  /// Whether a deadline passed, so that the socket was closed for it.
  public boolean isTimedOut() {
    return wire.timer().isExpired();
  }

  /// Whether `e` says that TCP gave up on a client which stopped answering (`ETIMEDOUT`,
  /// `EHOSTUNREACH`, `ENETUNREACH`); Java tells it in words only.
  public static boolean isVanished(UncheckedIOException e) {
    return saysVanished(e.getCause());
  }

  private static boolean saysVanished(@Nullable Throwable failure) {
    String message = failure == null ? null : failure.getMessage();
    return message != null
        && (message.contains("timed out")
            || message.contains("No route to host")
            || message.contains("unreachable"));
  }

  /// Closes the socket at once. Idempotent, never throws.
  public void abort() {
    wire.abort();
  }

  /// The socket was closed.
  void closed() {
    if (channel != null) {
      wire.threads().endWatch().release();
    }
    ended(false);
  }

  /// The session has returned.
  void giveBack() {
    if (channel != null) {
      wire.threads().endWatch().remove(channel);
    }
  }
}
