package dev.replistream.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.LogCapture;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.TestService;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Requests whose ends readers have taken differently, each with a canary behind it: another
/// request of another user. Either the first is refused and the connection closed, so that nobody
/// answers the canary, or both are answered once and right.
class FramingMatrixTest {
  private static final TestService SERVICE = TestService.start();
  private static final String POKE = "POST /api/v1/replicache/poke-user HTTP/1.1\r\n";
  private static final String CHUNKED = "Transfer-Encoding: chunked\r\n";
  private static final String LAST = "0\r\n\r\n";

  private final ServiceClient client = SERVICE.client();
  private final String by = "Authorization: Bearer " + client.token("alice") + "\r\n";
  private final HttpRequest stats = HttpRequest.api("GET", "/stats").by(client.token("canary"));

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  /// Fields of the head and a body that are a request's length and nothing to argue about.
  static Stream<Arguments> good() {
    List<Arguments> cases = new ArrayList<>();
    for (String coding : List.of("chunked", "Chunked", "CHUNKED", " chunked", "\tchunked \t")) {
      cases.add(
          sized(
              "coding " + coding, "Transfer-Encoding:" + coding + "\r\n", "2\r\n{}\r\n0\r\n\r\n"));
    }
    cases.add(sized("name in capitals", "TRANSFER-ENCODING: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"));
    cases.add(sized("no body", "", ""));
    cases.add(sized("length", "Content-Length: 2\r\n", "{}"));
    cases.add(sized("length 0", "Content-Length: 0\r\n", ""));
    cases.add(sized("length with zeros", "Content-Length: 002\r\n", "{}"));
    cases.add(sized("length with spaces", "Content-Length: \t2 \r\n", "{}"));
    for (String size : List.of("2", "02", "00000002", "0".repeat(255) + "2")) {
      cases.add(chunks("size " + size, size + "\r\n{}\r\n" + LAST));
    }
    cases.add(chunks("hexadecimal", "a\r\n{        }\r\nA\r\n          \r\n" + LAST));
    cases.add(chunks("two digits", "1b\r\n" + "{" + " ".repeat(25) + "}" + "\r\n" + LAST));
    cases.add(chunks("one byte a chunk", "1\r\n{\r\n1\r\n}\r\n" + LAST));
    cases.add(chunks("1,000 chunks", "1\r\n \r\n".repeat(1_000) + "2\r\n{}\r\n" + LAST));
    cases.add(chunks("only the last chunk", LAST));
    cases.add(chunks("last chunk with zeros", "2\r\n{}\r\n0000\r\n\r\n"));
    cases.add(chunks("CRLF as data", "4\r\n{\r\n}\r\n" + LAST));
    for (String extension :
        List.of(
            ";a",
            ";a=b",
            ";a=\"b c\"",
            ";a=b;c=d",
            ";a=\"\\\"\"",
            "; a = b",
            ";",
            ";\t",
            ";=",
            ";\u00e9",
            ";" + "x".repeat(254),
            ";chunk-signature=" + "0".repeat(64))) {
      cases.add(chunks("extension " + extension, "2" + extension + "\r\n{}\r\n" + LAST));
      cases.add(
          chunks("extension of the last " + extension, "2\r\n{}\r\n0" + extension + "\r\n\r\n"));
    }
    for (String trailers :
        List.of(
            "X-Sum: 1\r\n",
            "X-Sum:\r\n",
            "X-Sum:1\t \r\n",
            "A: 1\r\nB: 2\r\n",
            "Content-Length: 100\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Host: elsewhere\r\n",
            "Connection: close\r\n",
            "A: \u00e9\r\n",
            "A: " + "b".repeat(253) + "\r\n",
            "A: b\r\n".repeat(32))) {
      cases.add(chunks("trailer " + trailers, "2\r\n{}\r\n0\r\n" + trailers + "\r\n"));
    }
    cases.add(
        chunks(
            "signed chunks",
            ("400;chunk-signature=" + "f".repeat(64) + "\r\n" + " ".repeat(1024) + "\r\n")
                    .repeat(20)
                + "2\r\n{}\r\n"
                + LAST));
    return cases.stream();
  }

