package dev.replistream.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

/// Asks the server on this machine whether it is ready: the health check of a container, which has
/// no shell and no curl.
///
/// A container is asked every few seconds as long as it lives, so this uses nothing but the JDK's
/// plain sockets: it loads none of the classes that the command line needs.
@NullMarked
public final class HealthProbe {
  private static final int TIMEOUT_MILLIS = 2_000;
  private static final String DEFAULT_PORT = "8001";
  private static final byte[] REQUEST =
      "GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
          .getBytes(StandardCharsets.US_ASCII);
  private static final byte[] READY = "HTTP/1.1 200 ".getBytes(StandardCharsets.US_ASCII);

  private HealthProbe() {}

  /// Exits with 0 when `/health/ready` answers 200 within 2 s, else with 1 and one line that says
  /// why. It reads where the server listens from the server's own variables,
  /// `REPLISTREAM_ADMIN_HOST` and `REPLISTREAM_ADMIN_PORT`.
  ///
  /// @param args none
  public static void main(String[] args) {
    try {
      boolean ready =
          isReady(
              address(System.getenv("REPLISTREAM_ADMIN_HOST")),
              port(System.getenv("REPLISTREAM_ADMIN_PORT")));
      if (!ready) {
        System.err.println("replistream: not ready");
      }
      System.exit(ready ? 0 : 1);
    } catch (IOException | IllegalArgumentException e) {
      System.err.println("replistream: no answer from the admin port: " + e.getMessage());
      System.exit(1);
    }
  }

  /// Whether the server answers that it is ready.
  ///
  /// @throws IOException when nothing answers in time
  static boolean isReady(InetAddress address, int port) throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(address, port), TIMEOUT_MILLIS);
      socket.setSoTimeout(TIMEOUT_MILLIS);
      socket.getOutputStream().write(REQUEST);
      byte[] status = socket.getInputStream().readNBytes(READY.length);
      return Arrays.equals(status, READY);
    }
  }

  /// Where a server that was told to listen on `host` can be asked.
  static InetAddress address(@Nullable String host) throws IOException {
    if (host == null || host.isBlank()) {
      return InetAddress.getLoopbackAddress();
    }
    InetAddress bound = InetAddress.getByName(host.strip());
    return bound.isAnyLocalAddress() ? InetAddress.getLoopbackAddress() : bound;
  }

  private static int port(@Nullable String port) {
    return Integer.parseInt(port == null || port.isBlank() ? DEFAULT_PORT : port.strip());
  }
}
