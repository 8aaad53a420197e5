package dev.replistream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.cli.SpoilingProxy.Spoiler;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What the doctor says of a good service behind a proxy that spoils its streams.
@Timeout(60)
final class DoctorOnSpoiledStreamTest {
  private static LiveService service;

  @BeforeAll
  static void start(@TempDir Path dataDir) {
    service = new LiveService(dataDir);
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  private record Result(int exitCode, String out) {}

  private static Result doctor(SpoilingProxy proxy, String... options) throws Exception {
    String token = service.token("demo");
    String[] args = new String[options.length + 4];
    args[0] = "doctor";
    args[1] = proxy.url();
    args[2] = "--token";
    args[3] = token;
    System.arraycopy(options, 0, args, 4, options.length);
    CommandRun doctor = service.start(args);
    int exitCode = doctor.exitCode();
    assertThat(doctor.err().toString()).isEmpty();
    assertThat(doctor.out().toString()).doesNotContain(token);
    return new Result(exitCode, doctor.out().toString());
  }

  private static Result doctorBehind(Spoiler spoiler, String... options) throws Exception {
    try (SpoilingProxy proxy = SpoilingProxy.ofStreams(service, spoiler)) {
      return doctor(proxy, options);
    }
  }

  private static Result doctorWithHead(String part, String replacement) throws Exception {
    return doctorBehind(exchange -> exchange.pass(exchange.head().replaceFirst(part, replacement)));
  }

  private static void assertFailed(Result result, String subject, String finding, String advice) {
    assertThat(result.out())
        .containsPattern("(?m)^FAIL +" + subject + " +.*" + finding + ".*\n +-> .*" + advice);
    assertThat(result.exitCode()).isEqualTo(1);
  }

  private static void assertWarned(Result result, String subject, String finding) {
    assertThat(result.out())
        .containsPattern("(?m)^warn +" + subject + " +.*" + finding + ".*\n +-> ")
        .contains("0 failed, 1 to look at.");
    assertThat(result.exitCode()).isZero();
  }

  @Test
  void aProxyThatSpoilsNothingIsWell() throws Exception {
    Result result = doctorBehind(SpoilingProxy.Exchange::pass);

    assertThat(result.out()).endsWith("All is well.\n");
    assertThat(result.exitCode()).isZero();
  }

  @Test
  void compressionFails() throws Exception {
    Result result =
        doctorBehind(exchange -> {
          exchange.write(exchange.head() + "\r\nContent-Encoding: gzip\r\n\r\n");
          try (GZIPOutputStream gzip = new GZIPOutputStream(exchange.client(), true)) {
            exchange.body().transferTo(gzip);
          }
        });

    assertFailed(result, "compression", "gzip", "gzip_types");
    assertThat(result.out()).doesNotContain("first event");
  }

  @Test
  void aHeldBackBodyFails() throws Exception {
    Result result =
        doctorBehind(exchange -> {
          exchange.write(exchange.head() + "\r\n\r\n");
          exchange.swallow();
        });

    assertFailed(result, "first event", "none within 2 s", "proxy_buffering off");
  }

  @Test
  void aHeldBackResponseFails() throws Exception {
    Result result = doctorBehind(SpoilingProxy.Exchange::swallow);

    assertFailed(result, "connection", "no answer within 5 s", "proxy_buffering off");
  }

  @Test
  void lostPokesFail() throws Exception {
    Result result =
        doctorBehind(exchange -> {
          exchange.write(exchange.head() + "\r\n\r\n" + event(exchange));
          exchange.swallow();
        });

    assertFailed(result, "poke", "no sync within 3 s", "proxy_buffering off");
  }

  @Test
  void aLateBeginningFails(@TempDir Path dataDir) throws Exception {
    try (LiveService pinging =
            new LiveService(dataDir, Map.of("REPLISTREAM_STREAM_PING_INTERVAL", "PT2.1S"));
        SpoilingProxy proxy =
            SpoilingProxy.ofStreams(
                pinging,
                exchange -> {
                  String events = event(exchange) + event(exchange); // the ping passes them on
                  exchange.pass(exchange.head() + "\r\n\r\n" + events.strip());
                })) {
      CommandRun doctor = pinging.start("doctor", proxy.url());

      assertFailed(
          new Result(doctor.exitCode(), doctor.out().toString()),
          "first event",
          "connected, but after 2 s",
          "proxy_buffering off");
    }
  }

  @Test
  void oneLatePokeOfFiveFails(@TempDir Path dataDir) throws Exception {
    AtomicInteger syncs = new AtomicInteger();
    try (LiveService pinging =
            new LiveService(dataDir, Map.of("REPLISTREAM_STREAM_PING_INTERVAL", "PT1.1S"));
        SpoilingProxy proxy =
            SpoilingProxy.ofStreams(
                pinging,
                exchange -> {
                  exchange.write(exchange.head() + "\r\n\r\n");
                  String event = event(exchange);
                  while (!event.isEmpty()) {
                    if (event.contains("sync") && syncs.incrementAndGet() == 3) {
                      event += event(exchange); // passed on with the ping that follows it
                    }
                    exchange.write(event);
                    event = event(exchange);
                  }
                })) {
      CommandRun doctor = pinging.start("doctor", proxy.url());

      assertFailed(
          new Result(doctor.exitCode(), doctor.out().toString()),
          "poke",
          "slow: 5 pokes took \\d+, \\d+, 1\\d\\d\\d, \\d+, \\d+ ms",
          "proxy_buffering off");
    }
  }

  @Test
  void aStreamThatIsOverAtOnceFails() throws Exception {
    Result result = doctorBehind(exchange -> exchange.write(exchange.head() + "\r\n\r\n"));

    assertFailed(result, "first event", "the stream was over after", "log of the service");
  }

  @Test
  void aStreamThatIsOverBeforeItsSyncFails() throws Exception {
    Result result =
        doctorBehind(exchange -> exchange.write(exchange.head() + "\r\n\r\n" + event(exchange)));

    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.out()).containsPattern("FAIL +poke");
  }

