package dev.replistream.cli;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import javax.net.ServerSocketFactory;

/// A proxy before a service that spoils what it passes on, as a test tells it. Each connection
/// carries one request.
final class SpoilingProxy implements AutoCloseable {
  private final ServerSocket server;
  private final int upstreamPort;
  private final Spoiler spoiler;
  private final boolean tellsOfLeaving;
  private final BlockingQueue<String> requests = new LinkedBlockingQueue<>();
  private final Set<Closeable> open = ConcurrentHashMap.newKeySet();

  /// What becomes of a response.
  @FunctionalInterface
  interface Spoiler {
    /// Answers the client. When it returns both connections are closed.
    void respond(Exchange exchange) throws IOException;
  }

  /// One request and its response.
  ///
  /// @param requestHead with its last empty line
  /// @param head of the response, without its last empty line
  /// @param body of the response, as it comes
  /// @param client takes the response
  record Exchange(String requestHead, String head, InputStream body, OutputStream client) {

    /// The path and query.
    String target() {
      return requestHead.split(" ", 3)[1];
    }

    /// Whether this is a stream that was opened.
    boolean isStream() {
      return target().contains("/stream") && head.startsWith("HTTP/1.1 200");
    }

    /// Passes on what came.
    void pass() throws IOException {
      pass(head);
    }

    /// Passes on the body under another head.
    void pass(String otherHead) throws IOException {
      write(otherHead + "\r\n\r\n");
      byte[] buffer = new byte[4096];
      for (int n = body.read(buffer); n >= 0; n = body.read(buffer)) {
        client.write(buffer, 0, n);
        client.flush();
      }
    }

    /// Writes to the client.
    void write(String text) throws IOException {
      client.write(text.getBytes(StandardCharsets.UTF_8));
      client.flush();
    }

    /// Reads the body to its end and passes nothing on.
    void swallow() throws IOException {
      body.transferTo(OutputStream.nullOutputStream());
    }
  }

  private SpoilingProxy(
      ServerSocketFactory factory, int upstreamPort, boolean tellsOfLeaving, Spoiler spoiler)
      throws IOException {
    this.tellsOfLeaving = tellsOfLeaving;
    this.upstreamPort = upstreamPort;
    this.spoiler = spoiler;
    this.server = factory.createServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::accept);
  }

  /// A proxy that spoils opened streams, and nothing else.
  static SpoilingProxy ofStreams(LiveService service, Spoiler spoiler) throws IOException {
    return ofAll(
        service,
        exchange -> {
          if (exchange.isStream()) {
            spoiler.respond(exchange);
          } else {
            exchange.pass();
          }
        });
  }

  /// A proxy that spoils what it likes.
  static SpoilingProxy ofAll(LiveService service, Spoiler spoiler) throws IOException {
    return new SpoilingProxy(ServerSocketFactory.getDefault(), service.port(), true, spoiler);
  }

  /// A proxy that does not tell the service when a client leaves.
  static SpoilingProxy keepingUpstream(LiveService service) throws IOException {
    return new SpoilingProxy(
        ServerSocketFactory.getDefault(), service.port(), false, Exchange::pass);
  }

  /// A proxy that takes other connections than plain ones, and spoils nothing.
  static SpoilingProxy of(ServerSocketFactory factory, LiveService service) throws IOException {
    return new SpoilingProxy(factory, service.port(), true, Exchange::pass);
  }

  int port() {
    return server.getLocalPort();
  }

  String url() {
    return "http://127.0.0.1:" + port();
  }

  /// The heads of the requests, in the order in which they came.
  BlockingQueue<String> requests() {
    return requests;
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket client = server.accept();
        open.add(client);
        Thread.ofVirtual().start(() -> serve(client));
      } catch (IOException _) {
        return; // the test is over
      }
    }
  }

  private void serve(Socket client) {
    try (client;
        Socket upstream = new Socket(InetAddress.getLoopbackAddress(), upstreamPort)) {
      open.add(upstream);
      String requestHead = head(client.getInputStream());
      requests.add(requestHead);
      upstream
          .getOutputStream()
          .write(
              requestHead
                  .replaceFirst("\r\n", "\r\nConnection: close\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      Thread.ofVirtual().start(() -> passRequest(client, upstream));
      InputStream body = upstream.getInputStream();
      String head = head(body).strip();
      spoiler.respond(new Exchange(requestHead, head, body, client.getOutputStream()));
    } catch (IOException _) {
      // one side left
    } finally {
      open.remove(client);
    }
  }

  /// Passes the request's body on, and the client's leaving.
  private void passRequest(Socket client, Socket upstream) {
    try {
      client.getInputStream().transferTo(upstream.getOutputStream());
      if (tellsOfLeaving) {
        upstream.close();
      }
    } catch (IOException _) {
      // one side left
    }
  }

  /// Reads a head with its empty line.
  static String head(InputStream in) throws IOException {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    for (int b = in.read(); b >= 0; b = in.read()) {
      head.write(b);
      if (b == '\n' && head.toString(StandardCharsets.US_ASCII).endsWith("\r\n\r\n")) {
        break;
      }
    }
    return head.toString(StandardCharsets.US_ASCII);
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Closeable socket : open) {
      socket.close();
    }
  }
}
