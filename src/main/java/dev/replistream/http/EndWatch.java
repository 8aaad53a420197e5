package dev.replistream.http;

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
import java.util.function.Consumer;

/// Sees clients leave: one thread that reads from all sockets which are handed to it, drops what it
/// reads, and says when one of them ended.
///
/// Thread-safe.
final class EndWatch implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(EndWatch.class.getName());

  private final Selector selector;
  private final ByteBuffer dropped = ByteBuffer.allocateDirect(4096);

  EndWatch() {
    try {
      selector = Selector.open();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofPlatform().name("end-watch").daemon().start(this::run);
  }

  /// Tells `onEnd` once when the channel ends, with what the network said if it failed. It is
  /// called on the watch's thread, or on this one where the channel is closed already.
  void watch(SocketChannel channel, Consumer<Optional<UncheckedIOException>> onEnd) {
    try {
      channel.register(selector, SelectionKey.OP_READ, onEnd);
      selector.wakeup(); // a selection under way does not see the new key
    } catch (ClosedChannelException | CancelledKeyException | ClosedSelectorException _) {
      onEnd.accept(Optional.empty());
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

  @SuppressWarnings("unchecked") // as watch attached it
  private void read(SelectionKey key) {
    Optional<UncheckedIOException> failure = Optional.empty();
    try {
      if (isOpen((SocketChannel) key.channel())) {
        return;
      }
    } catch (IOException e) {
      failure = Optional.of(new UncheckedIOException(e));
    }
    key.cancel();
    ((Consumer<Optional<UncheckedIOException>>) key.attachment()).accept(failure);
  }

  /// Reads once; the selector comes back to what is left.
  private boolean isOpen(SocketChannel channel) throws IOException {
    dropped.clear();
    return channel.read(dropped) >= 0;
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
