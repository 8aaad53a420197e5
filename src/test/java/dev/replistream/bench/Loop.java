package dev.replistream.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BooleanSupplier;

/// The one selector of the generator, and the loop over it. Confined to one thread.
final class Loop implements AutoCloseable {
  /// Connections from one source address to one port, well below the kernel's range of ports.
  private static final int CONNECTIONS_A_SOURCE = 10_000;

  /// What waits on a socket.
  interface Client {
    /// The connection is up: say something.
    void connected(SelectionKey key) throws IOException;

    /// Bytes came.
    ///
    /// @param bytes ready to be read, valid during the call
    /// @param nanoTime when they were noticed, by `System.nanoTime`
    void received(SelectionKey key, ByteBuffer bytes, long nanoTime) throws IOException;

    /// The server closed the connection, or it failed; its key is cancelled.
    void ended();
  }

  private final Selector selector;
  private final ByteBuffer bytes = ByteBuffer.allocateDirect(64 * 1024);
  // addresses of its own: the ports of the loop before this one are still in TIME_WAIT
  private final int network = ThreadLocalRandom.current().nextInt(1, 250);
  private int connects;

  Loop() throws IOException {
    selector = Selector.open();
  }

  /// Begins a connection, from the next source address once one has given many.
  ///
  /// @throws IOException when this process has no descriptor left
  void connect(int port, Client client) throws IOException {
    SocketChannel channel = SocketChannel.open();
    try {
      channel.configureBlocking(false);
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      int source = connects++ / CONNECTIONS_A_SOURCE % 250;
      channel.bind(new InetSocketAddress(loopback(network, 1 + source), 0));
      SelectionKey key = channel.register(selector, SelectionKey.OP_CONNECT, client);
      if (channel.connect(new InetSocketAddress(loopback(0, 1), port))) {
        connected(key, client);
      }
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static InetAddress loopback(int network, int last) throws IOException {
    return InetAddress.getByAddress(new byte[] {127, (byte) network, 0, (byte) last});
  }

  /// Serves the sockets until `done` says so, which is asked after every turn.
  ///
  /// @return whether it was done within `limit`
  boolean runUntil(BooleanSupplier done, Duration limit) {
    long deadline = System.nanoTime() + limit.toNanos();
    while (!done.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        return false;
      }
      try {
        selector.select(this::serve, 1);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return true;
  }

  /// Serves the sockets for a time.
  void runFor(Duration time) {
    runUntil(() -> false, time);
  }

  private void serve(SelectionKey key) {
    Client client = (Client) key.attachment();
    try {
      if (key.isConnectable()) {
        ((SocketChannel) key.channel()).finishConnect();
        connected(key, client);
      }
      if (key.isValid() && key.isReadable()) {
        bytes.clear();
        int count = ((SocketChannel) key.channel()).read(bytes);
        if (count < 0) {
          end(key, client);
        } else {
          client.received(key, bytes.flip(), System.nanoTime());
        }
      }
    } catch (IOException _) {
      end(key, client);
    }
  }

  private static void connected(SelectionKey key, Client client) throws IOException {
    key.interestOps(SelectionKey.OP_READ);
    client.connected(key);
  }

  private static void end(SelectionKey key, Client client) {
    hangUp(key);
    client.ended();
  }

  /// Closes a connection; its client is not told.
  static void hangUp(SelectionKey key) {
    key.cancel();
    try {
      key.channel().close();
    } catch (IOException _) {
      // it is gone either way
    }
  }

  /// Sends a request, which is small enough for the socket's buffer to take it whole.
  static void send(SelectionKey key, byte[] request) throws IOException {
    int written = ((SocketChannel) key.channel()).write(ByteBuffer.wrap(request));
    if (written < request.length) {
      throw new IOException("the socket's buffer is full");
    }
  }

  /// Closes every connection.
  @Override
  public void close() {
    selector.keys().forEach(Loop::hangUp);
    try {
      selector.close();
    } catch (IOException _) {
      // nothing is left to serve
    }
  }
}
