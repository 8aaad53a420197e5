package dev.replistream.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.api.JsonValue;
import io.helidon.http.Method;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.testing.junit5.ServerTest;
import io.helidon.webserver.testing.junit5.SetUpServer;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Bodies that are parsed while they come in.
@ServerTest
class JsonBodyTest {
  private static final int LIMIT = 100_000;

  private final int port;

  JsonBodyTest(WebServer server) {
    port = server.port();
  }

  @SetUpServer
  static void setUp(WebServerConfig.Builder server) {
    Cors cors = new Cors(List.of("*"), List.of(), Set.of());
    HttpRouting.Builder routing = HttpRouting.builder();
    new Routes()
        .on(
            Method.POST,
            "/echo",
            (request, response) -> Routes.sendJson(response, read(request).toBytes()))
        .register(routing, cors);
    server.routing(routing).directHandlers(Routes.directHandlers(cors));
  }

  private static JsonValue read(ServerRequest request) {
    BodyBudget budget =
        new BodyBudget(OptionalLong.empty(), Services.get(MetricsFactory.class).globalRegistry());
    try (Bodies.Body body = budget.bodiesOf(LIMIT).open(request, "alice")) {
      return body.read(JsonValue::read);
    }
  }

  private HttpConnection connect() {
    return new HttpConnection(port);
  }

  private static HttpRequest post() {
    return HttpRequest.of("POST", "/echo");
  }

  private HttpReply send(HttpRequest request, String more) {
    try (HttpConnection connection = connect()) {
      return connection.send(request.toBytes()).send(more).reply();
    }
  }

  private HttpReply send(String body) {
    return send(post().with(body), "");
  }

  private static String chunk(String text) {
    return Integer.toHexString(text.getBytes(UTF_8).length).toUpperCase(Locale.ROOT)
        + "\r\n"
        + text
        + "\r\n";
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"a\":[1.0,1e400,\"é\uD83D\uDE00\",\"\\ud800\",null]}",
        "7",
        "\"\"",
      })
  void aBodyIsParsedAsItCame(String body) {
    HttpReply reply = send(body);

    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.body()).isEqualToIgnoringCase(body);
  }

  @Test
  void aCharacterMayComeInPieces() {
    String body = "[\"" + "\uD83D\uDE00".repeat(20_000) + "x\"]";

    assertThat(send(body).body()).isEqualTo(body);
  }

  @Test
  void aCharacterMayBeSplitBetweenChunks() {
    byte[] text = "\"é\"".getBytes(UTF_8);
    String pieces = "2\r\n" + latin1(text, 0, 2) + "\r\n2\r\n" + latin1(text, 2, 4) + "\r\n";

    HttpReply reply = send(post().with("Transfer-Encoding", "chunked"), pieces + chunk(""));

    assertThat(reply.body()).isEqualTo("\"é\"");
  }

  private static String latin1(byte[] bytes, int from, int to) {
    return new String(bytes, from, to - from, ISO_8859_1);
  }

  @Test
  void aBodyAsLargeAsTheLimitIsRead() {
    assertThat(send("7" + " ".repeat(LIMIT - 1)).body()).isEqualTo("7");
    assertThat(
            send(
                    post().with("Transfer-Encoding", "chunked"),
                    chunk("7") + chunk(" ".repeat(LIMIT - 1)) + chunk(""))
                .body())
        .isEqualTo("7");
  }

  @Test
  void aLargerBodyIsRefusedByItsLengthAlone() {
    HttpReply reply = send(post().with("Content-Length", Integer.toString(LIMIT + 1)), "");

    assertThat(Problems.detail(reply, 413)).contains("100000 bytes");
  }

  @Test
  void aLargerBodyInChunksIsRefusedBeforeItsEnd() {
    HttpReply reply =
        send(
            post().with("Transfer-Encoding", "chunked"),
            chunk("[\"" + "x".repeat(LIMIT / 2)) + chunk("x".repeat(LIMIT / 2)));

    assertThat(Problems.detail(reply, 413)).contains("100000 bytes");
  }

  @Test
  void malformedChunksAreTheCallersFault() {
    HttpReply reply = send(post().with("Transfer-Encoding", "chunked"), "zz\r\n7\r\n0\r\n\r\n");

    assertThat(Problems.detail(reply, 400)).contains("chunks");
  }

  @ParameterizedTest
  @CsvSource({
    "'', it is empty",
    "' ', it is empty",
    "'{', 'line 1, column 2'",
    "'{\"a\":1,\n  b}', 'line 2, column 3'",
    "'[1] [', there is text after its end",
    "'[1]]', 'line 1, column 4'",
  })
  void whatIsNotJsonIsRefusedWithThePlace(String body, String place) {
    assertThat(Problems.detail(send(body), 400)).isEqualTo("The body is not JSON: " + place + ".");
  }

  @Test
  void aRequestWithoutABodyIsRefused() {
    assertThat(Problems.detail(send(post().with("Content-Length", "0"), ""), 400))
        .isEqualTo("The body is not JSON: it is empty.");
  }

  @Test
  void whatNestsTooDeepIsRefused() {
    assertThat(Problems.detail(send("[".repeat(513) + "]".repeat(513)), 400))
        .contains("deeper than 512");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"22ff22", "22c022", "22c0af22", "22eda08022", "22f490808022", "fffe2200", "37e9"})
  void whatIsNotUtf8IsRefused(String hex) {
    byte[] body = HexFormat.of().parseHex(hex);
    HttpRequest request = post().with("Content-Length", Integer.toString(body.length));

    assertThat(Problems.detail(send(request, latin1(body, 0, body.length)), 400))
        .isEqualTo("The body is not JSON: it is not valid UTF-8.");
  }

  @Test
  void aBodyThatIsParsedAsAWholeMayNotNameAKeyTwice() {
    byte[] twice = "{\"a\":1,\"b\":{\"a\":1},\"a\":2}".getBytes(UTF_8);

    assertThatThrownBy(() -> Bodies.parse(twice, JsonValue::read))
        .isInstanceOfSatisfying(
            ProblemException.class, e -> assertThat(e.problem().status().code()).isEqualTo(400))
        .hasMessage("The body is not JSON: line 1, column 23.");
  }

  @Test
  void aRefusalInTheMiddleOfABodyDoesNotDisturbTheNextRequest() {
    try (HttpConnection connection = connect()) {
      connection.send(post().with("{oops" + " ".repeat(LIMIT - 10)).toBytes());
      HttpReply refused = connection.reply();
      HttpReply next = connection.send(post().with("7").toBytes()).reply();

      Problems.detail(refused, 400);
      assertThat(next.body()).isEqualTo("7");
    }
  }
}
