package dev.replistream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class DoctorOnGoodServiceTest {
  private static LiveService service;

  @BeforeAll
  static void start(@TempDir Path dataDir) {
    service =
        new LiveService(
            dataDir,
            Map.of(
                "REPLISTREAM_STREAM_PING_INTERVAL", "PT0.3S",
                "REPLISTREAM_CORS_ALLOW_ORIGINS", "https://app.example.com"));
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  @Test
  void allIsWellAndSaidLineByLine() throws Exception {
    CommandRun doctor = service.start("doctor");

    assertThat(doctor.exitCode()).as(doctor.out().toString()).isZero();
    assertThat(doctor.err().toString()).isEmpty();
    assertThat(doctor.out().toString().lines().map(DoctorOnGoodServiceTest::subject))
        .containsExactly(
            "Looking at " + service.url() + "/api/v1/replicache/stream",
            "ok    token",
            "ok    status",
            "ok    Content-Type",
            "ok    compression",
            "ok    Cache-Control",
            "ok    X-Accel-Buffering",
            "ok    clock",
            "ok    first event",
            "ok    retry",
            "ok    id",
            "ok    poke",
            "ok    close",
            "ok    ticket",
            "All is well.");
    assertThat(doctor.out().toString())
        .containsPattern("ok +token +of user demo, good for 60 min")
        .containsPattern("ok +retry +2 s")
        .containsPattern("ok +poke +5 pokes took \\d+, \\d+, \\d+, \\d+, \\d+ ms");
  }

  private static String subject(String line) {
    return line.matches("(ok|warn|FAIL) .*") ? line.substring(0, 24).strip() : line;
  }

  @Test
  void theUrlMayBeThatOfTheStreamAndTheUserAnother() throws Exception {
    CommandRun doctor =
        service.start("doctor", "--user", "bob", service.url() + "/api/v1/replicache/stream");

    assertThat(doctor.exitCode()).isZero();
    assertThat(doctor.out().toString()).contains("of user bob");
  }

  @Test
  void theUrlAndTheTokenMayStandInTheEnvironment() throws Exception {
    String token = service.token("eve");
    CommandRun doctor =
        service.startWith(
            Map.of(
                "REPLISTREAM_URL",
                service.url() + "/",
                "REPLISTREAM_TOKEN",
                token,
                "REPLISTREAM_PORT",
                "1"),
            "doctor");

    assertThat(doctor.exitCode()).isZero();
    assertThat(doctor.out().toString()).contains("of user eve").doesNotContain(token);
  }

  @Test
  void aPingIsWaitedForOnRequest() throws Exception {
    CommandRun doctor = service.start("doctor", "--wait", "--ping-interval", "PT0.3S");

    assertThat(doctor.exitCode()).isZero();
    assertThat(doctor.out().toString()).containsPattern("ok +ping +after \\d+ ms of silence");
  }

  @Test
  void anAllowedOriginIsWell() throws Exception {
    CommandRun doctor = service.start("doctor", "--origin", "https://app.example.com");

    assertThat(doctor.exitCode()).isZero();
    assertThat(doctor.out().toString())
        .containsPattern("ok +CORS +a page of https://app.example.com may open a stream");
  }

  @Test
  void anotherOriginFails() throws Exception {
    CommandRun doctor = service.start("doctor", "--origin", "https://evil.example.com");

    assertThat(doctor.exitCode()).isEqualTo(1);
    assertThat(doctor.out().toString())
        .containsPattern("FAIL +CORS +a page of https://evil.example.com may not read the stream")
        .contains("replistream.cors.allow-origins")
        .contains("1 failed, 0 to look at.");
  }

  @Test
  void nothingOfTheExaminationIsLeftBehind() throws Exception {
    CommandRun doctor = service.start("doctor", "--user", "nobody-else");

    assertThat(doctor.exitCode()).isZero();
    long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    String last = "";
    while (!last.equals("notified 0 connections of nobody-else\n")
        && System.nanoTime() - deadline < 0) {
      CommandRun poke = service.start("poke", "--user", "nobody-else");
      assertThat(poke.exitCode()).isZero();
      last = poke.out().toString();
    }
    assertThat(last).isEqualTo("notified 0 connections of nobody-else\n");
  }
}
