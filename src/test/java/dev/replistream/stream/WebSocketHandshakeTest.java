package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.TestService;
import dev.replistream.WebSocketClient;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Who gets a WebSocket, and what the others are told.
class WebSocketHandshakeTest {
  private static final String APP = "https://app.example.com";
  private static final TestService SERVICE = TestService.start();
  private static final TestService LISTED = TestService.start("CORS_ALLOW_ORIGINS", APP);

  private final ServiceClient client = SERVICE.client();
  private final ServiceClient listed = LISTED.client();

  @AfterAll
  static void close() {
    SERVICE.close();
    LISTED.close();
  }

  private HttpRequest good() {
    return WebSocketClient.handshake("").by(client.token("alice"));
  }

  /// The good request with another value of one header; without it where that is `none`.
  private HttpRequest with(String name, String value) {
    HttpRequest good = good();
    List<String> others =
        good.headers().stream().filter(header -> !header.startsWith(name + ":")).toList();
    HttpRequest rest = new HttpRequest(good.method(), good.target(), others, "");
    return value.equals("none") ? rest : rest.with(name, value);
  }

  @Test
  void theAnswerIsThatOfTheStandardsExample() {
    try (WebSocketClient socket = client.openWebSocket(good())) {
      assertThat(socket.head())
          .isEqualTo(
              """
              HTTP/1.1 101 Switching Protocols\r
              Upgrade: websocket\r
              Connection: Upgrade\r
              Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r
              \r
              """);
      socket.expect(WebSocketClient.TEXT, "connected");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "Upgrade, WebSocket",
    "Upgrade, 'h2c, websocket'",
    "Connection, 'keep-alive, Upgrade'",
    "Connection, upgrade",
    "Sec-WebSocket-Key, AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Protocol, graphql-ws",
    "Sec-WebSocket-Extensions, permessage-deflate",
  })
  void whatTheStandardLetsAClientSayDoesNoHarm(String name, String value) {
    try (WebSocketClient socket = client.openWebSocket(with(name, value))) {
      assertThat(socket.head()).startsWith("HTTP/1.1 101 ");
      assertThat(socket.head()).doesNotContain("Protocol:", "Extensions:");
      socket.expect("connected");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "Upgrade, none, 426, Upgrade: websocket",
    "Upgrade, h2c, 426, Upgrade: websocket",
    "Connection, none, 400, Connection: Upgrade",
    "Connection, keep-alive, 400, Connection: Upgrade",
    "Sec-WebSocket-Version, none, 426, Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Version, 8, 426, Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Version, '13, 8', 426, Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Version, 013, 426, Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key, none, 400, 16 bytes",
    "Sec-WebSocket-Key, '', 400, 16 bytes",
    "Sec-WebSocket-Key, AAAAAAAAAAAAAAAAAAAA, 400, 16 bytes", // 15
    "Sec-WebSocket-Key, AAAAAAAAAAAAAAAAAAAAAAA=, 400, 16 bytes", // 17
    "Sec-WebSocket-Key, AAAAAAAAAAAAAAAAAAAAAA, 400, 16 bytes", // not padded
    "Sec-WebSocket-Key, AAAAAAAAAAAAAAAAAAAAAB==, 400, 16 bytes", // bits beyond the 16 bytes
    "Sec-WebSocket-Key, AAAAAAAAAAAAAAAAAAAA-A==, 400, 16 bytes", // base64url
  })
  void aBadHandshakeIsToldWhatToChange(String name, String value, int status, String detail) {
    HttpReply reply;
    try (HttpConnection connection = client.connect()) {
      reply = connection.send(with(name, value).toBytes()).reply();
    }

    assertThat(Problems.detail(reply, status)).contains(detail);
    if (status == 426) {
      assertThat(reply.header("Upgrade")).isEqualTo("websocket");
      assertThat(reply.header("Sec-WebSocket-Version")).isEqualTo("13");
    }
    assertThat(client.connections("alice")).isZero();
  }

  @Test
  void twoKeysAreNone() {
    HttpReply reply;
    try (HttpConnection connection = client.connect()) {
      HttpRequest request = good().with("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==");
      reply = connection.send(request.toBytes()).reply();
    }

    assertThat(Problems.detail(reply, 400)).contains("one 'Sec-WebSocket-Key'");
  }

  @Test
  void aPageOfTheBrowserThatIsOpenedByHandIsToldWhatItIs() {
    HttpReply reply = client.send(HttpRequest.api("GET", "/ws"));

    assertThat(Problems.detail(reply, 426)).contains("WebSocket");
  }

