package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The form of the log as the operator reads it.
class LogsTest {
  private static final String TIME = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z ";

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final Logger root = Logger.getLogger("");
  private final Logger ours = Logger.getLogger("dev.replistream");
  private final List<Handler> handlersBefore = List.of(root.getHandlers());
  private final Logger parser = Logger.getLogger("io.helidon.webserver.http1.Http1Connection");
  private final java.util.logging.@Nullable Level parserLevelBefore = parser.getLevel();
  private final java.util.logging.@Nullable Level rootLevelBefore = root.getLevel();
  private final java.util.logging.@Nullable Level ourLevelBefore = ours.getLevel();
  private final System.Logger logger = System.getLogger("dev.replistream.Something");

  private void start(Level level) {
    Logs.start(level, new PrintStream(out, true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void restore() {
    for (Handler handler : root.getHandlers()) {
      root.removeHandler(handler);
    }
    handlersBefore.forEach(root::addHandler);
    root.setLevel(rootLevelBefore);
    ours.setLevel(ourLevelBefore);
    parser.setLevel(parserLevelBefore);
  }

  private List<String> lines() {
    return out.toString(StandardCharsets.UTF_8).lines().toList();
  }

  @Test
  void aLineIsTimeLevelAndMessage() {
    start(Level.INFO);

    logger.log(Level.INFO, "event=x port={0,number,#} name={1}", 8000, "ü");

    assertThat(lines()).hasSize(1);
    assertThat(lines().getFirst()).matches(TIME + "level=INFO event=x port=8000 name=ü");
  }

  @ParameterizedTest
  @CsvSource({
    "TRACE, DEBUG INFO WARN ERROR",
    "DEBUG, DEBUG INFO WARN ERROR",
    "INFO, INFO WARN ERROR",
    "WARNING, WARN ERROR",
    "ERROR, ERROR",
    "OFF, ''",
  })
  void whatIsBelowTheLevelIsNotLogged(Level level, String logged) {
    start(level);

    for (Level each : List.of(Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR)) {
      logger.log(each, "event=x");
    }

    assertThat(String.join(" ", lines().stream().map(LogsTest::level).toList())).isEqualTo(logged);
  }

  private static String level(String line) {
    return line.replaceAll(".* level=(\\w+) .*", "$1");
  }

  @Test
  void ofOthersOnlyWarningsAreLogged() {
    start(Level.DEBUG);

    System.getLogger("org.other").log(Level.INFO, "started");
    System.getLogger("org.other").log(Level.WARNING, "beware");

    assertThat(lines()).hasSize(1);
    assertThat(lines().getFirst()).matches(TIME + "level=WARN beware");
  }

  @Test
  void noMessageIsMoreThanALine() {
    start(Level.INFO);

    logger.log(Level.INFO, "event=x path=a\nevent=stop\r\nb\u2028c\u0085d\u000be");

    assertThat(lines()).hasSize(1);
    assertThat(lines().getFirst()).endsWith(" path=a event=stop b c d e");
  }

  @Test
  void aStackTraceIsSetInSoThatNoneOfItsLinesLooksLikeAnEvent() {
    start(Level.INFO);

    logger.log(
        Level.ERROR, "event=error", new IllegalStateException("bad\n2026 level=INFO event=stop"));

    assertThat(lines().getFirst()).matches(TIME + "level=ERROR event=error");
    assertThat(lines()).hasSizeGreaterThan(3);
    assertThat(lines().subList(1, lines().size())).allMatch(line -> line.startsWith("  "));
    assertThat(lines().get(1)).isEqualTo("  java.lang.IllegalStateException: bad");
  }

  @Test
  void whatAnybodyCanSendFillsNoLog() {
    start(Level.INFO);
    try (TestService service = TestService.start();
        HttpConnection connection = service.client().connect()) {
      connection.send("G\u0001T / HTTP/1.1\r\nHost: h\r\n\r\n");
      assertThat(connection.reply().status()).isEqualTo(400);
      assertThat(connection.rest()).isEmpty();
    }

    assertThat(lines()).hasSize(3);
    assertThat(lines().getFirst()).contains(" event=start ");
    assertThat(lines().getLast()).endsWith(" event=stop");
  }
}
