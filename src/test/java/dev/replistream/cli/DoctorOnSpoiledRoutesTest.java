package dev.replistream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What the doctor says where a proxy answers other routes than the stream in the service's place.
@Timeout(60)
final class DoctorOnSpoiledRoutesTest {
  private static final String OK = "200 OK";

  private static LiveService service;

  @BeforeAll
  static void start(@TempDir Path dataDir) {
    service =
        new LiveService(
            dataDir, Map.of("REPLISTREAM_CORS_ALLOW_ORIGINS", "https://app.example.com"));
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  /// Runs the doctor behind a proxy that answers requests which hold `part` itself.
  private static CommandRun doctor(String part, String status, String body, String... options)
      throws Exception {
    try (SpoilingProxy proxy =
        SpoilingProxy.ofAll(
            service,
            exchange -> {
              if (exchange.requestHead().contains(part)) {
                answer(exchange, status, body);
              } else {
                exchange.pass();
              }
            })) {
      String[] args = new String[options.length + 4];
      args[0] = "doctor";
      args[1] = proxy.url();
      args[2] = "--user";
      args[3] = "demo";
      System.arraycopy(options, 0, args, 4, options.length);
      CommandRun doctor = service.start(args);
      var _ = doctor.exitCode();
      return doctor;
    }
  }

  private static void answer(SpoilingProxy.Exchange exchange, String status, String body)
      throws IOException {
    String type = body.startsWith("data:") ? "text/event-stream" : "application/json";
    exchange.write(
        "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
            .formatted(status, type, body.length(), body));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/poke-user | 200 OK          | {'clientsNotified':0} | poke   | nobody knows of the stream | Several nodes",
        "/poke-user | 405 Not Allowed | <html>                | poke   | 405: not an answer of Replistream | poke-user must reach",
        "/poke-user | 429 Slow Down   | {'detail':'Later.'}   | poke   | 429: Later. | poke-user must reach",
        "/ticket    | 404 Not Found   | <html>                | ticket | there is none: 404 | POST /api/v1/replicache/ticket",
        "/ticket    | 200 OK          | {}                    | ticket | there is none: 200 | POST /api/v1/replicache/ticket",
        "?ticket=   | 401 No          | {'detail':'Unknown.'} | ticket | a fresh one opens no stream: 401: Unknown. | share their tickets",
        "?ticket=   | 200 OK          | <html>                | ticket | its stream brings no event | all the streams",
      })
  void aRouteThatDoesNotReachTheServiceFails(
      String part, String status, String body, String subject, String finding, String advice)
      throws Exception {
    CommandRun doctor = doctor(part, status, body.replace('\'', '"'));

    assertThat(doctor.exitCode()).isEqualTo(1);
    assertThat(doctor.out().toString())
        .containsPattern("(?m)^FAIL +%s +.*%s.*\n +-> .*%s".formatted(subject, finding, advice));
  }

  @Test
  void aCacheThatLetsATicketInTwiceFails() throws Exception {
    CommandRun doctor = doctor("?ticket=", OK, "data: connected\n\n");

    assertThat(doctor.exitCode()).isEqualTo(1);
    assertThat(doctor.out().toString())
        .containsPattern("FAIL +ticket +it opened a second stream\n +-> .*cache");
  }

  @Test
  void aServiceThatDoesNotSayHowManyStreamsThereAreIsNoted() throws Exception {
    CommandRun doctor = doctor("/stats", "404 Not Found", "<html>");

    assertThat(doctor.exitCode()).isZero();
    assertThat(doctor.out().toString()).containsPattern("warn +close +.*how many streams");
  }

  @ParameterizedTest
  @CsvSource({"401 Unauthorized", "204 No Content"})
  void aPreflightThatAProxyAnswersFails(String status) throws Exception {
    CommandRun doctor = doctor("OPTIONS ", status, "", "--origin", "https://app.example.com");

    assertThat(doctor.exitCode()).isEqualTo(1);
    assertThat(doctor.out().toString())
        .containsPattern(
            "FAIL +CORS +a page of https://app.example.com may not send its token: the preflight was"
                + " answered with status "
                + status.substring(0, 3));
  }

  @Test
  void aSecondAllowOriginOfAProxyFails() throws Exception {
    try (SpoilingProxy proxy =
        SpoilingProxy.ofAll(
            service,
            exchange -> exchange.pass(exchange.head() + "\r\nAccess-Control-Allow-Origin: *"))) {
      CommandRun doctor =
          service.start(
              "doctor", proxy.url(), "--user", "demo", "--origin", "https://app.example.com");

      assertThat(doctor.exitCode()).isEqualTo(1);
      assertThat(doctor.out().toString())
          .containsPattern(
              "FAIL +CORS +.*Access-Control-Allow-Origin is https://app.example.com and \\*");
    }
  }
}
