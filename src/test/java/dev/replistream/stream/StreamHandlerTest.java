package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Who gets a stream, and who is told why not.
class StreamHandlerTest {
  private static final TestService SERVICE = TestService.start();

  private final ServiceClient client = SERVICE.client();

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "text/event-stream",
        "Text/Event-Stream",
        "text/*",
        "*/*",
        "application/json, text/event-stream",
        "application/json;q=0.9, */*;q=0.1",
        "text/event-stream;q=0.001",
        "text/event-stream, */*;q=0",
        "text/*;q=0, text/event-stream",
        "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", // HttpURLConnection
        "*; q=.2",
        "*",
        "text/event-stream;",
        "text/event-stream;;",
        "text/event-stream ; q=1.",
        "text/event-stream;charset=utf-8",
        "text/event-stream;charset",
        "TEXT/EVENT-STREAM;Q=0.5",
        "text/event-stream, text/event-stream",
        "text/event-stream;q=0, text/event-stream",
        "text/event-stream;q=2",
        "garbage, text/event-stream",
        "text/html;q=x, text/event-stream",
        "text/html;a=\"b, text/plain\", */*;q=0.8",
        "*/*;q=0.8",
        "",
        " , ,",
        "text/event-stream,",
      })
  void whoAcceptsEventsGetsThem(String accept) {
    try (StreamClient stream = client.open(client.stream("alice").with("Accept", accept))) {
      stream.expect("connected");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/json",
        "text/html",
        "text/html, application/*",
        "text/event-stream;q=0",
        "text/event-stream;q=0.0, */*",
        "text/*;q=0, */*",
        "*/*;q=0",
        "*;q=0",
        "*;q=.0, application/json",
        "*/*;q=0.000;",
        "*, text/event-stream;q=0",
        "text/event-stream;Q=0",
        "text/html;",
      })
  void whoDoesNotAcceptEventsIsToldThatThereIsNothingElse(String accept) {
    HttpReply reply = client.send(client.stream("alice").with("Accept", accept));

    assertThat(Problems.detail(reply, 406)).contains("text/event-stream");
  }

  @ParameterizedTest
  @ValueSource(strings = {"garbage", "text/event-stream;q=x", "/", "\""})
  void anAcceptThatNobodyCanReadIsTheCallersFault(String accept) {
    HttpReply reply = client.send(client.stream("alice").with("Accept", accept));

    assertThat(Problems.detail(reply, 400)).startsWith("Accept ");
  }

  @Test
  void acceptMayComeInMoreThanOneHeader() {
    HttpRequest request =
        client.stream("alice").with("Accept", "text/html;").with("Accept", "*; q=.2");
    try (StreamClient stream = client.open(request)) {
      stream.expect("connected");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"garbage", "text/event-stream;", "application/json;q=x", "*/*;q=0"})
  void whereThereIsOneFormOnlyNobodyLooksAtAccept(String accept) {
    HttpRequest request = HttpRequest.api("GET", "/stats").by(client.token("alice"));

    assertThat(client.send(request.with("Accept", accept)).status()).isEqualTo(200);
  }

  @Test
  void whoSaysNothingAboutEventsGetsThem() {
    try (StreamClient stream = client.open(client.stream("alice"))) {
      stream.expect("connected");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"token", "access_token", "jwt", "authorization", "x", "ticket", "lastEventId"})
  void aTokenInTheUrlIsRefusedAndTheCallerSentForATicket(String parameter) {
    String token = client.token("alice");

    HttpReply reply = client.send(HttpRequest.api("GET", "/stream?" + parameter + "=" + token));

    assertThat(Problems.detail(reply, 401)).contains("/ticket", "?ticket=");
    assertThat(reply.header("WWW-Authenticate")).startsWith("Bearer error=\"invalid_request\"");
    assertThat(reply.toString()).doesNotContain(token);
  }

  @Test
  void aTokenInTheUrlIsRefusedEvenBesideOneInTheHeader() {
    String token = client.token("alice");

    HttpReply reply = client.send(HttpRequest.api("GET", "/stats?token=" + token).by(token));

    Problems.detail(reply, 401);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/stream", "/events"})
  void aTicketOpensAStreamOfItsUser(String route) {
    try (StreamClient stream =
        client.open(HttpRequest.api("GET", route + "?ticket=" + client.ticket("by-ticket")))) {
      stream.expect("connected");
      assertThat(client.poke("by-ticket")).isEqualTo(1);
      stream.expect("sync");
    }
  }

  @Test
  void aTicketIsNamedWithItsTimeAndIsKeptByNobody() {
    HttpReply reply = client.send(HttpRequest.api("POST", "/ticket").by(client.token("alice")));

    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.header("Content-Type")).isEqualTo("application/json");
    assertThat(reply.header("Cache-Control")).isEqualTo("no-store");
    assertThat(reply.body()).matches("\\{\"ticket\":\"[A-Za-z0-9_-]{32}\",\"expiresIn\":30}");
  }

  @ParameterizedTest
  @ValueSource(strings = {"?ticket=", "?ticket=unknown", "?ticket=%00", "?ticket=a&ticket=b"})
  void anythingElseIsNoTicket(String query) {
    HttpReply reply = client.send(HttpRequest.api("GET", "/stream" + query));

    assertThat(Problems.detail(reply, 401)).contains("ticket");
    assertThat(reply.header("WWW-Authenticate")).startsWith("Bearer ");
  }

  @Test
  void aTicketOpensStreamsOnly() {
    HttpReply reply =
        client.send(HttpRequest.api("GET", "/stats?ticket=" + client.ticket("alice")));

    Problems.detail(reply, 401);
  }

  @Test
  void ofManyWhoUseATicketAtOnceOneGetsTheStream() throws ExecutionException, InterruptedException {
    for (int round = 0; round < 10; round++) {
      HttpRequest request = HttpRequest.api("GET", "/stream?ticket=" + client.ticket("racer"));
      Callable<StreamClient> open = () -> client.open(request);
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        List<Future<StreamClient>> opened =
            threads.invokeAll(IntStream.range(0, 8).mapToObj(_ -> open).toList());
        int streams = 0;
        for (Future<StreamClient> one : opened) {
          try (StreamClient stream = one.get()) {
            boolean isOpen = stream.head().startsWith("HTTP/1.1 200 OK\r\n");
            assertThat(isOpen || stream.head().startsWith("HTTP/1.1 401 Unauthorized\r\n"))
                .isTrue();
            streams += isOpen ? 1 : 0;
          }
        }
        assertThat(streams).isEqualTo(1);
      }
    }
  }
}
