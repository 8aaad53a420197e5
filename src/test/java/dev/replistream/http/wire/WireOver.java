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

/// Makes wires of connections that a test brings.
public final class WireOver {
  private static final Duration NEVER = Duration.ofHours(1);
  private static final Wires WIRES =
      new Wires(new Deadlines(NEVER, NEVER, NEVER, NEVER), 1 << 20, NoCrowd.of());

  private WireOver() {}

  /// A wire over `context`, ready for a session.
  public static Wire of(ConnectionContext context) {
    return new Wire(context, WIRES);
  }

  /// A wire that is asked for nothing.
  static Wire nothing() {
    return of(context(Map.of()));
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
  public static void serve(Socket socket, Consumer<Wire> session) {
    PlainSocket plain = PlainSocket.server(socket, "", "");
    Wire wire = of(context(Map.of("serverSocket", plain, "remotePeer", plain.remotePeer())));
    wire.takeOver(session);
    try {
      wire.handle(FixedLimit.create());
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
