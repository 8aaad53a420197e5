package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What stands in the log: one line an event, each of words in the form `key=value`.
class LogLinesTest {
  private static final Pattern FORM =
      Pattern.compile(
          "event=[a-z-]+( [a-z-]+=(\"([^\"\\\\\\p{Cntrl}\u2028\u2029]|\\\\.)*\"|[^\\s\"]+))*");

  private static int words(String line) {
    return line.replaceAll("\"([^\"\\\\]|\\\\.)*\"", "text").split(" ").length;
  }

  @Test
  void aLifeIsLoggedFromStartToStop() {
    try (LogCapture log = new LogCapture()) {
      TestService service = TestService.start();
      ServiceClient client = service.client();
      try (StreamClient stream = client.connected("alice")) {
        client.poke("alice");
        stream.expect("sync");
      }
      Eventually.holds("gone", () -> client.connections("alice") == 0);
      Eventually.holds("logged", () -> !log.lines("disconnected").isEmpty());
      client.poke("bob");
      client.send(HttpRequest.api("GET", "/stats"));
      client.send(HttpRequest.api("GET", "/stats").by("a.b.c"));
      service.close();

      List<String> lines = log.lines();
      assertThat(lines).hasSize(9).allMatch(line -> FORM.matcher(line).matches());
      assertThat(lines.get(0))
          .matches(
              "event=start address=127\\.0\\.0\\.1:\\d+ admin-port=\\d+ auth=secret database=sqlite nodes=one max-streams=\\d+");
      assertThat(lines.get(1)).isEqualTo("event=connected user=\"alice\" transport=sse");
      assertThat(lines.get(2)).isEqualTo("event=poke user=\"alice\" notified=1");
      assertThat(lines.get(3))
          .matches(
              "event=disconnected user=\"alice\" transport=sse reason=client-closed"
                  + " age=PT[0-9.]+S events=2");
      assertThat(lines.get(4)).isEqualTo("event=poke user=\"bob\" notified=0");
      assertThat(lines.get(5)).isEqualTo("event=token-refused reason=missing address=127.0.0.1");
      assertThat(lines.get(6)).isEqualTo("event=token-refused reason=malformed address=127.0.0.1");
      assertThat(lines.get(7)).isEqualTo("event=drain streams=0 over=PT0S");
      assertThat(lines.get(8)).isEqualTo("event=stop");
      assertThat(log.warnings()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a b",
        "x\" notified=9 event=start user=\"root",
        "x\\\" notified=9",
        "\\",
        "{0} %s ${x}",
        "event=stop",
        "\u2028event=stop",
        "日本",
      })
  void aUserIdCanForgeNeitherALineNorAWord(String userId) {
    try (LogCapture log = new LogCapture();
        TestService service = TestService.start()) {
      ServiceClient client = service.client();
      try (StreamClient stream = client.connected(userId)) {
        client.poke(userId);
        stream.expect("sync");
      }
      Eventually.holds("logged", () -> !log.lines("disconnected").isEmpty());

      assertThat(log.lines()).allMatch(line -> FORM.matcher(line).matches());
      assertThat(log.lines("connected")).hasSize(1).allMatch(line -> words(line) == 3);
      assertThat(log.lines("poke")).hasSize(1).allMatch(line -> words(line) == 3);
      assertThat(log.lines("disconnected")).hasSize(1).allMatch(line -> words(line) == 6);
      assertThat(log.lines("stop")).isEmpty();
    }
  }

  @Test
  void whatJavaCodePokesStandsOnOneLineToo() {
    try (LogCapture log = new LogCapture();
        TestService service = TestService.start()) {
      service.application().pokes().notifyUser("a\nevent=stop\r\n\0");

      assertThat(log.lines("poke"))
          .containsExactly("event=poke user=\"a\\nevent=stop\\r\\n\\u0000\" notified=0");
    }
  }

  @Test
  void noCredentialIsLogged() {
    try (LogCapture log = new LogCapture();
        TestService service = TestService.start()) {
      ServiceClient client = service.client();
      String token = client.token("alice");
      String ticket = client.ticket("alice");
      String forged = token.substring(0, token.length() - 4) + "AAAA";
      client.send(HttpRequest.api("GET", "/stream?token=" + token));
      client.send(HttpRequest.api("GET", "/stats").by(forged));
      client.open(HttpRequest.api("GET", "/stream?ticket=" + ticket)).close();
      client.send(HttpRequest.api("GET", "/stream?ticket=" + ticket));
      client.send(HttpRequest.api("GET", "/stats?ticket=" + ticket));

      assertThat(log.lines("token-refused")).hasSize(4);
      assertThat(log.lines().toString())
          .doesNotContain(ticket, token.substring(token.lastIndexOf('.')), forged);
    }
  }

  /// What a stranger can send in a flood: each line once, on a connection of its own.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n",
        "G\"T / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
        "\u0016\u0003\u0001\u0002 no HTTP\r\n\r\n",
        "GET /api/v1/replicache/stats HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
        "GET /api/v1/replicache/stats?token=a.b.c HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /api/v1/replicache/push HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
      })
  void whatStrangersSendMakesNoMoreThanAFewShortLines(String request) {
    try (LogCapture log = new LogCapture();
        TestService service = TestService.start()) {
      for (int i = 0; i < 60; i++) {
        try (HttpConnection connection = service.client().connect()) {
          connection.send(request);
          assertThat(connection.reply().status()).isBetween(400, 501).isNotEqualTo(500);
        }
      }

      assertThat(log.warnings()).isEmpty();
      assertThat(log.lines())
          .hasSizeLessThan(12)
          .allMatch(line -> line.length() < 200)
          .noneMatch(line -> line.contains("a.b.c"));
    }
  }
}
