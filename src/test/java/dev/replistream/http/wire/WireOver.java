package dev.replistream.http.wire;

import io.helidon.common.concurrency.limits.FixedLimit;
import io.helidon.common.socket.PlainSocket;
import io.helidon.webserver.ConnectionContext;
import java.lang.reflect.Proxy;
import java.net.Socket;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/// Makes wires, and sockets that sessions have taken, of connections that a test brings.
public final class WireOver {
  private static final Duration NEVER = Duration.ofHours(1);
  private static final Wires WIRES =
      new Wires(new Deadlines(NEVER, NEVER, NEVER, NEVER), 1 << 20, NoCrowd.of(), new IoThreads());

  private WireOver() {}

  /// A socket over `context`, which a session has taken.
  public static TakenSocket taken(ConnectionContext context) {
    return new TakenSocket(new Wire(context, WIRES), null, null);
  }

  /// A wire that is asked for nothing.
  static Wire nothing() {
    return new Wire(context(Map.of()), WIRES);
  }

  /// @param parts what it has, by the names of its methods
  private static ConnectionContext context(Map<String, Object> parts) {
    return (ConnectionContext)
        Proxy.newProxyInstance(
            WireOver.class.getClassLoader(),
            new Class<?>[] {ConnectionContext.class},
            (_, method, _) -> Objects.requireNonNull(parts.get(method.getName())));
  }

  /// Runs a session on the calling thread, over the server's end of a TCP connection.
  public static void serve(Socket socket, Consumer<TakenSocket> session) {
    PlainSocket plain = PlainSocket.server(socket, "", "");
    Wire wire =
        new Wire(context(Map.of("serverSocket", plain, "remotePeer", plain.remotePeer())), WIRES);
    wire.takeOver(session);
    try {
      wire.handle(FixedLimit.create());
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
