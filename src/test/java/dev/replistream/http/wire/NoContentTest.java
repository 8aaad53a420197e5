package dev.replistream.http.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.ServiceClient;
import dev.replistream.TestService;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Responses that never have a body: what they say of its length a cache believes.
class NoContentTest {
  private static final TestService SERVICE = TestService.start("CONSOLE", "true");

  private final ServiceClient client = SERVICE.client();

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/replistream.js", "/replistream.d.ts", "/", "/console/console.js"})
  void aCacheIsNotToldThatWhatItHoldsIsEmpty(String path) {
    HttpRequest get = HttpRequest.of("GET", path);
    String etag = Objects.requireNonNull(client.send(get).header("ETag"));

    for (String held : List.of(etag, "W/" + etag, "*", "\"x\", " + etag, "\"a,b\" ,W/" + etag)) {
      for (String method : List.of("GET", "HEAD")) {
        HttpReply reply = client.send(HttpRequest.of(method, path).with("If-None-Match", held));

        assertThat(reply.status()).as(held).isEqualTo(304);
        assertHasNoLength(reply);
        assertThat(reply.header("ETag")).isEqualTo(etag);
      }
    }
  }

  @Test
  void aTagOfTwoHeadersCounts() {
    HttpRequest get = HttpRequest.of("GET", "/replistream.js");
    String etag = Objects.requireNonNull(client.send(get).header("ETag"));

    HttpReply reply = client.send(get.with("If-None-Match", "\"x\"").with("If-None-Match", etag));

    assertThat(reply.status()).isEqualTo(304);
    assertHasNoLength(reply);
  }

  @Test
  void theNextResponseOfTheConnectionHasItsLength() {
    HttpRequest get = HttpRequest.of("GET", "/replistream.js");
    HttpReply whole = client.send(get);
    String etag = Objects.requireNonNull(whole.header("ETag"));
    try (HttpConnection connection = client.connect()) {
      for (int i = 0; i < 3; i++) {
        connection.send(get.with("If-None-Match", etag).toBytes()).send(get.toBytes());

        assertHasNoLength(connection.replyWithoutBody());
        HttpReply next = connection.reply();
        assertThat(next.status()).isEqualTo(200);
        assertThat(next.body()).isEqualTo(whole.body());
      }
    }
  }

  static Stream<HttpRequest> withoutContent() {
    return Stream.of(
        HttpRequest.api("OPTIONS", "/push")
            .with("Origin", "https://app.example.com")
            .with("Access-Control-Request-Method", "POST"),
        HttpRequest.api("GET", "/stream").with("Last-Event-ID", "ended-1"),
        HttpRequest.api("DELETE", "/rooms/plan"),
        HttpRequest.api("DELETE", "/rooms/plan/invitations/bob"));
  }

  @ParameterizedTest
  @MethodSource("withoutContent")
  void whatHasNoContentHasNoLengthEither(HttpRequest request) {
    String alice = client.token("alice");
    client.send(HttpRequest.api("POST", "/rooms").by(alice).with("{\"id\":\"plan\"}"));
    client.send(
        HttpRequest.api("PUT", "/rooms/plan/members/bob").by(alice).with("{\"role\":\"reader\"}"));

    HttpReply reply = client.send(request.by(alice));

    assertThat(reply.status()).as(reply.toString()).isEqualTo(204);
    assertHasNoLength(reply);
  }

  /// RFC 9110, section 8.6, and RFC 9112, section 6.1.
  private static void assertHasNoLength(HttpReply reply) {
    assertThat(reply.headers("Content-Length")).isEmpty();
    assertThat(reply.headers("Transfer-Encoding")).isEmpty();
    assertThat(reply.body()).isEmpty();
  }
}
