package dev.replistream.http.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Answers the known requests of connections that send one after the other: one thread that waits
/// for all of them at once. A thread for each has to be put to sleep and woken for each request,
/// which takes a quarter of what a poke costs.
///
/// Thread-safe. The thread begins with the first connection.
final class RepeatLoop implements AutoCloseable {
  private final SelectorLoop loop = new SelectorLoop("repeat-loop");

  /// A connection in the loop. It is called on the loop's thread, and must not wait.
  interface Guest {
    /// The response to a request; null where it has none, and leaves the loop.
    byte @Nullable [] answer(byte[] request);

    /// Notes that the response was written.
    void answered();
  }

  /// Why a connection leaves the loop.
  ///
  /// @param request what the client sent and the guest did not answer; null where there is none
  /// @param unsent what the client did not take of the last response; null where that is written.
  ///   The client has ended the connection where both are null.
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  record Leave(byte @Nullable [] request, byte @Nullable [] unsent) {}

  private record Seat(Guest guest, CompletableFuture<Leave> whenLeaving)
      implements SelectorLoop.Guest {
    @Override
    public @Nullable Runnable received(SocketChannel channel, ByteBuffer bytes) throws IOException {
      byte[] request = new byte[bytes.remaining()];
      bytes.get(request);
      // a longer one is left to the connection's thread: what it asks for may take long too
      byte[] response = request.length == SelectorLoop.MAX_BYTES ? null : guest.answer(request);
      if (response == null) {
        return leave(request, null);
      }
      int written = channel.write(ByteBuffer.wrap(response));
      if (written < response.length) {
        return leave(null, Arrays.copyOfRange(response, written, response.length));
      }
      guest.answered();
      return null;
    }

    private Runnable leave(byte @Nullable [] request, byte @Nullable [] unsent) {
      return () -> whenLeaving.complete(new Leave(request, unsent));
    }

    @Override
    public void ended(Optional<Throwable> failure) {
      failure.ifPresentOrElse(whenLeaving::completeExceptionally, leave(null, null));
    }
  }

  /// Answers the requests that come on a channel which does not block.
  ///
  /// @param whenLeaving completes when the connection has left the loop, and fails with what the
  ///   network said. Whoever else completes it closes the channel before that.
  void serve(SocketChannel channel, Guest guest, CompletableFuture<Leave> whenLeaving) {
    try {
      loop.add(channel, new Seat(guest, whenLeaving));
    } catch (IOException | ClosedSelectorException e) {
      whenLeaving.completeExceptionally(e);
    }
  }

  /// Lets go of channels that were closed while they were in the loop.
  void release() {
    loop.release();
  }

  /// Ends the thread. Connections that are still in the loop are the server's to close.
  @Override
  public void close() {
    loop.close();
  }
}
