package dev.replistream.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.TestService;
import java.io.UncheckedIOException;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// How bodies come in, in whatever form, up to their limit.
class BodyTest {
  private static final int LIMIT = 4096;
  private static final TestService SERVICE =
      TestService.start("HTTP_MAX_BODY", Integer.toString(LIMIT));

  private final ServiceClient client = SERVICE.client();
  private final HttpRequest poke =
      HttpRequest.api("POST", "/poke-user").by(client.token("alice")).with("Connection", "close");

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  private HttpReply send(HttpRequest request, String more) {
    try (HttpConnection connection = client.connect()) {
      return connection.send(request.toBytes()).send(more).reply();
    }
  }

  private static String chunk(String text) {
    return Integer.toHexString(text.length()).toUpperCase(Locale.ROOT) + "\r\n" + text + "\r\n";
  }

  @Test
  void aBodyAsLargeAsTheLimitIsRead() {
    HttpReply reply = client.send(poke.with("{}" + " ".repeat(LIMIT - 2)));

    assertThat(reply.status()).isEqualTo(200);
  }

  @Test
  void aLargerBodyIsRefusedByItsLengthAlone() {
    HttpReply reply = send(poke.with("Content-Length", Integer.toString(LIMIT + 1)), "");

    assertThat(Problems.detail(reply, 413)).contains("4096 bytes");
  }

  @ParameterizedTest
  @ValueSource(strings = {"2147483647", "999999999999999999"})
  void aVeryMuchLargerBodyIsRefusedByItsLengthAlone(String length) {
    HttpReply reply = send(poke.with("Content-Length", length), "");

    Problems.detail(reply, 413);
  }

  @ParameterizedTest
  @CsvSource({"true, 413", "false, 401"})
  void whoSendsTheWholeOfARefusedBodySeesWhy(boolean isKnown, int status) {
    HttpRequest request = isKnown ? poke : HttpRequest.api("POST", "/poke-user");
    int length = 16 << 20;

    HttpReply reply =
        send(request.with("Content-Length", Integer.toString(length)), " ".repeat(length));

    Problems.detail(reply, status);
  }

  @Test
  void whoSendsAllOfARefusedBodyInChunksSeesWhy() {
    HttpRequest chunked = poke.with("Transfer-Encoding", "chunked");

    HttpReply reply = send(chunked, chunk(" ".repeat(1 << 16)).repeat(256) + chunk(""));

    Problems.detail(reply, 413);
  }

  @Test
  void whoGoesOnWithARefusedBodyIsCutOff() {
    byte[] part = new byte[1 << 16];
    long begin = System.nanoTime();
    try (HttpConnection connection = client.connect()) {
      connection.send(poke.with("Content-Length", Long.toString(Long.MAX_VALUE)).toBytes());

      assertThatThrownBy(
              () -> {
                while (System.nanoTime() - begin < HttpConnection.PATIENCE.toNanos()) {
                  connection.send(part);
                }
              })
          .isInstanceOf(UncheckedIOException.class);
    }
  }

  @Test
  void aBodyInChunksAsLargeAsTheLimitIsRead() {
    HttpRequest chunked = poke.with("Transfer-Encoding", "chunked");

    HttpReply reply =
        send(chunked, chunk("{") + chunk(" ".repeat(LIMIT - 2)) + chunk("}") + chunk(""));

    assertThat(reply.status()).isEqualTo(200);
  }

  @Test
  void aLargerBodyInChunksIsRefusedBeforeItsEnd() {
    HttpRequest chunked = poke.with("Transfer-Encoding", "chunked");

    HttpReply reply = send(chunked, chunk("{}") + chunk(" ".repeat(LIMIT - 1)));

    assertThat(Problems.detail(reply, 413)).contains("4096 bytes");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1000001", "7fffffff"})
  void aChunkTooLargeForTheMemoryIsRefusedByItsLengthAlone(String length) {
    HttpRequest chunked = poke.with("Transfer-Encoding", "chunked");

    HttpReply reply = send(chunked, length + "\r\n{");

    Problems.detail(reply, 413);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"zz\r\n{}\r\n0\r\n\r\n", "-2\r\n{}\r\n0\r\n\r\n", "ffffffff\r\n{}", "\r\n"})
  void malformedChunksAreTheCallersFault(String chunks) {
    try (HttpConnection connection = client.connect()) {
      connection.send(poke.with("Transfer-Encoding", "chunked").toBytes()).send(chunks);
      HttpReply reply = connection.reply();

      Problems.detail(reply, 400);
      assertThat(connection.rest()).isEmpty();
    }
  }

  @Test
  void aClientThatAsksFirstIsToldToGoOn() {
    try (HttpConnection connection = client.connect()) {
      connection.send(poke.with("Expect", "100-continue").with("Content-Length", "2").toBytes());
      String interim = connection.head();
      HttpReply reply = connection.send("{}").reply();

      assertThat(interim).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
      assertThat(reply.status()).isEqualTo(200);
    }
  }

  @Test
  void aBodyOfARouteThatReadsNoneDoesNotDisturbTheNextRequest() {
    HttpRequest stats = HttpRequest.api("GET", "/stats").by(client.token("alice"));
    try (HttpConnection connection = client.connect()) {
      connection.send(stats.with("GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n").toBytes());
      HttpReply first = connection.reply();
      HttpReply second = connection.send(stats.toBytes()).reply();

      assertThat(first.status()).isEqualTo(200);
      assertThat(second.status()).isEqualTo(200);
    }
  }
}
