package dev.replistream.http.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.SettableClock;
import dev.replistream.TestService;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.WritableHeaders;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/// Requests whose heads come again: they are answered as the first was, and nothing else is taken
/// for one.
class RepeatsTest {
  private static final SettableClock CLOCK = new SettableClock();
  private static final TestService SERVICE = TestService.start(CLOCK, "AUTH_CLOCK_SKEW", "PT0S");

  private final ServiceClient client = SERVICE.client();

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  /// More than it takes to bring a connection into the loop.
  private static final int MANY = 40;

  /// Sends a request so often that the connection comes into the loop.
  private static void sendMany(HttpConnection connection, byte[] request) {
    for (int i = 0; i < MANY; i++) {
      assertThat(connection.send(request).reply().status()).isEqualTo(200);
    }
  }

  private HttpRequest poke(String user) {
    return HttpRequest.api("POST", "/poke-user").by(client.token(user));
  }

  /// What a response says but for the time.
  private static List<Map.Entry<String, String>> headers(HttpReply reply) {
    return reply.headers().stream()
        .filter(header -> !header.getKey().equals("date"))
        .sorted(Map.Entry.<String, String>comparingByKey().thenComparing(Map.Entry::getValue))
        .toList();
  }

  @Test
  void aRequestThatComesAgainIsAnsweredAsTheFirstWas() {
    byte[] poke = poke("ann").with("Origin", "https://app.example.com").toBytes();
    try (HttpConnection first = client.connect();
        HttpConnection second = client.connect()) {
      HttpReply reply = first.send(poke).reply();
      HttpReply again = first.send(poke).reply();
      HttpReply elsewhere = second.send(poke).reply();
      sendMany(second, poke);
      HttpReply inLoop = second.send(poke).reply();

      assertThat(reply.status()).isEqualTo(200);
      assertThat(reply.header("Date")).isNotNull();
      for (HttpReply repeat : List.of(again, elsewhere, inLoop)) {
        assertThat(repeat.statusLine()).isEqualTo(reply.statusLine());
        assertThat(headers(repeat)).isEqualTo(headers(reply));
        assertThat(repeat.header("Date")).matches("\\w{3}, \\d\\d \\w{3} \\d{4} [\\d:]{8} GMT");
        assertThat(repeat.json()).isEqualTo(reply.json());
      }
    }
  }

  @Test
  void aPokeThatComesAgainPokesAgain() {
    byte[] poke = poke("bob").toBytes();
    try (var stream = client.connected("bob");
        HttpConnection connection = client.connect()) {
      for (int i = 0; i < MANY; i++) {
        assertThat(connection.send(poke).reply().json().getInt("clientsNotified")).isEqualTo(1);
        stream.expect("sync");
      }
    }
  }

  @Test
  void aBodyOfTheSameLengthIsReadAnew() {
    String token = client.token("backend", "replicache:poke");
    HttpRequest poke = HttpRequest.api("POST", "/poke-user").by(token);
    try (HttpConnection connection = client.connect()) {
      sendMany(connection, poke.with("{\"userId\":\"ant\"}").toBytes());
      for (String user : List.of("cat", "dog", "eel")) {
        HttpReply reply =
            connection.send(poke.with("{\"userId\":\"" + user + "\"}").toBytes()).reply();

        assertThat(reply.json().getString("userId")).isEqualTo(user);
      }

      Problems.detail(
          connection.send(poke.with("{\"userId\":\"\\u0000\"}").toBytes()).reply(), 400);
      Problems.detail(connection.send(poke.with("{\"userId\":  5 }").toBytes()).reply(), 400);
      assertThat(connection.send(poke.with("{\"userId\":\"cat\"}").toBytes()).reply().status())
          .isEqualTo(200);
    }
  }

  @Test
  void aTokenThatExpiresIsRefusedInARequestThatComesAgain() {
    byte[] poke =
        HttpRequest.api("POST", "/poke-user")
            .by(client.token("fay", Duration.ofMinutes(1)))
            .toBytes();
    try (HttpConnection connection = client.connect()) {
      sendMany(connection, poke);

      CLOCK.advance(Duration.ofMinutes(1));

      Problems.detail(connection.send(poke).reply(), 401);
    }
  }

  @Test
  void aBodyThatLooksLikeAKnownRequestIsNone() {
    byte[] poke = poke("gus").toBytes();
    try (var stream = client.connected("gus");
        HttpConnection connection = client.connect()) {
      assertThat(connection.send(poke).reply().status()).isEqualTo(200);
      long stamp = stream.expect("sync").stamp();

      // a handler that does not read its body, which comes after the answer
      HttpRequest ticket =
          HttpRequest.api("POST", "/ticket")
              .by(client.token("gus"))
              .with("Content-Length", Integer.toString(poke.length));
      assertThat(connection.send(ticket.toBytes()).reply().json()).containsKey("ticket");
      connection.send(poke);
      assertThat(connection.read(new byte[1], Duration.ofMillis(300))).as("answered").isZero();
      HttpReply next =
          connection
              .send(HttpRequest.api("GET", "/stats").by(client.token("gus")).toBytes())
              .reply();

      assertThat(next.json()).containsKey("totalConnections");
      client.poke("gus");
      assertThat(stream.expect("sync").stamp()).isEqualTo(stamp + 1);
    }
  }

