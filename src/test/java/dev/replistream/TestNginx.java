package dev.replistream;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;

/// A real nginx in front of a service, on a free port of this machine.
final class TestNginx implements AutoCloseable {
  private final Process process;
  private final int port;

  private TestNginx(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  /// Starts one whose server has these locations.
  ///
  /// @param directory where it keeps its files
  /// @param upstream the port of the service, which the locations call `http://replistream`
  static TestNginx start(Path directory, String locations, int upstream) throws IOException {
    int port = Integer.parseInt(freePort());
    Path configuration = directory.resolve("nginx.conf");
    Files.writeString(
        configuration,
        """
        daemon off;
        master_process off;
        pid nginx.pid;
        error_log stderr;
        events {}
        http {
          access_log off;
          client_body_temp_path .;
          proxy_temp_path .;
          fastcgi_temp_path .;
          uwsgi_temp_path .;
          scgi_temp_path .;
          upstream replistream { server 127.0.0.1:%d; }
          server {
            listen 127.0.0.1:%d;
            %s
          }
        }
        """
            .formatted(upstream, port, locations));
    Process process =
        new ProcessBuilder("nginx", "-p", directory.toString(), "-c", configuration.toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("nginx.log").toFile())
            .start();
    TestNginx nginx = new TestNginx(process, port);
    Eventually.holds(
        "nginx listens",
        () -> {
          if (!process.isAlive()) {
            throw new AssertionError(Files.readString(directory.resolve("nginx.log")));
          }
          return listens(port);
        });
    return nginx;
  }

  private static boolean listens(int port) {
    try {
      new HttpConnection(port).close();
      return true;
    } catch (RuntimeException _) {
      return false;
    }
  }

  /// A port of this machine that nobody listens on.
  static String freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return Integer.toString(socket.getLocalPort());
    }
  }

  int port() {
    return port;
  }

  @Override
  public void close() {
    process.destroy();
  }
}
