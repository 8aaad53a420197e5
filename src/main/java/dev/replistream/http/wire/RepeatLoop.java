package dev.replistream.http.wire;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Answers the known requests of connections that send one after the other: one thread that waits
/// for all of them at once. A thread for each has to be put to sleep and woken for each request,
/// which takes a quarter of what a poke costs.
///
/// Thread-safe. The thread begins with the first connection.
final class RepeatLoop implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(RepeatLoop.class.getName());

  /// A longer request is left to the connection's own thread: what it asks for may take long too.
  private static final int MAX_REQUEST_BYTES = 4096;

  private final ByteBuffer in = ByteBuffer.allocateDirect(MAX_REQUEST_BYTES);
  private final List<Runnable> leaving = new ArrayList<>(); // of the loop's thread
  private volatile @Nullable Selector selector;
  private boolean isClosed;

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

  private record Seat(Guest guest, CompletableFuture<Leave> whenLeaving) {}

  /// Answers the requests that come on a channel which does not block.
  ///
  /// @param whenLeaving completes when the connection has left the loop, and fails with what the
  ///   network said. Whoever else completes it closes the channel before that.
  void serve(SocketChannel channel, Guest guest, CompletableFuture<Leave> whenLeaving) {
    try {
      Selector current = selector();
      channel.register(current, SelectionKey.OP_READ, new Seat(guest, whenLeaving));
      current.wakeup(); // a selection under way does not see the new key
    } catch (IOException | ClosedSelectorException e) {
      whenLeaving.completeExceptionally(e);
    }
  }

  private synchronized Selector selector() throws IOException {
    Selector current = selector;
    if (isClosed) {
      throw new ClosedSelectorException();
    }
    if (current == null) {
      Selector opened = Selector.open();
      Thread.ofPlatform().name("repeat-loop").daemon().start(() -> run(opened));
      selector = opened;
      return opened;
    }
    return current;
  }

  private void run(Selector opened) {
    while (opened.isOpen()) {
      try {
        opened.select(this::serve);
        while (!leaving.isEmpty()) {
          List<Runnable> goodbyes = List.copyOf(leaving);
          leaving.clear();
          opened.selectNow(this::serve); // forgets their keys, so that they may come back
          goodbyes.forEach(Runnable::run);
        }
      } catch (ClosedSelectorException _) {
        return;
      } catch (Throwable e) { // without this thread its connections would wait for ever
        LOGGER.log(Level.ERROR, "event=error where=repeat-loop", e);
      }
    }
  }

  private void serve(SelectionKey key) {
    Seat seat = (Seat) key.attachment();
    try {
      Leave leave = serve((SocketChannel) key.channel(), seat.guest);
      if (leave != null) {
        key.cancel();
        leaving.add(() -> seat.whenLeaving.complete(leave));
      }
    } catch (Throwable e) {
      key.cancel();
      leaving.add(() -> seat.whenLeaving.completeExceptionally(e));
    }
  }

  private @Nullable Leave serve(SocketChannel channel, Guest guest) throws IOException {
    in.clear();
    int count = channel.read(in);
    if (count < 0) {
      return new Leave(null, null);
    }
    byte[] request = new byte[count];
    in.get(0, request);
    byte[] response = count == MAX_REQUEST_BYTES ? null : guest.answer(request);
    if (response == null) {
      return new Leave(request, null);
    }
    int written = channel.write(ByteBuffer.wrap(response));
    if (written < response.length) {
      return new Leave(null, Arrays.copyOfRange(response, written, response.length));
    }
    guest.answered();
    return null;
  }

  /// Lets go of channels that were closed while they were in the loop.
  void release() {
    Selector current = selector;
    if (current != null) {
      current.wakeup();
    }
  }

  /// Ends the thread. Connections that are still in the loop are the server's to close.
  @Override
  public synchronized void close() {
    isClosed = true;
    Selector current = selector;
    try {
      if (current != null) {
        current.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
