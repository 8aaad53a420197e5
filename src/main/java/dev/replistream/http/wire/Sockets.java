package dev.replistream.http.wire;

import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PlainSocket;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.VarHandle;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/// The socket below one of Helidon's, which has it and does not show it: the only way to write
/// without waiting, to end what is written alone, and to see whether something came. Stateless.
final class Sockets {
  private static final VarHandle SOCKET = HelidonInternals.Field.SOCKET.handle();

  private Sockets() {}

  /// The channel of `socket`, from now on without waiting in reads and writes; none where it is no
  /// plain TCP socket.
  ///
  /// @throws UncheckedIOException when the connection is closed
  static Optional<SocketChannel> nonBlocking(HelidonSocket socket) {
    Optional<SocketChannel> channel = plain(socket).map(Socket::getChannel);
    try {
      if (channel.isPresent()) {
        channel.get().configureBlocking(false);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return channel;
  }

  /// Tells the client that nothing more will come; it may still send. Only a plain TCP socket can.
  ///
  /// @throws UncheckedIOException when the connection is closed
  static void endOutput(HelidonSocket socket) {
    Optional<Socket> plain = plain(socket);
    try {
      if (plain.isPresent()) {
        plain.get().shutdownOutput();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Whether bytes of the client wait to be read. Only a plain TCP socket tells.
  static boolean hasUnread(HelidonSocket socket) {
    Optional<Socket> plain = plain(socket);
    try {
      return plain.isPresent() && plain.get().getInputStream().available() > 0;
    } catch (IOException _) {
      return false; // it is closed
    }
  }

  private static Optional<Socket> plain(HelidonSocket socket) {
    return socket instanceof PlainSocket && !socket.isSecure()
        ? Optional.of((Socket) SOCKET.get(socket))
        : Optional.empty();
  }
}
