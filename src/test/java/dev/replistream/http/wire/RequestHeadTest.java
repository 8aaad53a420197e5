package dev.replistream.http.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.LogCapture;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.TestService;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Request lines and header fields that a proxy in front may read another way: they run no route,
/// and the log says nothing of them.
class RequestHeadTest {
  private static final TestService SERVICE = TestService.start();
  private static final String API = "/api/v1/replicache";

  private final ServiceClient client = SERVICE.client();
  private final String by = "Authorization: Bearer " + client.token("alice") + "\r\n";

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  private HttpReply refusal(int status, String line, String fields) {
    try (LogCapture log = new LogCapture();
        HttpConnection connection = client.connect()) {
      HttpReply reply =
          connection
              .send(line + "\r\n" + fields + "\r\nGET /canary HTTP/1.1\r\nHost: h\r\n\r\n")
              .reply();
      Problems.detail(reply, status);
      assertThat(connection.rest()).isEmpty();
      assertThat(log.warnings()).isEmpty();
      return reply;
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"delete", "Delete", "DELETe", "DELETES", "DELET", "X-DELETE", "get", "FOO"})
  void aMethodIsItsOwnSpelling(String method) {
    HttpRequest create =
        HttpRequest.api("POST", "/rooms").by(client.token("alice")).with("{\"id\":\"kept\"}");
    assertThat(client.send(create).status()).isIn(201, 409, 200);

    refusal(501, method + " " + API + "/rooms/kept HTTP/1.1", "Host: h\r\n" + by);

    HttpRequest members = HttpRequest.api("GET", "/rooms/kept/members").by(client.token("alice"));
    assertThat(client.send(members).status()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "G\"T",
        "G(T",
        "G/T",
        "G\u0001T",
        "G\0T",
        "G\tT",
        "G\u00e9T",
        "",
        "GET,",
        "G:T",
        "G=T",
        "{}",
        "\u007f"
      })
  void aMethodIsAToken(String method) {
    refusal(400, method + " " + API + "/stats HTTP/1.1", "Host: h\r\n" + by);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "CONNECT example.com:443 HTTP/1.1",
        "CONNECT [::1]:443 HTTP/1.1",
        "GET example.com:443 HTTP/1.1",
        "GET * HTTP/1.1",
        "GET  /stats HTTP/1.1",
        "GET /stats  HTTP/1.1",
        "GET\t/stats HTTP/1.1",
        " GET /stats HTTP/1.1",
        "GET /stats HTTP/1.1 ",
        "GET /stats",
        "GET",
        "GET ",
        "GET  HTTP/1.1",
        "GET / HTTP/1.1x",
        "GET / http/1.1",
        "GET / HTTP/01.1",
        "GET / HTTP/1.2",
        "GET / HTTPS/1.1",
        "GET /\u00e9 HTTP/1.1",
        "GET /\0 HTTP/1.1",
        "GET /\u0001 HTTP/1.1",
        "GET /\u007f HTTP/1.1",
        "GET /#a HTTP/1.1",
        "GET /[ HTTP/1.1",
        "GET /\\ HTTP/1.1",
        "GET /% HTTP/1.1",
        "GET /?% HTTP/1.1",
        "GET mailto:a@b HTTP/1.1",
        "GET ftp://h/stats HTTP/1.1",
        "GET http:/stats HTTP/1.1",
        "GET http:// HTTP/1.1",
        "GET http:///stats HTTP/1.1",
        "GET http://other/stats HTTP/1.1",
        "GET http://user@h/stats HTTP/1.1",
        "GET h/stats HTTP/1.1",
        "GET ../stats HTTP/1.1",
        "GET ?a HTTP/1.1",
      })
  void whatIsNoRequestLineIsRefused(String line) {
    refusal(400, line, "Host: h\r\n");
  }

  /// A bare CR or LF, and more than one empty line.
  @ParameterizedTest
  @ValueSource(strings = {"\r\n\r\n", "\n", "\r", "\r\r\n", "\n\r\n", "\r\n\n", " \r\n", "\0\r\n"})
  void nothingButOneEmptyLineStandsBeforeARequest(String before) {
    refusal(400, before + "GET " + API + "/stats HTTP/1.1", "Host: h\r\n" + by);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 40})
  void anEmptyLineBeforeARequestIsIgnored(int known) {
    byte[] poke = HttpRequest.api("POST", "/poke-user").by(client.token("alice")).toBytes();
    byte[] stats = HttpRequest.api("GET", "/stats").by(client.token("bob")).toBytes();
    try (HttpConnection connection = client.connect()) {
      for (int i = 0; i < known; i++) {
        assertThat(connection.send(poke).reply().status()).isEqualTo(200);
      }
      connection.send("\r\n").send(poke);
      assertThat(connection.reply().json().getString("userId")).isEqualTo("alice");
      connection.send("\r").send("\n").send(stats);
      assertThat(connection.reply().json().getString("userId")).isEqualTo("bob");
      connection.send(poke).send("\r\n").send(poke).send("\r\n").send(stats);
      assertThat(connection.reply().json().getString("userId")).isEqualTo("alice");
      assertThat(connection.reply().json().getString("userId")).isEqualTo("alice");
      assertThat(connection.reply().json().getString("userId")).isEqualTo("bob");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a:-1", "a:+1", "a:", "a:x", "a:65536", "a:999999", "a:1:2", "a:0x1", "a: 1", ":1", "",
            "a b",
        "a,b", "a/b", "a?b", "a#b", "a@b", "user:pw@a", "a\\b", "a\"", "<a>", "[::1", "::1", "[]",
        "[::1]x", "[::1]:x", "[::1]:", "[g::1]", "[::1%25eth0]", "a\t", "a%41", "\u00e9", "a;b",
            "[v1.a]"
      })
  void aHostThatIsNoneIsRefused(String host) {
    // what stands at the end of a field is no part of it
    int status = host.equals("a\t") ? 404 : 400;
    if (status == 400) {
      refusal(400, "GET /none HTTP/1.1", "Host: " + host + "\r\n");
    } else {
      assertThat(client.send(HttpRequest.of("GET", "/none").with("Host", host)).status())
          .isEqualTo(status);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a",
        "a.b",
        "A.B",
        "a.",
        "auth_server",
        "a-b.c",
        "xn--nxasmq6b",
        "127.0.0.1",
        "127.0.0.1:1",
        "a:0",
        "a:65535",
        "a:080",
        "[::1]",
        "[::1]:8000",
        "[2001:DB8::1]",
        "[::ffff:1.2.3.4]"
      })
  void anyHostIsTaken(String host) {
    HttpRequest stats = HttpRequest.api("GET", "/stats").by(client.token("alice"));

    assertThat(client.send(stats.with("Host", host)).status()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        ": a",
        "A : b",
        "A\t: b",
        " A: b",
        "\tA: b",
        "A: b\r\n c",
        "A\0: b",
        "A: \0",
        "A: b\u0001",
        "A: b\u007f",
        "A: b\u000bc",
        "A(: b",
        "A\u00e9: b",
        "A",
        "Host: h",
        "A: b\nB: c",
        "A: b\rB: c"
      })
  void aFieldThatIsNoneIsRefused(String field) {
    refusal(400, "GET " + API + "/stats HTTP/1.1", "Host: h\r\n" + by + field + "\r\n");
    refusal(400, "GET " + API + "/stats HTTP/1.1", "Host: h\r\n" + field + "\r\n" + by);
  }

  @Test
  void aRequestWithoutAHostIsRefused() {
    refusal(400, "GET " + API + "/stats HTTP/1.1", by);
  }

  @ParameterizedTest
  @CsvSource({
    "POST, /%72evoke",
    "POST, /revok%65",
    "POST, /revoke/",
    "POST, //revoke",
    "POST, /./revoke",
    "POST, /x/../revoke",
    "POST, /revoke;x",
    "POST, /;x/revoke",
    "POST, /Revoke",
    "POST, /REVOKE",
    "POST, /revoke%20",
    "POST, /revoke%00",
    "POST, /revoke%2F",
    "POST, %2Frevoke",
    "POST, /revoke/.",
    "POST, /revoke/..%2F",
    "POST, /%2e/revoke",
    "POST, /x/%2e%2e/revoke",
    "POST, /revoke%3Fa",
    "DELETE, /%72ooms/x",
    "DELETE, /rooms/x/",
    "DELETE, //rooms/x",
    "DELETE, /rooms//x",
    "DELETE, /rooms/x/.",
    "DELETE, /rooms;a/x",
    "DELETE, /Rooms/x",
    "DELETE, /rooms%2Fx",
    "GET, /rooms/x/%6Dembers",
    "GET, /rooms/x/members/",
    "GET, /rooms/x;/y/members",
  })
  void aRouteHasOneSpelling(String method, String route) {
    String scope = "replicache:revoke";

    HttpReply reply =
        client.send(HttpRequest.api(method, route).by(client.token("alice", scope)).with("{}"));

    Problems.detail(reply, 404);
  }

  @Test
  void noOtherSpellingOfTheWholePathIsARoute() {
    for (String path :
        new String[] {
          "/%61pi/v1/replicache/stats",
          "//api/v1/replicache/stats",
          "/api//v1/replicache/stats",
          "/api/v1/./replicache/stats",
          "/api/v1/x/../replicache/stats",
          "/API/v1/replicache/stats",
          "/api;a/v1/replicache/stats",
          "http://localhost//api/v1/replicache/stats",
          "http://localhost/api/v1/replicache/%73tats",
        }) {
      HttpReply reply = client.send(HttpRequest.of("GET", path).by(client.token("alice")));

      assertThat(reply.status()).as(path).isEqualTo(404);
    }
  }

  /// RFC 9112, section 3.2.2: a server has to take the absolute form.
  @Test
  void aWholeUriOfThisServerIsAsGoodAsItsPath() {
    HttpRequest stats =
        HttpRequest.of("GET", "HTTP://LocalHost" + API + "/stats").by(client.token("alice"));

    assertThat(client.send(stats).status()).isEqualTo(200);
    Problems.detail(client.send(stats.with("Host", "elsewhere")), 400);
  }

  @ParameterizedTest
  @CsvSource({"CONNECT, /stats, 405", "TRACE, /stats, 405", "CONNECT, /none, 404"})
  void aMethodThatARouteDoesNotTakeIsNotRun(String method, String route, int status) {
    Problems.detail(client.send(HttpRequest.api(method, route).by(client.token("alice"))), status);
  }

  @Test
  void theWholeServerHasNoOptions() {
    assertThat(client.send(HttpRequest.of("OPTIONS", "*")).status()).isEqualTo(404);
  }
}
