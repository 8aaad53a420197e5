package dev.replistream.http.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.LogCapture;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.TestService;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Bodies that are coded, or said to be.
class ContentCodingTest {
  private static final String APP = "https://app.example.com";
  private static final TestService SERVICE = TestService.start();
  private static final String PUSH =
      """
      {"pushVersion":1,"clientGroupID":"g","profileID":"p","schemaVersion":"","mutations":[]}\
      """;

  private final ServiceClient client = SERVICE.client();

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "nonsense", "identity, gzip"})
  void aCodedPushIsRefusedWithWhatIsTakenInstead(String coding) {
    try (LogCapture log = new LogCapture()) {
      HttpReply reply =
          client.send(
              HttpRequest.api("POST", "/push")
                  .by(client.token("alice"))
                  .with("Content-Encoding", coding)
                  .with(PUSH));

      assertThat(Problems.detail(reply, 415)).contains("Content-Encoding").doesNotContain(coding);
      assertThat(reply.header("Accept-Encoding")).isEqualTo("identity");
      assertThat(log.warnings()).isEmpty();
    }
  }

  @Test
  void thePageThatSentItMayReadWhy() {
    try (TestService listed = TestService.start("CORS_ALLOW_ORIGINS", APP)) {
      HttpRequest push =
          HttpRequest.api("POST", "/push").with("Content-Encoding", "gzip").with(PUSH);

      HttpReply reply = listed.client().send(push.with("Origin", APP));

      assertThat(reply.status()).isEqualTo(415);
      assertThat(reply.header("Access-Control-Allow-Origin")).isEqualTo(APP);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "POST, /pull",
    "POST, /poke-user",
    "POST, /ticket",
    "POST, /revoke",
    "POST, /rooms",
    "PUT, /rooms/plan/members/bob",
    "POST, /rooms/plan/poke",
  })
  void noRouteTakesACodedBody(String method, String route) {
    HttpRequest request = HttpRequest.api(method, route).by(client.token("alice"));
    HttpReply sized = client.send(request.with("Content-Encoding", "gzip").with("{}"));
    Problems.detail(sized, 415);
    assertThat(sized.header("Accept-Encoding")).isEqualTo("identity");

    try (HttpConnection connection = client.connect()) {
      connection.send(
          request.with("Content-Encoding", "gzip").with("Transfer-Encoding", "chunked").toBytes());
      Problems.detail(connection.send("2\r\n{}\r\n0\r\n\r\n").reply(), 415);
      assertThat(connection.rest()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"identity", "Identity", "identity, identity", "", " , "})
  void aPushThatIsSaidNotToBeCodedIsAPush(String coding) {
    HttpReply reply =
        client.send(
            HttpRequest.api("POST", "/push")
                .by(client.token("alice"))
                .with("Content-Encoding", coding)
                .with(PUSH));

    assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
  }

  @Test
  void whereThereIsNoBodyNothingIsCoded() {
    HttpReply reply =
        client.send(
            HttpRequest.api("GET", "/stats")
                .by(client.token("alice"))
                .with("Content-Encoding", "gzip"));

    assertThat(reply.status()).isEqualTo(200);
  }

  /// Whoever sends on until the end is not reset before they have read why.
  @Test
  void theRefusalOfALargeBodyIsRead() {
    byte[] body = new byte[3 << 20];
    ByteArrayOutputStream request = new ByteArrayOutputStream();
    request.writeBytes(
        HttpRequest.api("POST", "/push")
            .by(client.token("alice"))
            .with("Content-Encoding", "gzip")
            .with("Content-Length", Integer.toString(body.length))
            .toBytes());
    request.writeBytes(body);
    try (HttpConnection connection = client.connect()) {
      connection.send(request.toByteArray());

      Problems.detail(connection.reply(), 415);
      assertThat(new String(connection.rest(), StandardCharsets.US_ASCII)).isEmpty();
    }
  }
}
