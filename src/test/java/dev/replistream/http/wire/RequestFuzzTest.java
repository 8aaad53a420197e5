package dev.replistream.http.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.LogCapture;
import dev.replistream.Rounds;
import dev.replistream.ServiceClient;
import dev.replistream.TestService;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/// Requests of every kind, spoilt at random, on several connections of several users at once, in
/// one write or in pieces, with a canary behind each. What is answered is held against {@link
/// ReferenceReader}, which reads the same bytes by the RFC and nothing else: nobody is answered
/// more often than they asked, nor for another.
///
/// `-Dfuzz.seconds=60` makes it longer, and `-Dfuzz.seed=` begins with the case that failed.
class RequestFuzzTest {
  private static final TestService SERVICE =
      TestService.start(
          "LIMITS_POKES_PER_SECOND", "100000",
          "LIMITS_PUSHES_PER_SECOND", "100000",
          "LIMITS_TICKETS_PER_SECOND", "100000",
          "LIMITS_ROOMS_PER_SECOND", "100000",
          "LIMITS_REFUSED_TOKENS_PER_SECOND", "100000");
  private static final Duration TIME =
      Duration.ofSeconds(Long.getLong("fuzz.seconds", Rounds.of(5, 60)));
  private static final int CONNECTIONS = 3;

  /// A refused body is read on for two seconds where its sender keeps quiet; these say goodbye.
  private static final Duration PROMPT = Duration.ofSeconds(10);

  private static final int LONGEST = 3_000;

  /// So many at the end of a corpus are no cases of the framing matrix; they come half of the time.
  private static final int ORDINARY = 25;

  /// Fewer would say that most of the test tries nothing; a busy machine does ten times as many.
  private static final int ENOUGH = 10;

  private static final Pattern USER = Pattern.compile("\"userId\":\"((?:fuzz|canary)-\\d)\"");
  private static final String BYTES =
      "\r\n\0\t :;,=\"%/?#*+-0179afgxAZ{}[]\u007f\u0080\u00e9\u00ff";
  private static final List<String> NUMBERS =
      List.of("", "0", "1", "-1", "00", "2147483648", "9223372036854775808", "1e3", "0x10", "1,1");
  private static final List<String> METHODS =
      List.of(
          "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get",
          "PRI", "X");
  private static final List<String> VERSIONS =
      List.of("HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1.10", "");
  private static final List<String> SPELLINGS =
      List.of(
          "//", "/./", "/../", "/%2e%2e/", "/%2F", "/;a", "/?", "/%00", "/%zz", "/#", "/\u00e9");
  private static final List<String> FIELDS =
      List.of(
          "Transfer-Encoding: chunked",
          "Transfer-Encoding: gzip, chunked",
          "Transfer-Encoding:",
          "Transfer-Encoding : chunked",
          "Content-Length: 0",
          "Content-Length: 5",
          "Content-Length: 99999999999",
          "Content-Length: 2, 2",
          "Expect: 100-continue",
          "Expect: 200-ok",
          "Connection: close",
          "Connection: keep-alive, close",
          "Connection: Upgrade",
          "Connection: ,",
          "Upgrade: h2c",
          "Upgrade: websocket",
          "HTTP2-Settings: AAMAAABkAAQAAP__",
          "Sec-WebSocket-Key: x",
          "Sec-WebSocket-Version: 13",
          "Host: elsewhere",
          "Host: [::1]:0",
          "Host:",
          "Accept: text/event-stream;q=",
          "Accept: */*;q=2, ;,",
          "Content-Type: application/json; charset=\"",
          "Content-Type: /",
          "Content-Encoding: gzip",
          "Origin: null",
          "Origin: http://[",
          "Access-Control-Request-Method: \u00e9",
          "Cookie: replistream=; =;;",
          "Authorization: Basic Og==",
          "Authorization: Bearer",
          "Last-Event-ID: -1.-1",
          "If-None-Match: \"",
          "Range: bytes=0-0",
          "Forwarded: for=\"[\"",
          "X-Forwarded-For: ,",
          " folded: 1",
          ": no name",
          "no colon");

