package dev.replistream.rules.http;

import dev.replistream.api.JsonValue;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/// An application on the loopback that answers bytes as it likes, by the name of the first mutation
/// that it is asked about. Thread-safe.
final class HostileApplication implements AutoCloseable {
  private final ServerSocket listener;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private volatile CountDownLatch hanging = new CountDownLatch(1);
  private final Map<String, AtomicInteger> asked = new ConcurrentHashMap<>();
  private final Map<String, Behaviour> behaviours = new ConcurrentHashMap<>();

  /// What it does with a request that has come.
  @FunctionalInterface
  interface Behaviour {
    /// Answers; the connection is closed then.
    void answer(OutputStream out) throws IOException, InterruptedException;
  }

  HostileApplication() {
    try {
      listener = new ServerSocket(0, 256, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    threads.execute(this::accept);
  }

  String url() {
    return "http://127.0.0.1:" + listener.getLocalPort() + "/rules";
  }

  void on(String name, Behaviour behaviour) {
    behaviours.put(name, behaviour);
  }

  /// How often it was asked about mutations of this name.
  int asked(String name) {
    return asked.getOrDefault(name, new AtomicInteger()).get();
  }

  /// Says nothing for long, and then that nothing is to be done.
  void hang(OutputStream out) throws IOException, InterruptedException {
    hanging.await();
    saying("200 OK", "{\"results\":[{\"ops\":[]}]}").answer(out);
  }

  /// Answers those to whom nothing was said.
  void endHanging() {
    CountDownLatch ended = hanging;
    hanging = new CountDownLatch(1);
    ended.countDown();
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = listener.accept();
        threads.execute(() -> serve(socket));
      }
    } catch (IOException _) {
      // closed
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      InputStream in = new BufferedInputStream(socket.getInputStream());
      int length = 0;
      String line = line(in);
      while (!line.isEmpty()) {
        if (line.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
          length = Integer.parseInt(line.substring(15).strip());
        }
        line = line(in);
      }
      JsonValue request =
          JsonValue.parse(new String(in.readNBytes(length), StandardCharsets.UTF_8));
      String name = TestRules.names(request).getFirst();
      asked.computeIfAbsent(name, _ -> new AtomicInteger()).incrementAndGet();
      behaviours.getOrDefault(name, this::hang).answer(socket.getOutputStream());
    } catch (IOException | IllegalArgumentException _) {
      // the service has gone, or it was no request
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
      line.append((char) c);
    }
    return line.toString().strip();
  }

  static void write(OutputStream out, String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
    out.flush();
  }

  /// A whole answer.
  static Behaviour saying(String status, String body) {
    return out ->
        write(
            out,
            "HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s"
                .formatted(status, body.getBytes(StandardCharsets.UTF_8).length, body));
  }

  @Override
  public void close() {
    hanging.countDown();
    try {
      listener.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    threads.shutdownNow();
    threads.close();
  }
}
