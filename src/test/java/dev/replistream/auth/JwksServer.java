package dev.replistream.auth;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// An issuer's server on the loopback, which publishes a JWK set and can be made to misbehave.
/// Thread-safe.
final class JwksServer implements AutoCloseable {
  private final AtomicInteger requests = new AtomicInteger();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpServer server;
  private volatile HttpHandler handler;

  JwksServer(String jwkSet) throws IOException {
    this(0, jwkSet);
  }

  JwksServer(int port, String jwkSet) throws IOException {
    handler = exchange -> send(exchange, 200, jwkSet);
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
    server.setExecutor(executor);
    server.createContext("/moved", exchange -> answer(exchange, handler));
    server.createContext(
        "/",
        exchange -> {
          requests.incrementAndGet();
          answer(exchange, handler);
        });
    server.start();
  }

  URI url() {
    return URI.create(
        "http://127.0.0.1:%d/jwks?key=hidden".formatted(server.getAddress().getPort()));
  }

  int port() {
    return server.getAddress().getPort();
  }

  /// How many requests came for {@link #url}.
  int requests() {
    return requests.get();
  }

  void publish(String jwkSet) {
    handler = exchange -> send(exchange, 200, jwkSet);
  }

  void fail(int status) {
    handler = exchange -> send(exchange, status, "no keys today");
  }

  /// Sends the client on to the path of this server that answers with `jwkSet`.
  void redirect(String location, String jwkSet) {
    handler =
        exchange -> {
          if (exchange.getRequestURI().getPath().equals("/moved")) {
            send(exchange, 200, jwkSet);
          } else {
            exchange.getResponseHeaders().set("Location", location);
            exchange.sendResponseHeaders(302, -1);
          }
        };
  }

  /// Answers nothing until `release`, then `jwkSet`.
  void hang(CountDownLatch release, String jwkSet) {
    handler =
        exchange -> {
          if (await(release, 60_000)) {
            send(exchange, 200, jwkSet);
          }
        };
  }

  /// Sends a space every 20 ms for ever, so that no single read is slow.
  void trickle() {
    handler =
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          OutputStream body = exchange.getResponseBody();
          while (!await(closed, 20)) {
            body.write(' ');
            body.flush();
          }
        };
  }

  private static void answer(HttpExchange exchange, HttpHandler handler) throws IOException {
    try (exchange) {
      handler.handle(exchange);
    }
  }

  private static void send(HttpExchange exchange, int status, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  private static boolean await(CountDownLatch latch, long millis) {
    try {
      return latch.await(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return true;
    }
  }

  @Override
  public void close() {
    closed.countDown();
    server.stop(0);
    executor.shutdownNow();
  }
}