  private final ServiceClient client = SERVICE.client();
  private final List<String> tokens =
      Stream.of("fuzz-", "canary-")
          .flatMap(user -> Stream.of(0, 1, 2).map(i -> client.token(user + i)))
          .toList();
  private final List<List<byte[]>> corpora =
      Stream.of(0, 1, 2).map(i -> corpus(tokens.get(i))).toList();
  private Random random = new Random();
  private int answered;
  private int refused;

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  private static List<byte[]> corpus(String token) {
    List<byte[]> corpus = new ArrayList<>();
    String poke = "POST /api/v1/replicache/poke-user HTTP/1.1\r\nHost: h\r\n";
    Stream.of(FramingCases.good(), FramingCases.badHeads(), FramingCases.badChunks())
        .flatMap(cases -> cases)
        .map(c ->
            poke + "Authorization: Bearer " + token + "\r\n" + c.get()[1] + "\r\n" + c.get()[2])
        .filter(text -> text.length() < LONGEST)
        .forEach(text -> corpus.add(text.getBytes(StandardCharsets.ISO_8859_1)));
    String client = "\"clientID\":\"c\"";
    String push =
        "{\"pushVersion\":1,\"clientGroupID\":\"g\",\"mutations\":[{"
            + client
            + ",\"id\":1,\"name\":\"put\",\"args\":{\"key\":\"a\",\"value\":1},\"timestamp\":1}],"
            + "\"profileID\":\"p\",\"schemaVersion\":\"\"}";
    String pull =
        "{\"pullVersion\":1,\"clientGroupID\":\"g\",\"cookie\":null,\"profileID\":\"p\","
            + "\"schemaVersion\":\"\"}";
    for (HttpRequest request :
        List.of(
            HttpRequest.api("POST", "/push").by(token).with(push),
            HttpRequest.api("POST", "/pull").by(token).with(pull),
            HttpRequest.api("POST", "/poke-user").by(token),
            HttpRequest.api("POST", "/poke-user").by(token).with("{}"),
            HttpRequest.api("POST", "/ticket").by(token),
            HttpRequest.api("GET", "/stats").by(token),
            HttpRequest.api("HEAD", "/stats").by(token),
            HttpRequest.api("GET", "/sessions").by(token),
            HttpRequest.api("DELETE", "/sessions/1").by(token),
            HttpRequest.api("GET", "/stream").by(token).with("Accept", "text/event-stream"),
            HttpRequest.api("GET", "/events?lastEventId=1").by(token),
            HttpRequest.api("GET", "/stream?ticket=none"),
            HttpRequest.api("GET", "/ws")
                .by(token)
                .with("Connection", "Upgrade")
                .with("Upgrade", "websocket")
                .with("Sec-WebSocket-Version", "13")
                .with("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
            HttpRequest.api("GET", "/rooms").by(token),
            HttpRequest.api("POST", "/rooms").by(token).with("{\"id\":\"r\"}"),
            HttpRequest.api("GET", "/rooms/r/members").by(token),
            HttpRequest.api("GET", "/rooms/r/presence").by(token),
            HttpRequest.api("POST", "/rooms/r/poke").by(token),
            HttpRequest.api("PUT", "/rooms/r/members/guest")
                .by(token)
                .with("{\"role\":\"reader\"}"),
            HttpRequest.api("DELETE", "/rooms/r%2Fs").by(token),
            HttpRequest.api("GET", "/invitations").by(token),
            HttpRequest.api("DELETE", "/invitations/r").by(token),
            HttpRequest.api("POST", "/rooms/r/join").by(token),
            HttpRequest.api("POST", "/rooms/r/links").by(token).with("{\"role\":\"reader\"}"),
            HttpRequest.api("POST", "/join").by(token).with("{\"code\":\"x\"}"),
            HttpRequest.api("GET", "/usage").by(token),
            HttpRequest.api("GET", "/rooms/r/entries?prefix=a&start=b&limit=3").by(token),
            HttpRequest.api("GET", "/users/fuzz/entries")
                .by(token)
                .with("Accept", "application/x-ndjson"),
            HttpRequest.api("PUT", "/rooms/r/entries/k")
                .by(token)
                .with("If-Match", "\"1\"")
                .with("{\"a\":1}"),
            HttpRequest.api("PATCH", "/users/fuzz/entries/k")
                .by(token)
                .with("Content-Type", "application/merge-patch+json")
                .with("{\"a\":null}"),
            HttpRequest.api("DELETE", "/users/fuzz/entries/k").by(token),
            HttpRequest.api("GET", "/journal?after=1&limit=2").by(token),
            HttpRequest.api("DELETE", "/users/fuzz").by(token),
            HttpRequest.api("GET", "/export").by(token),
            HttpRequest.api("POST", "/import")
                .by(token)
                .with("{\"kind\":\"replistream\",\"format\":1}\n{\"kind\":\"end\",\"lines\":0}\n"),
            HttpRequest.api("GET", "/users/fuzz/changes?since=1").by(token),
            HttpRequest.api("POST", "/transactions")
                .by(token)
                .with(
                    "{\"if\":[{\"user\":\"u\",\"key\":\"k\",\"version\":null}],\"ops\":[{\"op\":\"patch\",\"room\":\"r\",\"key\":\"k\",\"merge\":{},\"create\":true}]}"),
            HttpRequest.api("POST", "/mutations")
                .by(token)
                .with("Idempotency-Key", "\"k\"")
                .with("{\"userId\":\"u\",\"name\":\"put\",\"args\":{}}"),
            HttpRequest.api("GET", "/rejections?after=7").by(token),
            HttpRequest.api("POST", "/revoke").by(token).with("{\"jti\":\"x\"}"),
            HttpRequest.of("GET", "/replistream.js").with("If-None-Match", "\"x\""),
            HttpRequest.of("GET", "/"),
            HttpRequest.of("OPTIONS", "*"),
            HttpRequest.api("OPTIONS", "/push")
                .with("Origin", "https://app.example")
                .with("Access-Control-Request-Method", "POST")
                .with("Access-Control-Request-Headers", "authorization, content-type"))) {
      corpus.add(request.toBytes());
    }
    return corpus;
  }

  @Test
  void spoiltRequestsAreAnsweredOnceOrRefused() {
    long seed = Long.getLong("fuzz.seed", System.nanoTime());
    long end = System.nanoTime() + TIME.toNanos();
    try (LogCapture log = new LogCapture()) {
      for (long next = seed; System.nanoTime() < end; next++) {
        random = new Random(next);
        tryOnce("-Dfuzz.seed=" + next);
        assertThat(log.warnings()).as("-Dfuzz.seed=%d", next).isEmpty();
        if (next % 50 == 0) {
          assertThat(client.stats("canary-0").getString("userId")).isEqualTo("canary-0");
        }
      }
    }
    // else it would try nothing
    assertThat(answered).as("canaries").isGreaterThan(ENOUGH);
    assertThat(refused).as("refusals").isGreaterThan(ENOUGH);
  }

  private void tryOnce(String name) {
    List<HttpConnection> connections = new ArrayList<>();
    List<byte[]> sent = new ArrayList<>();
    List<List<byte[]>> pieces = new ArrayList<>();
    try {
      for (int i = 0; i < CONNECTIONS; i++) {
        HttpConnection connection = client.connect();
        connections.add(connection);
        sendKnown(connection, i);
        byte[] canary = HttpRequest.api("GET", "/stats").by(tokens.get(CONNECTIONS + i)).toBytes();
        byte[] bytes = join(spoilt(i), canary);
        sent.add(bytes);
        pieces.add(new ArrayList<>(pieces(bytes)));
      }
      while (pieces.stream().anyMatch(left -> !left.isEmpty())) {
        int i = random.nextInt(CONNECTIONS);
        if (!pieces.get(i).isEmpty()) {
          send(connections.get(i), pieces.get(i).removeFirst());
        }
      }
      connections.forEach(RequestFuzzTest::endOutput);
      for (int i = 0; i < CONNECTIONS; i++) {
        check(name, sent.get(i), connections.get(i).rest(PROMPT), "canary-" + i);
      }
    } finally {
      connections.forEach(HttpConnection::close);
    }
  }

  /// Pokes whose head is known after the first, some on the connection's thread, many on the loop.
  private void sendKnown(HttpConnection connection, int user) {
    byte[] poke = HttpRequest.api("POST", "/poke-user").by(tokens.get(user)).toBytes();
    for (int known = pick(List.of(0, 0, 1, 3, 17)); known > 0; known--) {
      HttpReply reply = connection.send(poke).reply();
      assertThat(reply.json().getString("userId")).isEqualTo("fuzz-" + user);
    }
  }

  private static void send(HttpConnection connection, byte[] bytes) {
    try {
      connection.send(bytes);
    } catch (UncheckedIOException _) {
      // it was refused already
    }
  }

  private static void endOutput(HttpConnection connection) {
    try {
      connection.halfClose();
    } catch (UncheckedIOException _) {
      // it was refused already
    }
  }

  private List<byte[]> pieces(byte[] bytes) {
    int count = pick(List.of(1, 1, 2, 6));
    int[] cuts = random.ints(count - 1L, 0, bytes.length + 1).sorted().toArray();
    List<byte[]> pieces = new ArrayList<>();
    int begin = 0;
    for (int cut : cuts) {
      pieces.add(Arrays.copyOfRange(bytes, begin, cut));
      begin = cut;
    }
    pieces.add(Arrays.copyOfRange(bytes, begin, bytes.length));
    return pieces;
  }

  private void check(String name, byte[] sent, byte[] received, String canary) {
    String story = name + "\nsent " + quoted(sent) + "\nreceived " + quoted(received);
    List<ReferenceReader.Request> requests = new ReferenceReader(sent).requests();
    List<ReferenceReader.Answer> answers = ReferenceReader.answers(received, requests);
    assertThat(answers).as(story).hasSizeLessThanOrEqualTo(requests.size());
    for (int i = 0; i < answers.size(); i++) {
      ReferenceReader.Answer answer = answers.get(i);
      ReferenceReader.Request request = requests.get(i);
      assertThat(answer.status()).as(story).isNotEqualTo(500).isNotEqualTo(503);
      if (!request.isWellFormed()) {
        assertThat(answer.status()).as(story).isGreaterThanOrEqualTo(400);
      }
      Matcher user = USER.matcher(answer.body());
      while (user.find()) {
        assertThat(request.head()).as(story).contains(claims(user.group(1)));
        answered += user.group(1).equals(canary) ? 1 : 0;
      }
      refused += answer.status() >= 400 ? 1 : 0;
    }
  }

  /// The middle of the token of one of the users here.
  private String claims(String user) {
    int i = Character.digit(user.charAt(user.length() - 1), 10);
    return tokens.get(user.startsWith("fuzz") ? i : CONNECTIONS + i).split("\\.", -1)[1];
  }

  private static String quoted(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1)
        .replace("\0", "␀")
        .replace("\r", "␍")
        .replace("\n", "␊\n");
  }

