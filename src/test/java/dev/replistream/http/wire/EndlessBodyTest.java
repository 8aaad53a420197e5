package dev.replistream.http.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.SmallServer;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Strangers who send for ever, or much at once, to a server with the memory of a small container.
/// None of it is kept.
@Tag("alone")
class EndlessBodyTest {
  private static final SmallServer SERVER = SmallServer.start();
  private static final int MIB = 1 << 20;

  /// More than the heap of such a server.
  private static final int ENOUGH = 450 * MIB;

  /// What may live in a server, which is much less than it was sent.
  private static final long FLAT = 64L * MIB;

  @AfterAll
  static void close() {
    SERVER.close();
  }

  private static String head(boolean isAdmin, String fields) {
    return (isAdmin ? "GET /health/started" : "POST /api/v1/replicache/poke-user")
        + " HTTP/1.1\r\nHost: h\r\n"
        + fields
        + "Transfer-Encoding: chunked\r\n\r\n";
  }

  /// Sends until the server has had enough, or has dropped more than its heap.
  private static void sendForEver(HttpConnection connection, byte[] part) {
    try {
      for (long sent = 0; sent < ENOUGH; sent += part.length) {
        connection.send(part);
      }
    } catch (UncheckedIOException _) {
      // as it should
    }
  }

  @ParameterizedTest(name = "{0}, for ever {2}, on the operator''s port {3}")
  @CsvSource({
    "a size,                          '',                       1, false, 400",
    "a size with zeros,               '',                       0, false, 400",
    "an extension,                    '2;',                     x, false, 400",
    "trailers,                        '0|',                 'A: b|', false, 400",
    "a trailer,                       '0|A: ',                  x, false, 400",
    "the second chunk's size,         '2|{}|',                  1, false, 401",
    "a size,                          '',                       1, true, 400",
    "an extension,                    '2;',                     x, true, 400",
    "the second chunk's size,         '2|{}|',                  1, true, 200",
  })
  void framingWithoutAnEndIsRefused(
      String name, String before, String part, boolean isAdmin, int status) {
    byte[] parts = part.replace("|", "\r\n").repeat(1 << 14).getBytes(StandardCharsets.US_ASCII);
    Thread sender;
    try (HttpConnection connection =
        new HttpConnection(isAdmin ? SERVER.adminPort() : SERVER.port())) {
      connection.send(head(isAdmin, "") + before.replace("|", "\r\n"));
      sender = Thread.ofVirtual().start(() -> sendForEver(connection, parts));
      HttpReply reply = connection.reply();
      assertThat(reply.status()).as(name).isEqualTo(status);
      assertThat(connection.rest()).isEmpty();
    }
    join(sender);
    expectFlat();
  }

  private static void join(Thread thread) {
    try {
      assertThat(thread.join(HttpConnection.PATIENCE)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void expectFlat() {
    assertThat(SERVER.isAlive()).isTrue();
    assertThat(SERVER.livingBytes()).isLessThan(FLAT);
    assertThat(SERVER.client().poke("alice")).isZero();
  }

  @ParameterizedTest
  @CsvSource({"false, false, 401", "true, false, 401", "false, true, 200"})
  void manyLargeChunksOfStrangersAreNotKept(boolean isForgedToken, boolean isAdmin, int status) {
    byte[] part = new byte[MIB];
    Arrays.fill(part, (byte) ' ');
    String token = isForgedToken ? "Authorization: Bearer a.b.c\r\n" : "";
    List<HttpConnection> connections = new ArrayList<>();
    try {
      for (int i = 0; i < 40; i++) {
        HttpConnection connection =
            new HttpConnection(isAdmin ? SERVER.adminPort() : SERVER.port());
        connections.add(connection);
        connection.send(head(isAdmin, token) + "1000000\r\n");
      }
      for (HttpConnection connection : connections) { // at once: before the data has come
        assertThat(connection.reply().status()).isEqualTo(status);
      }
      for (int i = 0; i < 15; i++) { // all of them are within their chunks
        for (HttpConnection connection : connections) {
          sendUnlessClosed(connection, part);
        }
      }
      expectFlat();
    } finally {
      connections.forEach(HttpConnection::close);
    }
  }

  /// What is left of a refused body is read on for a while, so that the sender sees why, but no
  /// further than a push may be long.
  @Test
  void whoGoesOnSendingARefusedBodyIsCutOff() {
    String fields =
        "Authorization: Bearer "
            + SERVER.client().token("alice")
            + "\r\nContent-Length: 900000000\r\n\r\n{\"a\":";

    assertThat(mebibytesAfterAnswer(fields, 413, " ".repeat(MIB))).isLessThan(100);
  }

  /// The same where the connection is kept, so that another request may come behind the body.
  @ParameterizedTest
  @ValueSource(
      strings = {"Content-Length: 900000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"})
  void whoGoesOnSendingARefusedBodyOnAKeptConnectionIsCutOff(String fields) {
    String part = "100000\r\n" + " ".repeat(MIB) + "\r\n";

    assertThat(mebibytesAfterAnswer(fields + part, 401, part)).isLessThan(100);
  }

  private static int mebibytesAfterAnswer(String fields, int status, String part) {
    byte[] bytes = part.getBytes(StandardCharsets.US_ASCII);
    int sent = 0;
    try (HttpConnection connection = new HttpConnection(SERVER.port())) {
      connection.send("POST /api/v1/replicache/poke-user HTTP/1.1\r\nHost: h\r\n" + fields);
      assertThat(connection.reply().status()).isEqualTo(status);
      for (; sent < ENOUGH / MIB; sent++) {
        connection.send(bytes);
      }
    } catch (UncheckedIOException _) {
      // cut off
    }
    return sent;
  }

  private static void sendUnlessClosed(HttpConnection connection, byte[] part) {
    try {
      connection.send(part);
    } catch (UncheckedIOException _) {
      // the server had the right to
    }
  }
}