  /// The head's part of what must be refused, before anything of the body is looked at.
  static Stream<Arguments> badHeads() {
    List<Arguments> cases = new ArrayList<>();
    for (String length :
        List.of(
            "-1",
            "+2",
            "0x2",
            "2 2",
            "2,2",
            "2, 2",
            "2;",
            "2.0",
            "2e0",
            "\"2\"",
            "",
            "1_0",
            "0b1",
            "18446744073709551618",
            "9".repeat(40),
            "\u00b2")) {
      cases.add(sized("length " + length, "Content-Length: " + length + "\r\n", "{}"));
    }
    cases.add(sized("two lengths", "Content-Length: 2\r\nContent-Length: 0\r\n", "{}"));
    cases.add(sized("the same length twice", "Content-Length: 2\r\nContent-Length: 2\r\n", "{}"));
    cases.add(sized("lengths in two cases", "content-length: 2\r\nCONTENT-LENGTH: 3\r\n", "{}"));
    for (String coding :
        List.of(
            "gzip",
            "gzip, chunked",
            "chunked, gzip",
            "chunked, chunked",
            "chunked,chunked",
            "",
            ",chunked",
            "chunked,",
            "identity",
            "identity, chunked",
            "xchunked",
            "chunke",
            "chunkedx",
            "chunked;q=1",
            "chunked chunked",
            "\"chunked\"",
            "chun ked",
            "chunked\u000b",
            "\u000bchunked",
            "chunked\0",
            "chunked\u00a0",
            "\u212aunked",
            "cow")) {
      cases.add(
          sized("coding " + coding, "Transfer-Encoding: " + coding + "\r\n", "2\r\n{}\r\n" + LAST));
    }
    cases.add(sized("two codings", CHUNKED + CHUNKED, "2\r\n{}\r\n" + LAST));
    cases.add(
        sized(
            "a coding beside another", CHUNKED + "Transfer-Encoding: x\r\n", "2\r\n{}\r\n" + LAST));
    cases.add(sized("a length and a coding", "Content-Length: 5\r\n" + CHUNKED, LAST));
    cases.add(
        sized("a coding and a length", CHUNKED + "Content-Length: 0\r\n", "2\r\n{}\r\n" + LAST));
    cases.add(
        sized("a space before the colon", "Transfer-Encoding : chunked\r\n", "2\r\n{}\r\n" + LAST));
    cases.add(sized("a tab before the colon", "Content-Length\t: 2\r\n", "{}"));
    cases.add(sized("a folded coding", "Transfer-Encoding:\r\n chunked\r\n", "2\r\n{}\r\n" + LAST));
    cases.add(sized("a folded field", "A: b\r\n c: d\r\n", ""));
    cases.add(sized("a folded first field", " A: b\r\n", ""));
    cases.add(sized("a bare LF behind a field", "A: b\nTransfer-Encoding: chunked\r\n", LAST));
    cases.add(sized("a bare CR within a field", "A: b\rTransfer-Encoding: chunked\r\n", LAST));
    cases.add(sized("NUL in a name", "Transfer-Encoding\0: chunked\r\n", LAST));
    cases.add(sized("a control character in a name", "Content-Length\u0001: 2\r\n", "{}"));
    cases.add(sized("no name", ": a\r\n", ""));
    cases.add(sized("no colon", "A\r\n", ""));
    cases.add(
        sized("an underscore is none of ours", "Content_Length: 2\r\nContent-Length: x\r\n", "{}"));
    return cases.stream();
  }

