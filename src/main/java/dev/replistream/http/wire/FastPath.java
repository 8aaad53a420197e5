package dev.replistream.http.wire;

import io.helidon.common.buffers.BufferData;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/// How a connection's known requests are answered ({@link Repeats}), without the parser: by the
/// connection's own thread, or while that rests, by a loop's. What may take long is left to the
/// connection's thread, as others wait for a loop's.
///
/// Confined to the connection's thread, but for {@link #answer(byte[])} and {@link #answered},
/// which a loop calls while that rests, and {@link #isAnswering} and {@link #abort}.
final class FastPath implements RepeatLoop.Guest {
  /// So many known requests in a row bring a connection into a loop.
  private static final int MANY = 16;

  private final Wire wire;
  private final Exchange exchange;
  private volatile @Nullable CompletableFuture<RepeatLoop.Leave> inLoop;
  private volatile boolean isAnswering;

  FastPath(Wire wire, Exchange exchange) {
    this.wire = wire;
    this.exchange = exchange;
  }

  /// Answers the requests that are known, and returns the beginning of the first that is not; null
  /// when the client has closed the connection.
  byte @Nullable [] nextUnknown() {
    byte[] bytes = wire.next();
    for (int known = 1; bytes != null && isAnswered(bytes); known++) {
      bytes = known % MANY == 0 ? nextFromLoop() : wire.next();
    }
    return bytes;
  }

  private boolean isAnswered(byte[] bytes) {
    byte[] response = answer(bytes, false);
    if (response != null) {
      send(response);
    }
    return response != null;
  }

  private void send(byte[] response) {
    wire.dataWriter().writeNow(BufferData.create(response));
    answered();
  }

  /// Rests while a loop answers what is known, and returns what it leaves.
  private byte @Nullable [] nextFromLoop() {
    SocketChannel open = Sockets.nonBlocking(wire.serverSocket()).orElse(null);
    if (open == null) {
      return wire.next();
    }
    CompletableFuture<RepeatLoop.Leave> whenLeaving = new CompletableFuture<>();
    inLoop = whenLeaving;
    try {
      wire.threads().repeatLoop().serve(open, this, whenLeaving);
      RepeatLoop.Leave leave = whenLeaving.get();
      open.configureBlocking(true);
      byte[] unsent = leave.unsent();
      if (unsent == null) {
        return leave.request();
      }
      send(unsent);
      return wire.next();
    } catch (InterruptedException e) {
      wire.abort();
      Thread.currentThread().interrupt();
      throw new UncheckedIOException(new InterruptedIOException("The server is closing"));
    } catch (ExecutionException e) {
      throw new UncheckedIOException(new IOException(e.getCause()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      inLoop = null;
    }
  }

  @Override
  public byte @Nullable [] answer(byte[] request) {
    return answer(request, true);
  }

  private byte @Nullable [] answer(byte[] request, boolean isShared) {
    isAnswering = true;
    IoTimer timer = wire.timer();
    long dueNanos = timer.readDueNanos();
    timer.readDone(); // the client has sent what it had to
    byte[] response = exchange.takesNoMore() ? null : wire.repeats().answer(request, isShared);
    isAnswering = response != null;
    if (response == null) {
      timer.readBy(dueNanos);
    } else {
      wire.authenticated();
    }
    return response;
  }

  @Override
  public void answered() {
    exchange.answeredWithoutParser();
    isAnswering = false;
    exchange.closeIfTold(); // which was left to this thread
  }

  /// Whether a known request is being answered.
  boolean isAnswering() {
    return isAnswering;
  }

  /// Ends the rest of a connection whose socket was closed.
  void abort() {
    CompletableFuture<RepeatLoop.Leave> looping = inLoop;
    if (looping != null) {
      looping.completeExceptionally(new ClosedChannelException());
      wire.threads().releaseLoops();
    }
  }
}
