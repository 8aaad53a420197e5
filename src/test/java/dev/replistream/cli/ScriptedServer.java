package dev.replistream.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.UnaryOperator;

/// A server that answers each request with what a test wrote for it, and closes the connection.
final class ScriptedServer implements AutoCloseable {
  private final ServerSocket server;
  private final BlockingQueue<String> requests = new LinkedBlockingQueue<>();

  /// @param answers a request's head to the whole response
  ScriptedServer(UnaryOperator<String> answers) throws IOException {
    server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(() -> accept(answers));
  }

  /// A server that always answers with one status and a problem; without `detail` with a page, as a
  /// proxy would.
  static ScriptedServer of(String status, String headers, String detail) throws IOException {
    String body = detail.isEmpty() ? "<html>no</html>" : "{\"detail\":\"%s\"}".formatted(detail);
    return new ScriptedServer(_ ->
        "HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s"
            .formatted(status, headers, body.length(), body));
  }

  String url() {
    return "http://127.0.0.1:" + server.getLocalPort();
  }

  /// The heads of the requests, in the order in which they came.
  BlockingQueue<String> requests() {
    return requests;
  }

  private void accept(UnaryOperator<String> answers) {
    while (!server.isClosed()) {
      try (Socket client = server.accept()) {
        String head = SpoilingProxy.head(client.getInputStream());
        requests.add(head);
        client.getOutputStream().write(answers.apply(head).getBytes(StandardCharsets.UTF_8));
        client.shutdownOutput();
        var _ = client.getInputStream().readAllBytes(); // till the client has read all and left
      } catch (IOException _) {
        // the client left, or the test is over
      }
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
