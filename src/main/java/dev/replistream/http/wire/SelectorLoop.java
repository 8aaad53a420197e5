package dev.replistream.http.wire;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One thread that reads from many channels, which do not block, and hands what comes to those
/// whose channels they are.
///
/// Thread-safe. The thread begins with the first channel.
final class SelectorLoop implements AutoCloseable {
  /// How much is read at once.
  static final int MAX_BYTES = 4096;

  private static final Logger LOGGER = System.getLogger(SelectorLoop.class.getName());

  private final String name;
  private final ByteBuffer in = ByteBuffer.allocateDirect(MAX_BYTES);
  private final List<Runnable> leaving = new ArrayList<>(); // of the loop's thread
  private volatile @Nullable Selector selector;
  private boolean isClosed;

  /// Whose channel it is. It is called on the loop's thread, and must not wait.
  interface Guest {
    /// The client sent `bytes`, which are the guest's during the call only.
    ///
    /// @return null to stay; else what to do when the channel has left the loop, so that it may
    ///   block again, or come back
    @Nullable Runnable received(SocketChannel channel, ByteBuffer bytes) throws IOException;

    /// The channel has left the loop, as the client has closed it, or with what failed.
    void ended(Optional<Throwable> failure);
  }

  /// @param name the thread's
  SelectorLoop(String name) {
    this.name = name;
  }

  /// Takes a channel in.
  ///
  /// @throws IOException when the channel is closed
  /// @throws ClosedSelectorException when the loop is
  void add(SocketChannel channel, Guest guest) throws IOException {
    Selector current = selector();
    channel.register(current, SelectionKey.OP_READ, guest);
    current.wakeup(); // a selection under way does not see the new key
  }

  private synchronized Selector selector() throws IOException {
    Selector current = selector;
    if (isClosed) {
      throw new ClosedSelectorException();
    }
    if (current == null) {
      Selector opened = Selector.open();
      Thread.ofPlatform().name(name).daemon().start(() -> run(opened));
      selector = opened;
      return opened;
    }
    return current;
  }

  /// Looks at `channel` no more.
  void remove(SocketChannel channel) {
    Selector current = selector;
    SelectionKey key = current == null ? null : channel.keyFor(current);
    if (key != null) {
      key.cancel();
      release();
    }
  }

  /// Lets go of channels that were closed while they were in the loop: till then the kernel keeps
  /// their sockets.
  void release() {
    Selector current = selector;
    if (current != null) {
      current.wakeup();
    }
  }

  private void run(Selector opened) {
    while (opened.isOpen()) {
      try {
        opened.select(this::read);
        while (!leaving.isEmpty()) {
          List<Runnable> goodbyes = List.copyOf(leaving);
          leaving.clear();
          opened.selectNow(this::read); // forgets their keys, so that they may come back
          goodbyes.forEach(this::run);
        }
      } catch (ClosedSelectorException _) {
        return;
      } catch (Throwable e) { // without this thread its channels would wait for ever
        failed(e);
      }
    }
  }

  private void run(Runnable goodbye) {
    try {
      goodbye.run();
    } catch (Throwable e) { // the others have to leave too
      failed(e);
    }
  }

  private void failed(Throwable e) {
    LOGGER.log(Level.ERROR, "event=error where=" + name, e);
  }

  /// Reads once; the selector comes back to what is left.
  private void read(SelectionKey key) {
    Guest guest = (Guest) key.attachment();
    Runnable goodbye;
    try {
      SocketChannel channel = (SocketChannel) key.channel();
      in.clear();
      goodbye =
          channel.read(in) < 0
              ? () -> guest.ended(Optional.empty())
              : guest.received(channel, in.flip());
    } catch (IOException e) {
      goodbye = () -> guest.ended(Optional.of(e));
    } catch (Throwable e) { // a bug is told, and ends this channel alone
      failed(e);
      goodbye = () -> guest.ended(Optional.of(e));
    }
    if (goodbye != null) {
      key.cancel();
      leaving.add(goodbye);
    }
  }

  /// Ends the thread. Channels that are still in the loop are not told of.
  @Override
  public synchronized void close() {
    isClosed = true;
    Selector current = selector;
    try {
      if (current != null) {
        current.close();
      }
    } catch (IOException e) {
      LOGGER.log(Level.WARNING, "event=error where=" + name, e);
    }
  }
}
