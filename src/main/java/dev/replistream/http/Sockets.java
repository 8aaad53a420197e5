package dev.replistream.http;

import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PlainSocket;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/// The channel below a socket of Helidon's, which has it and does not show it: the only way to
/// write without waiting. Stateless.
final class Sockets {
  private static final VarHandle DELEGATE;

  static {
    try {
      DELEGATE =
          MethodHandles.privateLookupIn(PlainSocket.class, MethodHandles.lookup())
              .findVarHandle(PlainSocket.class, "delegate", Socket.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e); // another Helidon than the one this was built with
    }
  }

  private Sockets() {}

  /// The channel of `socket`, from now on without waiting in reads and writes; none where it is no
  /// plain TCP socket.
  ///
  /// @throws UncheckedIOException when the connection is closed
  static Optional<SocketChannel> nonBlocking(HelidonSocket socket) {
    if (!(socket instanceof PlainSocket) || socket.isSecure()) {
      return Optional.empty();
    }
    SocketChannel channel = ((Socket) DELEGATE.get(socket)).getChannel();
    if (channel == null) {
      return Optional.empty();
    }
    try {
      channel.configureBlocking(false);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Optional.of(channel);
  }
}
