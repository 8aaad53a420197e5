package dev.replistream.http.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpRequest;
import dev.replistream.ServiceClient;
import dev.replistream.TestService;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Connections that send known requests share the threads of few loops, and none may hold up the
/// others.
class SharedLoopTest {
  /// More known requests in a row than bring a connection into a loop.
  private static final int MANY = 20;

  private static final Logger POKES = Logger.getLogger("dev.replistream.poke.LocalPokeBus");

  /// Holds up whatever thread pokes a user, in the line that it logs about that.
  private static final class HeldPoke extends Handler implements AutoCloseable {
    private final String line;
    private final CountDownLatch held = new CountDownLatch(1);
    private final CountDownLatch released = new CountDownLatch(1);

    HeldPoke(String userId) {
      line = "event=poke user=\"" + userId + "\"";
      POKES.addHandler(this);
      POKES.setUseParentHandlers(false);
      POKES.setLevel(Level.FINE);
    }

    @Override
    public void publish(LogRecord record) {
      if (record.getMessage().startsWith(line)) {
        held.countDown();
        await(released);
      }
    }

    void isHeld() {
      await(held);
    }

    void release() {
      released.countDown();
    }

    private static void await(CountDownLatch latch) {
      try {
        assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
      release();
      POKES.removeHandler(this);
      POKES.setUseParentHandlers(true);
      POKES.setLevel(null);
    }
  }

  @Test
  void aPokeOfManyUsersHoldsUpNoOtherConnection() {
    try (TestService service = TestService.start()) {
      ServiceClient client = service.client();
      String backend = client.token("backend", "replicache:poke");
      String users =
          IntStream.range(0, 300)
              .mapToObj(i -> "\"u" + i + "\"")
              .collect(Collectors.joining(",", "{\"userIds\":[", "]}"));
      byte[] many = HttpRequest.api("POST", "/poke-user").by(backend).with(users).toBytes();
      byte[] one = HttpRequest.api("POST", "/poke-user").by(client.token("leo")).toBytes();
      // so many that each loop has one
      List<HttpConnection> others =
          Stream.generate(client::connect)
              .limit(Math.max(1, Runtime.getRuntime().availableProcessors() / 2))
              .toList();
      others.forEach(other -> send(other, one));

      try (HttpConnection connection = client.connect()) {
        for (int i = 0; i < MANY; i++) { // one of them comes in the loop
          try (HeldPoke poke = new HeldPoke("u299")) {
            connection.send(many);
            poke.isHeld();

            for (HttpConnection other : others) {
              assertThat(other.send(one).reply().status()).isEqualTo(200);
            }
            poke.release();
            assertThat(connection.reply().status()).isEqualTo(200);
          }
        }
      }
      others.forEach(HttpConnection::close);
    }
  }

  private static void send(HttpConnection connection, byte[] request) {
    for (int i = 0; i < MANY; i++) {
      assertThat(connection.send(request).reply().status()).isEqualTo(200);
    }
  }
}