  private <T> T pick(List<T> choices) {
    return choices.get(random.nextInt(choices.size()));
  }

  /// One of the corpus without its first `count` bytes.
  private String pick(List<byte[]> corpus, int count) {
    String text = text(pick(corpus));
    return text.substring(Math.min(count, text.length()));
  }

  private static byte[] join(byte[] one, byte[] other) {
    byte[] both = Arrays.copyOf(one, one.length + other.length);
    System.arraycopy(other, 0, both, one.length, other.length);
    return both;
  }

  private byte[] spoilt(int user) {
    List<byte[]> corpus = corpora.get(user);
    int begin = random.nextBoolean() ? corpus.size() - ORDINARY : 0;
    String text = text(pick(corpus.subList(begin, corpus.size())));
    for (int left = random.nextInt(4); left > 0; left--) {
      text = spoil(text, user);
    }
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private String spoil(String text, int user) {
    int at = random.nextInt(text.length() + 1);
    int to = Math.min(text.length(), at + 1 + random.nextInt(8));
    String before = text.substring(0, at);
    String behind = text.substring(at);
    return switch (random.nextInt(14)) {
      case 0 -> before + BYTES.charAt(random.nextInt(BYTES.length())) + behind;
      case 1 -> before + BYTES.charAt(random.nextInt(BYTES.length())) + text.substring(to);
      case 2 -> before + text.substring(to);
      case 3 -> text.substring(0, to) + behind;
      case 4 -> before + (char) random.nextInt(256) + behind;
      case 5, 6, 7 -> spoilLines(text);
      case 8 -> replaceOne(text, "\\d+", pick(NUMBERS));
      case 9 -> replaceOne(text, "^\\S*", pick(METHODS));
      case 10 -> replaceOne(text, "HTTP/\\S*", pick(VERSIONS));
      case 11 -> replaceOne(text, "/", pick(SPELLINGS));
      case 12 ->
          replaceOne(text, "\\r\\n", pick(List.of("\n", "\r", "\r\r\n", "\r\n\r\n", "\n\r")));
      default -> before + pick(corpora.get(user), at % 40);
    };
  }

  /// Replaces one match, any of them.
  private String replaceOne(String text, String pattern, String replacement) {
    List<Integer> begins = new ArrayList<>();
    Matcher matcher = Pattern.compile(pattern).matcher(text);
    while (matcher.find()) {
      begins.add(matcher.start());
    }
    if (begins.isEmpty() || !matcher.find(pick(begins))) {
      return text;
    }
    return text.substring(0, matcher.start()) + replacement + text.substring(matcher.end());
  }

  private String spoilLines(String text) {
    List<String> lines = new ArrayList<>(List.of(text.split("\r\n", -1)));
    int at = random.nextInt(lines.size());
    switch (random.nextInt(5)) {
      case 0 -> lines.add(at, lines.get(random.nextInt(lines.size())));
      case 1 -> lines.remove(at);
      case 2 -> lines.add(random.nextInt(lines.size()), lines.remove(at));
      default -> lines.add(Math.min(1 + random.nextInt(3), lines.size()), pick(FIELDS));
    }
    return String.join("\r\n", lines);
  }
}
