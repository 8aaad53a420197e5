package dev.replistream.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.LogCapture;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.TestService;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What comes to the port that is no good HTTP/1.1: it is answered or cut off, and never executed.
class MalformedHttpTest {
  private static final TestService SERVICE = TestService.start();
  private static final String POKE = "POST /api/v1/replicache/poke-user HTTP/1.1\r\n";

  private final ServiceClient client = SERVICE.client();
  private final String by = "Authorization: Bearer " + client.token("alice") + "\r\nHost: h\r\n";

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  @BeforeEach
  void theServiceIsUsableWhateverCameBefore() {
    Eventually.holds("the last test's stream has gone", () -> client.poke("alice") == 0);
  }

  static Stream<Arguments> requests() {
    String stats = "GET /api/v1/replicache/stats HTTP/1.1\r\nHost: h\r\n";
    return Stream.of(
        Arguments.of(400, "no request line", "GARBAGE\r\n\r\n"),
        Arguments.of(
            400, "TLS", "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003\r\n\r\n"),
        Arguments.of(400, "HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        Arguments.of(505, "HTTP/1.0", "GET / HTTP/1.0\r\nHost: h\r\n\r\n"),
        Arguments.of(400, "HTTP/9.9", "GET / HTTP/9.9\r\nHost: h\r\n\r\n"),
        Arguments.of(400, "line feeds only", stats.replace("\r\n", "\n") + "\n"),
        Arguments.of(400, "no Host", "GET / HTTP/1.1\r\n\r\n"),
        Arguments.of(400, "two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        Arguments.of(400, "no colon", stats + "Header\r\n\r\n"),
        Arguments.of(400, "a space in a name", stats + "A header: 1\r\n\r\n"),
        Arguments.of(400, "NUL in a value", stats + "Last-Event-ID: a\0b\r\n\r\n"),
        Arguments.of(400, "a large header", stats + "A: " + "a".repeat(20_000) + "\r\n\r\n"),
        Arguments.of(400, "large headers", stats + "A: a\r\n".repeat(5_000) + "\r\n"),
        Arguments.of(414, "a long line", "GET /" + "a".repeat(20_000) + " HTTP/1.1\r\n\r\n"),
        Arguments.of(400, "a bad escape in the path", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n"),
        Arguments.of(400, "a bad escape", "GET /?a=%zz HTTP/1.1\r\nHost: h\r\n\r\n"),
        Arguments.of(400, "a bad method", "G\u0001T / HTTP/1.1\r\nHost: h\r\n\r\n"));
  }

  @ParameterizedTest(name = "{1}: {0}")
  @MethodSource("requests")
  void malformedHttpIsAProblemAndTheEndOfTheConnection(int status, String name, String request) {
    try (HttpConnection connection = client.connect()) {
      connection.send(request);
      HttpReply reply = connection.reply();

      Problems.detail(reply, status);
      assertThat(reply.header("Connection")).as(name).isEqualTo("close");
      assertThat(connection.rest()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "Host:|",
        "Host: a|Host: a|",
        "Host: a b|",
        "Host: a/b|",
        "Host: a@b|",
        "Host: a:-1|",
        "Host: a:99999|",
        "Host: a:80:80|",
        "Host: \u00e9|",
        "Host: a\u0001|",
        "Host: [::1|",
        "Host: [zz]|",
        "Host: %41|"
      })
  void aBadHostIsCalledByItsName(String fields) {
    assertThat(detailOf(fields)).startsWith("Host ").contains("Host");
  }

  @ParameterizedTest
  @CsvSource({
    "Accept: a\u0001b, Accept",
    "accept: a\u0001b, Accept",
    "aUTHORIZATION: Bearer \u0001a, Authorization",
    "X-Mine: a\u0001b, A header field",
    "X-Mine, A header field"
  })
  void aBadFieldIsCalledByItsNameIfItHasOne(String field, String name) {
    assertThat(detailOf("Host: h|" + field + "|")).startsWith(name + " ").doesNotContain("Mine");
  }

  private String detailOf(String fields) {
    try (HttpConnection connection = client.connect()) {
      connection.send(
          "GET /api/v1/replicache/stream HTTP/1.1\r\n" + fields.replace("|", "\r\n") + "\r\n");
      return Problems.detail(connection.reply(), 400);
    }
  }

  static Stream<Arguments> framings() {
    String next = POKE + "Host: h\r\n\r\n";
    return Stream.of(
        Arguments.of("negative", "Content-Length: -1\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
        Arguments.of("signed", "Content-Length: +2\r\n\r\n{}"),
        Arguments.of("not a number", "Content-Length: 0x2\r\n\r\n{}"),
        Arguments.of("empty", "Content-Length: \r\n\r\n"),
        Arguments.of("overflowing", "Content-Length: 18446744073709551618\r\n\r\n{}"),
        Arguments.of("two", "Content-Length: 2\r\nContent-Length: 0\r\n\r\n{}"),
        Arguments.of("a list", "Content-Length: 2, 2\r\n\r\n{}"),
        Arguments.of(
            "beside chunks",
            "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
        Arguments.of("another coding", "Transfer-Encoding: gzip\r\n\r\n" + next),
        Arguments.of("two codings", "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + next));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("framings")
  void aLengthThatTwoReadersMayTakeDifferentlyIsRefused(String name, String headersAndBody) {
    try (HttpConnection connection = client.connect()) {
      connection.send(POKE + by + headersAndBody);
      HttpReply reply = connection.reply();

      Problems.detail(reply, 400);
      assertThat(connection.rest()).as(name).isEmpty();
    }
  }

  @Test
  void whatIsLeftOfARefusedBodyIsNotTheNextRequest() {
    String hidden = POKE + by + "\r\n";
    String body = " ".repeat(70_000) + hidden;
    try (var stream = client.connected("alice");
        HttpConnection connection = client.connect()) {
      connection.send(POKE + by + "Content-Length: " + body.length() + "\r\n\r\n" + body);
      HttpReply reply = connection.reply();

      Problems.detail(reply, 413);
      assertThat(connection.rest()).isEmpty();
      client.poke("alice");
      long stamp = stream.expect("sync").stamp();
      client.poke("alice");
      assertThat(stream.expect("sync").stamp()).isEqualTo(stamp + 1);
    }
  }

  /// A proxy passes such a body on without waiting, where its client does not wait.
  @ParameterizedTest
  @CsvSource({"POST, /push, 401", "POST, /ticket, 200", "GET, /stats, 200", "POST, /none, 404"})
  void aBodyThatIsNotWaitedForIsNotTheNextRequest(String method, String route, int status) {
    String hidden = POKE + by + "\r\n";
    HttpRequest first =
        HttpRequest.api(method, route)
            .with("Expect", "100-continue")
            .with("Content-Length", Integer.toString(hidden.length()));
    byte[] head = (status == 200 ? first.by(client.token("alice")) : first).toBytes();
    HttpRequest stats = HttpRequest.api("GET", "/stats").by(client.token("alice"));
    try (HttpConnection connection = client.connect()) {
      connection.send(head).send(hidden).send(stats.toBytes());

      assertThat(connection.head()).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
      assertThat(connection.reply().status()).isEqualTo(status);
      assertThat(connection.reply().json()).containsKey("totalConnections");
    }
  }

  @Test
  void afterConnectionCloseNoFurtherRequestIsRead() {
    String last = POKE + by + "Connection: x, Close\r\n\r\n";
    try (HttpConnection connection = client.connect()) {
      connection.send(last + last);
      HttpReply reply = connection.reply();

      assertThat(reply.status()).isEqualTo(200);
      assertThat(connection.rest()).isEmpty();
    }
  }

  @Test
  void requestsThatAreNotTheLastShareAConnection() {
    byte[] request = HttpRequest.api("POST", "/poke-user").by(client.token("alice")).toBytes();
    try (HttpConnection connection = client.connect()) {
      for (int i = 0; i < 10; i++) {
        connection.send(request).send(request);
        assertThat(connection.reply().status()).isEqualTo(200);
        assertThat(connection.reply().status()).isEqualTo(200);
      }
    }
  }

  @Test
  void aClientThatLeavesWithinItsRequestIsNoBusinessOfTheOperators() {
    try (LogCapture log = new LogCapture()) {
      for (String part :
          new String[] {
            "",
            "PO",
            POKE,
            POKE + by,
            POKE + by + "Content-Length: 9\r\n\r\n{",
            POKE + by + "Transfer-Encoding: chunked\r\n\r\n9\r\n{",
            POKE + "Host: h\r\nContent-Length: 9\r\n\r\n{",
          }) {
        try (HttpConnection connection = client.connect()) {
          connection.send(part);
        }
        HttpConnection connection = client.connect();
        connection.send(part).reset();
      }
      for (int i = 0; i < 100; i++) {
        client.connect().send(POKE + by + "\r\n").reset();
        client.connect().send(POKE + "Host: h\r\n\r\n").reset();
      }
      client.poke("alice");

      assertThat(log.warnings()).isEmpty();
    }
  }

  /// Each says what the parser did not like, and may hold all that was sent.
  @Test
  void whatIsWrongIsFoundInALongMessageInNoTime() {
    String name = "X-" + "haracter".repeat(50_000);
    long begin = System.nanoTime();

    assertThat(Malformed.detail("Query: " + name)).isEqualTo(Malformed.NOT_HTTP);
    assertThat(
            Malformed.detail(
                "Character at position 2 of the header value is invalid for header '" + name + "'"))
        .startsWith("A header field has a character");
    assertThat(
            Malformed.detail("First character of the header value is invalid for header 'Accept'"))
        .startsWith("Accept has a character");

    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(2));
  }
}