  @Test
  void whatFollowsTheBeginningOfARequestIsNone() {
    byte[] poke = poke("hal").toBytes();
    byte[] ticket = HttpRequest.api("POST", "/ticket").by(client.token("hal")).toBytes();
    try (HttpConnection connection = client.connect()) {
      sendMany(connection, poke);

      byte[] beginning = "POST ".getBytes(StandardCharsets.US_ASCII);
      byte[] both = new byte[ticket.length + beginning.length];
      System.arraycopy(ticket, 0, both, 0, ticket.length);
      System.arraycopy(beginning, 0, both, ticket.length, beginning.length);
      assertThat(connection.send(both).reply().json()).containsKey("ticket");

      Problems.detail(connection.send(poke).reply(), 400);
    }
  }

  @Test
  void twoRequestsInOneWriteAreBothAnswered() {
    byte[] poke = poke("ida").toBytes();
    try (HttpConnection connection = client.connect()) {
      sendMany(connection, poke);

      byte[] both = new byte[2 * poke.length];
      System.arraycopy(poke, 0, both, 0, poke.length);
      System.arraycopy(poke, 0, both, poke.length, poke.length);
      connection.send(both);

      assertThat(connection.reply().status()).isEqualTo(200);
      assertThat(connection.reply().status()).isEqualTo(200);
      assertThat(connection.send(poke).reply().status()).isEqualTo(200);
    }
  }

  @Test
  void aClosingServiceDoesNotWaitForConnectionsThatSentTheSameRequestOften() {
    TestService closing = TestService.start();
    try (HttpConnection connection = closing.client().connect()) {
      sendMany(
          connection,
          HttpRequest.api("POST", "/poke-user").by(closing.client().token("kim")).toBytes());
      long begin = System.nanoTime();

      closing.close();

      assertThat(connection.rest()).isEmpty();
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(5));
    }
  }

  @Test
  void aConnectionIsClosedAfterTheRequestThatAsksForIt() {
    byte[] poke = poke("jim").with("Connection", "close").toBytes();
    for (int i = 0; i < 3; i++) {
      try (HttpConnection connection = client.connect()) {
        assertThat(connection.send(poke).reply().status()).isEqualTo(200);
        assertThat(connection.rest()).isEmpty();
      }
    }
  }

  private final Repeats repeats = new Repeats();
  private final byte[] head =
      "POST / HTTP/1.1\r\nHost: h\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private byte @Nullable [] answer(byte[] request) {
    return repeats.answer(request, false);
  }

  private static byte[] upperCase(byte[] body, boolean isShared) {
    if (body.length == 0) {
      throw new IllegalArgumentException("no body");
    }
    return new String(body, StandardCharsets.US_ASCII)
        .toUpperCase(Locale.ROOT)
        .getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] withBody(byte[] head, String body) {
    return (new String(head, StandardCharsets.US_ASCII) + body).getBytes(StandardCharsets.US_ASCII);
  }

  @Test
  void onlyTheSameHeadWithABodyOfItsLengthIsKnown() {
    WritableHeaders<?> headers = WritableHeaders.create();
    headers.set(HeaderValues.create(HeaderNames.CONTENT_TYPE, "text/plain"));
    headers.set(HeaderValues.create(HeaderNames.CONTENT_LENGTH, 17));
    repeats.remember(withBody(head, "ab"), 2, headers, RepeatsTest::upperCase);

    assertThat(new String(answer(withBody(head, "cd")), StandardCharsets.US_ASCII))
        .matches(
            "HTTP/1.1 200 OK\r\nDate: [^\r]+\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nCD");
    assertThat(answer(withBody(head, "c"))).isNull();
    assertThat(answer(withBody(head, "cde"))).isNull();
    assertThat(answer(head)).isNull();
    assertThat(answer("POST / HTTP/1.1\r\nHost: i\r\n\r\ncd".getBytes(StandardCharsets.US_ASCII)))
        .isNull();
    assertThat(answer("\r\n\r\n".getBytes(StandardCharsets.US_ASCII))).isNull();
    assertThat(answer(new byte[0])).isNull();
  }

  @Test
  void aRequestWhoseBodyCameInPartIsNotRemembered() {
    repeats.remember(withBody(head, "a"), 2, WritableHeaders.create(), RepeatsTest::upperCase);

    assertThat(answer(withBody(head, "a"))).isNull();
    assertThat(answer(withBody(head, "ab"))).isNull();
  }

  @Test
  void whatTheAnswerThrowsGoesTheLongWay() {
    repeats.remember(head, 0, WritableHeaders.create(), RepeatsTest::upperCase);

    assertThat(answer(head)).isNull();
  }
}