  /// Chunks that must be refused.
  static Stream<Arguments> badChunks() {
    List<Arguments> cases = new ArrayList<>();
    for (String size :
        List.of(
            "+2",
            "-2",
            " 2",
            "2 ",
            "\t2",
            "2\t",
            "0x2",
            "0X2",
            "2h",
            "g",
            "2_0",
            "2.",
            "",
            "\u0662",
            "2,",
            "\"2\"",
            "2\0",
            "2\u000b",
            "2\u00a0",
            "2 ;a",
            "2\r",
            "2:",
            "80000000",
            "ffffffff",
            "100000002",
            "10000000000000002",
            "ffffffffffffffff",
            "f".repeat(256),
            "=2",
            "2=;",
            "0".repeat(256) + "2",
            "2;" + "x".repeat(255))) {
      cases.add(chunks("size " + size, size + "\r\n{}\r\n" + LAST));
    }
    for (String end :
        List.of("\n", "\r", "", "\n\r", "\r\r\n", " \r\n", "XX", "\r\n\r\n", ";\r\n", "\0\0")) {
      cases.add(chunks("end of data " + end, "2\r\n{}" + end + LAST));
    }
    for (String end :
        List.of(
            "\n",
            "\r",
            "\n\r",
            "\r\r\n",
            ";a\n",
            ";a\r",
            ";a\0\r\n",
            ";a\u0001\r\n",
            ";\u007f\r\n")) {
      cases.add(chunks("end of a size " + end, "2" + end + "{}\r\n" + LAST));
    }
    for (String size : List.of("+0", "-0", "0x0", " 0", "0 ", "00x", "0\n", "0\r")) {
      cases.add(chunks("last size " + size, "2\r\n{}\r\n" + size + "\r\n\r\n"));
    }
    for (String trailer :
        List.of(
            "X",
            "X\r\n",
            ": 1\r\n",
            "X : 1\r\n",
            " X: 1\r\n",
            "X: 1\n",
            "X: 1\r",
            "X: \0\r\n",
            "X: \u0001\r\n",
            "X\u00e9: 1\r\n",
            "A: b\r\n c\r\n",
            "GET / HTTP/1.1\r\n",
            "X: " + "y".repeat(254) + "\r\n",
            "A: b\r\n".repeat(33),
            ("A: " + "b".repeat(200) + "\r\n").repeat(21),
            "A(: 1\r\n",
            "\t\r\n",
            " \r\n",
            "\n")) {
      cases.add(chunks("trailer " + trailer, "2\r\n{}\r\n0\r\n" + trailer + "\r\n"));
    }
    cases.add(
        chunks(
            "more framing than data",
            ("1;" + "x".repeat(250) + "\r\n \r\n").repeat(100) + "2\r\n{}\r\n" + LAST));
    cases.add(chunks("no chunk at all", "{}"));
    cases.add(chunks("no size", "\r\n{}\r\n" + LAST));
    cases.add(chunks("digits for ever", "1".repeat(100_000)));
    cases.add(chunks("zeros for ever", "0".repeat(100_000)));
    cases.add(chunks("an extension for ever", "2;" + "x".repeat(100_000)));
    cases.add(chunks("a trailer for ever", "2\r\n{}\r\n0\r\nA: " + "x".repeat(100_000)));
    cases.add(chunks("trailers for ever", "2\r\n{}\r\n0\r\n" + "A: x\r\n".repeat(20_000)));
    return cases.stream();
  }

  private static Arguments sized(String name, String fields, String body) {
    String shown = name.length() > 60 ? name.substring(0, 60) + "…" : name;
    return Arguments.of(
        shown.replace("\r", "␍").replace("\n", "␊").replace("\0", "␀"), fields, body);
  }

  private static Arguments chunks(String name, String body) {
    return sized(name, CHUNKED, body);
  }

  @Test
  void theMatrixIsLarge() {
    assertThat(good().count() + badHeads().count() + badChunks().count()).isGreaterThan(150);
  }

  private byte[] first(String fields, String body) {
    return (POKE + "Host: h\r\n" + by + fields + "\r\n" + body)
        .getBytes(StandardCharsets.ISO_8859_1);
  }

  /// Connections that have and have not been answered known requests, and have sent many.
  private HttpConnection connect(int known) {
    HttpConnection connection = client.connect();
    byte[] poke = HttpRequest.api("POST", "/poke-user").by(client.token("known")).toBytes();
    for (int i = 0; i < known; i++) {
      assertThat(connection.send(poke).reply().status()).isEqualTo(200);
    }
    return connection;
  }

