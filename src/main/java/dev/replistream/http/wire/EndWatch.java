package dev.replistream.http.wire;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/// Sees clients leave: one thread that reads from all sockets which are handed to it, hands on or
/// drops what it reads, and says when one of them ended.
///
/// Thread-safe.
final class EndWatch implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(EndWatch.class.getName());

  private final Selector selector;
  private final ByteBuffer received = ByteBuffer.allocateDirect(4096);

  /// Whose socket is watched. It is called by one thread at a time and must not wait.
  interface Guest {
    /// The socket ended, with what the network said if it failed. Called once.
    void ended(Optional<UncheckedIOException> failure);

    /// The client sent `bytes`, which are the guest's during the call only. Drops them unless it is
    /// told otherwise.
    default void received(ByteBuffer bytes) {}
  }

  EndWatch() {
    try {
      selector = Selector.open();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofPlatform().name("end-watch").daemon().start(this::run);
  }

  /// Tells `guest` of what comes over the channel and of its end, on the watch's thread, or on this
  /// one where the channel is closed already.
  void watch(SocketChannel channel, Guest guest) {
    try {
      channel.register(selector, SelectionKey.OP_READ, guest);
      selector.wakeup(); // a selection under way does not see the new key
    } catch (ClosedChannelException | CancelledKeyException | ClosedSelectorException _) {
      guest.ended(Optional.empty());
    }
  }

  /// Looks at `channel` no more.
  void forget(SocketChannel channel) {
    SelectionKey key = channel.keyFor(selector);
    if (key != null) {
      key.cancel();
      release();
    }
  }

  /// Lets go of channels that were closed while they were watched.
  void release() {
    selector.wakeup();
  }

  private void run() {
    while (selector.isOpen()) {
      try {
        selector.select(this::read);
      } catch (ClosedSelectorException _) {
        return;
      } catch (Throwable e) { // without this thread nobody would be seen to leave
        LOGGER.log(Level.ERROR, "event=error where=end-watch", e);
      }
    }
  }

  private void read(SelectionKey key) {
    Guest guest = (Guest) key.attachment();
    Optional<UncheckedIOException> failure = Optional.empty();
    try {
      if (isOpen((SocketChannel) key.channel(), guest)) {
        return;
      }
    } catch (IOException e) {
      failure = Optional.of(new UncheckedIOException(e));
    }
    key.cancel();
    guest.ended(failure);
  }

  /// Reads once; the selector comes back to what is left.
  private boolean isOpen(SocketChannel channel, Guest guest) throws IOException {
    received.clear();
    int count = channel.read(received);
    if (count > 0) {
      guest.received(received.flip());
    }
    return count >= 0;
  }

  /// Ends the thread. Channels that are still watched are not told of.
  @Override
  public void close() {
    try {
      selector.close();
    } catch (IOException e) {
      LOGGER.log(Level.WARNING, "event=error where=end-watch", e);
    }
  }
}
