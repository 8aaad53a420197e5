package dev.replistream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What the doctor says where no stream opens.
@Timeout(60)
final class DoctorOnRefusalTest {
  private static LiveService service;

  @BeforeAll
  static void start(@TempDir Path dataDir) {
    service = new LiveService(dataDir, Map.of("REPLISTREAM_STREAM_MAX_CONNECTIONS_PER_USER", "1"));
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  private static void assertFailed(CommandRun doctor, String subject, String finding, String advice)
      throws Exception {
    assertThat(doctor.exitCode()).isEqualTo(1);
    assertThat(doctor.out().toString())
        .containsPattern("(?m)^FAIL +%s +.*%s.*\n +-> .*%s".formatted(subject, finding, advice));
  }

  @Test
  void anExpiredTokenIsSaidToBeSo() throws Exception {
    String token = service.token("bob", Duration.ofHours(3), Duration.ofHours(1));
    CommandRun doctor = service.start("doctor", "--token", token);

    assertFailed(doctor, "token", "expired 2 h ago|expired 119 min ago", "Get a new one");
    assertFailed(doctor, "status", "401: The token has expired: get a new one.", "Authorization");
    assertThat(doctor.out().toString()).contains("ok    clock").doesNotContain(token);
  }

  @Test
  void aTokenFromTheFutureIsSaidToBeSo() throws Exception {
    String token = service.token("bob", Duration.ofHours(-3), Duration.ofHours(1));
    CommandRun doctor = service.start("doctor", "--token", token);

    assertFailed(doctor, "token", "its iat lies \\d+ (h|min) in the future", "clock");
    assertFailed(doctor, "status", "401: The nbf or iat of the token lies in the future", "");
  }

  @Test
  void aTokenOfAnotherKeyIsRefusedInTheServicesWords() throws Exception {
    String token = service.token("bob");
    CommandRun doctor =
        service.start(
            "doctor", "--token", token.substring(0, token.lastIndexOf('.') + 1) + "A".repeat(43));

    assertFailed(
        doctor, "status", "401: The signature of the token does not verify", "Authorization");
    assertThat(doctor.out().toString())
        .contains("ok    token")
        .doesNotContain(token.substring(0, 40));
  }

  @Test
  void tooManyStreamsAreSaidToBeSo() throws Exception {
    try (CommandRun watch = service.start("watch", "--user", "eve")) {
      var _ = watch.out().await("connected");
      CommandRun doctor = service.start("doctor", "--user", "eve");

      assertFailed(
          doctor,
          "status",
          "429: This user has 1 streams open",
          "It asks to try again after \\d+ s. .*max-connections-per-user");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "503 Unavailable  | This node is shutting down. | 503: This node is shutting down. | after 7 s. The node is full",
        "503 Unavailable  | ''             | 503: not an answer of Replistream | no service to pass this on to",
        "502 Bad Gateway  | ''             | 502: not an answer of Replistream | is it running",
        "504 Timeout      | ''             | 504: not an answer of Replistream | is it running",
        "401 Unauthorized | ''             | 401: not an answer of Replistream | a login of its own",
        "403 Forbidden    | ''             | 403: not an answer of Replistream | forbids the route",
        "404 Not Found    | Nothing here.  | 404: Nothing here.                | as it is; or the URL is wrong",
        "406 Unacceptable | Only events.   | 406: Only events.                 | the header Accept",
        "308 Moved        | ''             | 308: not an answer of Replistream | redirects to https://b.example/",
        "400 Bad Request  | ''             | 400: not an answer of Replistream | write https://",
        "505 Old          | Speak HTTP/1.1. | 505: Speak HTTP/1.1.            | proxy_http_version 1.1",
        "418 Teapot       | ''             | 418: not an answer of Replistream | The log of the service",
      })
  void everyStatusIsExplained(String status, String detail, String finding, String advice)
      throws Exception {
    try (ScriptedServer server =
        ScriptedServer.of(status, "Retry-After: 7\r\nLocation: https://b.example/\r\n", detail)) {
      assertFailed(
          service.start("doctor", server.url(), "--user", "demo"), "status", finding, advice);
    }
  }

  @Test
  void aRefusalThatAPageMayNotReadIsNotedToo() throws Exception {
    try (ScriptedServer server = ScriptedServer.of("503 Unavailable", "", "")) {
      CommandRun doctor =
          service.start("doctor", server.url(), "--user", "demo", "--origin", "https://a.example");

      assertFailed(doctor, "CORS", "Access-Control-Allow-Origin is missing", "allow-origins");
    }
  }

  @Test
  void nothingThatListensIsSaidToBeSo() throws Exception {
    int free = freePort();
    CommandRun doctor = service.start("doctor", "http://127.0.0.1:" + free, "--user", "demo");

    assertFailed(doctor, "connection", "nothing listens at 127.0.0.1:" + free, "port");
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  @Test
  void aServerThatSpeaksNoHttpIsSaidToBeSo() throws Exception {
    try (ScriptedServer server = new ScriptedServer(_ -> "SSH-2.0-OpenSSH_9.9\r\n")) {
      assertFailed(
          service.start("doctor", server.url(), "--user", "demo"), "connection", "broke", "log");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "localhost:8000",
        "ftp://a.example",
        "http://",
        "http://u:secret@a.example",
        "http://a.example?token=secret",
        "http://a.example/#x",
        "nonsense",
        "http://a b"
      })
  void whatIsNoAddressIsRefusedAndNotRepeated(String url) throws Exception {
    CommandRun doctor = service.start("doctor", url, "--user", "demo");

    assertThat(doctor.exitCode()).isEqualTo(2);
    assertThat(doctor.err().toString())
        .startsWith("replistream: the URL must be like https://example.com")
        .hasLineCount(1)
        .doesNotContain("secret");
  }

  @Test
  void whatIsNoOriginIsRefused() throws Exception {
    CommandRun doctor = service.start("doctor", "--origin", "a b");

    assertThat(doctor.exitCode()).isEqualTo(2);
    assertThat(doctor.err().toString()).contains("--origin: an origin is like").hasLineCount(1);
  }
}