  private static void sendEachByte(HttpConnection connection, byte[] bytes) {
    for (byte b : bytes) {
      connection.send(new byte[] {b});
    }
  }

  private static byte[] both(byte[] one, byte[] other) {
    byte[] both = new byte[one.length + other.length];
    System.arraycopy(one, 0, both, 0, one.length);
    System.arraycopy(other, 0, both, one.length, other.length);
    return both;
  }

  private void expectCanary(HttpConnection connection, String name) {
    HttpReply canary = connection.reply();
    assertThat(canary.status()).as(name).isEqualTo(200);
    assertThat(canary.json().getString("userId")).as(name).isEqualTo("canary");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("good")
  void aGoodRequestIsAnsweredAndSoIsTheNext(String name, String fields, String body) {
    byte[] bytes = both(first(fields, body), stats.toBytes());
    for (int known : new int[] {0, 2, 20}) {
      try (HttpConnection connection = connect(known)) {
        HttpReply reply = connection.send(bytes).reply();
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        assertThat(reply.json().getString("userId")).isEqualTo("alice");
        expectCanary(connection, name);
        assertThat(connection.send(stats.toBytes()).reply().status()).isEqualTo(200);
      }
    }
    if (bytes.length < 2_000) {
      try (HttpConnection connection = client.connect()) {
        sendEachByte(connection, bytes);
        assertThat(connection.reply().status()).isEqualTo(200);
        expectCanary(connection, name);
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource({"badHeads", "badChunks"})
  void aBadRequestIsRefusedAndNothingBehindItIsRead(String name, String fields, String body) {
    byte[] bytes = both(first(fields, body), stats.toBytes());
    try (LogCapture log = new LogCapture()) {
      for (int known : new int[] {0, 20}) {
        try (HttpConnection connection = connect(known)) {
          expectRefusal(connection, () -> connection.send(bytes), name);
        }
      }
      if (bytes.length < 2_000) {
        try (HttpConnection connection = client.connect()) {
          expectRefusal(connection, () -> sendEachByte(connection, bytes), name);
        }
      }
      assertThat(log.warnings()).isEmpty();
    }
  }

  private static void expectRefusal(HttpConnection connection, Runnable send, String name) {
    try {
      send.run();
    } catch (UncheckedIOException _) {
      // closed before all was sent
    }
    HttpReply reply = connection.reply();
    Problems.detail(reply, 400);
    assertThat(reply.header("Connection")).as(name).isEqualTo("close");
    assertThat(connection.rest()).as(name).isEmpty();
  }

  /// Bodies there may be small; the routes there read none.
  static Stream<Arguments> small() {
    return good().filter(arguments -> arguments.get()[2].toString().length() < 1_000);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("small")
  void theOperatorsListenerAnswersAGoodRequest(String name, String fields, String body) {
    try (HttpConnection connection = new HttpConnection(SERVICE.application().adminPort())) {
      connection.send(admin(fields, body));
      assertThat(connection.reply().status()).as(name).isEqualTo(200);
      assertThat(connection.reply().status()).as(name).isEqualTo(404);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource({"badHeads", "badChunks"})
  void theOperatorsListenerReadsNothingBehindABadRequest(String name, String fields, String body) {
    try (LogCapture log = new LogCapture();
        HttpConnection connection = new HttpConnection(SERVICE.application().adminPort())) {
      try {
        connection.send(admin(fields, body));
      } catch (UncheckedIOException _) {
        // closed before all was sent
      }
      assertThat(connection.reply().status()).as(name).isIn(400, 200);
      assertThat(connection.rest()).as(name).isEmpty();
      assertThat(log.warnings()).isEmpty();
    }
  }

  private static byte[] admin(String fields, String body) {
    return ("GET /health/started HTTP/1.1\r\nHost: h\r\n"
            + fields
            + "\r\n"
            + body
            + "GET /canary HTTP/1.1\r\nHost: h\r\n\r\n")
        .getBytes(StandardCharsets.ISO_8859_1);
  }
}