  @Test
  void aConnectionThatIsClosedWithoutAnAnswerFails() throws Exception {
    Result result = doctorBehind(_ -> {});

    assertFailed(result, "connection", "closed the connection without an answer", "https://");
  }

  @Test
  void anotherContentTypeFails() throws Exception {
    Result result = doctorWithHead("text/event-stream", "text/plain");

    assertFailed(result, "Content-Type", "text/plain instead of text/event-stream", "URL");
    assertThat(result.out()).doesNotContain("first event");
  }

  @Test
  void noContentTypeFails() throws Exception {
    assertFailed(
        doctorWithHead("Content-Type: text/event-stream\r\n", ""),
        "Content-Type",
        "missing instead of",
        "URL");
  }

  @Test
  void aParameterOfTheContentTypeIsNoted() throws Exception {
    assertWarned(
        doctorWithHead("text/event-stream", "text/event-stream;charset=utf-8"),
        "Content-Type",
        "charset=utf-8");
  }

  @Test
  void aStreamThatMayBeTransformedFails() throws Exception {
    assertFailed(
        doctorWithHead("no-cache, no-transform", "no-cache"),
        "Cache-Control",
        "without no-transform",
        "pass the service's header on");
  }

  @Test
  void aMissingAccelBufferingIsNoted() throws Exception {
    assertWarned(doctorWithHead("X-Accel-Buffering: no\r\n", ""), "X-Accel-Buffering", "missing");
  }

  @Test
  void aMissingAccelBufferingIsWellBehindNginx() throws Exception {
    Result result = doctorWithHead("X-Accel-Buffering: no\r\n", "Server: nginx/1.27.4\r\n");

    assertThat(result.out()).containsPattern("ok +X-Accel-Buffering +.*nginx keeps it");
    assertThat(result.exitCode()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "-3600, FAIL, 3[56]\\d\\d s|59 min|60 min, behind",
    "-34, FAIL, 3\\d s, behind",
    "-9, warn, [789] s, behind",
    "9, warn, [789] s, ahead of",
    "34, FAIL, 3\\d s, ahead of",
    "0, ok, the same as here, ''"
  })
  void clocksAreCompared(int seconds, String level, String skew, String direction)
      throws Exception {
    String date =
        DateTimeFormatter.RFC_1123_DATE_TIME.format(
            Instant.now().plusSeconds(seconds).atOffset(ZoneOffset.UTC));
    Result result = doctorWithHead("Date: [^\r]*", "Date: " + date);

    assertThat(result.out())
        .containsPattern("(?m)^%s +clock +(%s).*%s".formatted(level, skew, direction));
    assertThat(result.exitCode()).isEqualTo(level.equals("FAIL") ? 1 : 0);
  }

  @ParameterizedTest
  @CsvSource({"''", "Date: yesterday\r\n"})
  void aMissingDateIsNoted(String other) throws Exception {
    assertWarned(doctorWithHead("Date: [^\r]*\r\n", other), "clock", "no Date");
  }

  @Test
  void aChangedFirstEventFails() throws Exception {
    Result result =
        doctorBehind(exchange -> {
          event(exchange);
          exchange.pass(exchange.head() + "\r\n\r\ndata: hello\n");
        });

    assertFailed(result, "first event", "it is not connected but hello", "Replistream");
  }

  @Test
  void aFirstEventWithoutRetryAndIdFails() throws Exception {
    Result result =
        doctorBehind(exchange -> {
          event(exchange);
          exchange.write(exchange.head() + "\r\n\r\ndata: connected\n\n");
          exchange.body().transferTo(exchange.client());
        });

    assertFailed(result, "retry", "missing", "Replistream");
    assertFailed(result, "id", "missing", "Replistream");
  }

  @Test
  void aStreamThatIsCutInSilenceFails() throws Exception {
    AtomicInteger syncs = new AtomicInteger();
    Result result =
        doctorBehind(
            exchange -> {
              exchange.write(exchange.head() + "\r\n\r\n");
              while (syncs.get() < 5) {
                String event = event(exchange);
                if (event.contains("sync")) {
                  syncs.incrementAndGet();
                }
                exchange.write(event);
              }
            },
            "--wait");

    assertFailed(result, "ping", "the stream was over after", "proxy_read_timeout");
  }

  @Test
  void aPingThatDoesNotComeFails() throws Exception {
    Result result =
        doctorBehind(SpoilingProxy.Exchange::pass, "--wait", "--ping-interval", "PT0.01S");

    assertFailed(result, "ping", "none within 5 s of silence", "--ping-interval");
  }

  @Test
  void aProxyThatKeepsItsOwnConnectionFails() throws Exception {
    try (SpoilingProxy proxy = SpoilingProxy.keepingUpstream(service)) {
      assertFailed(
          doctor(proxy), "close", "still counts it after 3 s", "proxy_ignore_client_abort off");
    }
  }

  /// The next event, as it came; empty at the end.
  private static String event(SpoilingProxy.Exchange exchange) throws IOException {
    StringBuilder event = new StringBuilder();
    for (int b = exchange.body().read(); b >= 0; b = exchange.body().read()) {
      event.append((char) b);
      if (event.toString().endsWith("\n\n")) {
        break;
      }
    }
    return event.toString();
  }
}