  @ParameterizedTest
  @ValueSource(strings = {"POST", "PUT", "HEAD", "DELETE"})
  void otherMethodsAreNotAllowed(String method) {
    HttpRequest good = good();

    HttpReply reply =
        client.send(new HttpRequest(method, good.target(), good.headers(), good.body()));

    assertThat(reply.status()).isEqualTo(405);
    assertThat(reply.header("Allow")).isEqualTo("GET");
  }

  private WebSocketClient withoutWaiting(byte[] early) {
    ByteArrayOutputStream both = new ByteArrayOutputStream();
    both.writeBytes(good().toBytes());
    both.writeBytes(early);
    return new WebSocketClient(client.connect(), both.toByteArray());
  }

  @Test
  void whatAClientSendsBeforeTheAnswerHasComeIsReadAsFrames() {
    try (WebSocketClient socket =
        withoutWaiting(WebSocketClient.frame(0x80 | WebSocketClient.PING, new byte[] {'x'}))) {
      socket.expect("connected");
      socket.expect(WebSocketClient.PONG, "x");
    }
    String request = "GET /api/v1/replicache/stats HTTP/1.1\r\nHost: x\r\n\r\n";
    try (WebSocketClient socket = withoutWaiting(request.getBytes(StandardCharsets.US_ASCII))) {
      socket.expectClose(1002);
    }
  }

  @Test
  void aBodyIsRefused() {
    try (HttpConnection connection = client.connect()) {
      HttpReply reply = connection.send(good().with("body").toBytes()).reply();

      assertThat(Problems.detail(reply, 400)).contains("Send no body");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "?ticket=unknown", "?token=x", "?lastEventId=eyJhbGciOi.eyJzdWIi.x"})
  void whoIsNobodyGetsA401(String query) {
    try (HttpConnection connection = client.connect()) {
      HttpReply reply = connection.send(WebSocketClient.handshake(query).toBytes()).reply();

      Problems.detail(reply, 401);
      assertThat(reply.header("WWW-Authenticate")).startsWith("Bearer");
    }
  }

  @Test
  void aTicketOpensOneWebSocket() {
    HttpRequest request = WebSocketClient.handshake("?ticket=" + client.ticket("alice"));
    try (WebSocketClient socket = client.openWebSocket(request)) {
      socket.expect("connected");
    }

    assertThat(client.openWebSocket(request).head()).startsWith("HTTP/1.1 401 ");
  }

  @Test
  void aHandshakeThatIsBadUsesNoTicketUp() {
    String target = "/ws?ticket=" + client.ticket("alice");
    assertThat(client.send(HttpRequest.api("GET", target)).status()).isEqualTo(426);

    try (WebSocketClient socket =
        client.openWebSocket(WebSocketClient.handshake(target.substring("/ws".length())))) {
      socket.expect("connected");
    }
  }

  private static HttpRequest byCookie(ServiceClient client) {
    return WebSocketClient.handshake("")
        .with("Cookie", "replistream_token=" + client.token("alice"));
  }

  @Test
  void aCookieCountsFromAnAllowedOriginAndFromOurOwn() {
    for (String origin : new String[] {APP, "http://localhost"}) {
      try (WebSocketClient socket = listed.openWebSocket(byCookie(listed).with("Origin", origin))) {
        assertThat(socket.head()).startsWith("HTTP/1.1 101 ");
        socket.expect("connected");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "https://evil.example",
        "https://app.example.com.evil.example",
        "http://app.example.com",
        "null",
        "",
      })
  void aCookieFromAnotherOriginIsRefusedBeforeThereIsAWebSocket(String origin) {
    try (HttpConnection connection = listed.connect()) {
      HttpRequest request = byCookie(listed).with("Origin", origin);
      HttpReply reply = connection.send(request.toBytes()).reply();

      assertThat(reply.status()).isEqualTo(403);
      assertThat(reply.json().getString("detail")).contains("cors.allow-origins");
    }
    assertThat(listed.connections("alice")).isZero();
  }

  @Test
  void aCookieWithoutAnOriginIsRefusedAndOneThatAnyOriginMaySendToo() {
    try (HttpConnection connection = listed.connect()) {
      assertThat(connection.send(byCookie(listed).toBytes()).reply().status()).isEqualTo(403);
    }
    try (HttpConnection connection = client.connect()) {
      HttpRequest request = byCookie(client).with("Origin", APP);
      assertThat(connection.send(request.toBytes()).reply().status()).isEqualTo(403);
    }
  }

  @Test
  void aTicketCountsFromEverywhere() {
    HttpRequest request =
        WebSocketClient.handshake("?ticket=" + listed.ticket("alice"))
            .with("Origin", "https://other.example");
    try (WebSocketClient socket = listed.openWebSocket(request)) {
      socket.expect("connected");
    }
  }
}
