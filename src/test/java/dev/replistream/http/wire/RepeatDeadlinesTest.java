package dev.replistream.http.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpRequest;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The deadlines of requests whose heads come again. A deadline is kept to within the half second
/// of the sweep.
class RepeatDeadlinesTest {
  private static final Duration IDLE = Duration.ofMillis(300);
  private static final Duration LONGER = IDLE.plusMillis(1_200);
  private static final Duration LONG = Duration.ofMinutes(1);

  private final IoThreads threads = new IoThreads();
  private final Wires wires =
      new Wires(new Deadlines(IDLE, LONG, LONG, LONG), 1 << 20, NoCrowd.of(), threads);
  private WebServer server;

  @BeforeEach
  void start() {
    server =
        WebServer.builder()
            .host("127.0.0.1")
            .shutdownHook(false)
            .protocolsDiscoverServices(false)
            .addConnectionSelector(wires)
            .useNio(false)
            .routing(routing -> routing.post("/", RepeatDeadlinesTest::handle))
            .build()
            .start();
  }

  @AfterEach
  void stop() {
    server.stop();
    threads.close();
  }

  /// Answers at once, and a request that comes again only after a while, as when keys of tokens
  /// have to be read first.
  private static void handle(ServerRequest request, ServerResponse response) {
    response.send(text("first"));
    Repeats.of(
        response,
        (_, _) -> {
          long end = System.nanoTime() + LONGER.toNanos();
          while (System.nanoTime() - end < 0) {
            LockSupport.parkNanos(end - System.nanoTime());
          }
          return text("again");
        });
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  @Test
  void anAnswerIsNotCutOffForTheIdleTimeOfItsConnection() {
    byte[] request = HttpRequest.of("POST", "/").toBytes();
    try (HttpConnection connection = new HttpConnection(server.port())) {
      assertThat(connection.send(request).reply().body()).isEqualTo("first");
      assertThat(connection.send(request).reply().body()).isEqualTo("again");
      assertThat(connection.send(request).reply().body()).isEqualTo("again");
    }
  }

  @Test
  void afterAnAnswerTheConnectionIsClosedWhenNoFurtherRequestComes() {
    byte[] request = HttpRequest.of("POST", "/").toBytes();
    try (HttpConnection connection = new HttpConnection(server.port())) {
      connection.send(request).reply();
      connection.send(request).reply();

      assertThat(connection.rest()).isEmpty();
    }
  }
}
