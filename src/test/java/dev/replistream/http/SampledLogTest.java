package dev.replistream.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.LogCapture;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// The first lines of a kind are written at once, and the rest is counted.
class SampledLogTest {
  private static final Duration LONG = Duration.ofHours(1);
  private static final Duration SHORT = Duration.ofMillis(40);

  private final Logger logger = System.getLogger(SampledLogTest.class.getName());

  @Test
  void theFirstFewAreWrittenAsTheyHappen() {
    try (LogCapture log = new LogCapture()) {
      SampledLog sampled = new SampledLog(logger, LONG);
      for (int i = 0; i < 1000; i++) {
        int number = i;
        sampled.log(Level.INFO, "refused", () -> "event=refused number=" + number);
      }

      assertThat(log.lines("refused"))
          .containsExactly(
              "event=refused number=0",
              "event=refused number=1",
              "event=refused number=2",
              "event=refused number=3",
              "event=refused number=4");
    }
  }

  @Test
  void aLineLaterSaysHowManyWereLeftOut() {
    try (LogCapture log = new LogCapture()) {
      SampledLog sampled = new SampledLog(logger, SHORT);
      for (int i = 0; i < 1000; i++) {
        sampled.log(Level.INFO, "refused", () -> "event=refused");
      }

      aPausePasses();
      sampled.log(Level.INFO, "refused", () -> "event=refused");

      assertThat(counted(log.lines("refused"))).isEqualTo(1001);
      assertThat(log.lines("refused").getLast()).matches("event=refused left-out=\\d+");
    }
  }

  @Test
  void afterAQuietTimeTheNextIsWrittenAtOnceAgain() {
    try (LogCapture log = new LogCapture()) {
      SampledLog sampled = new SampledLog(logger, SHORT);
      for (int i = 0; i < 5; i++) {
        sampled.log(Level.INFO, "refused", () -> "event=refused");
      }
      for (int i = 0; i < 5; i++) {
        aPausePasses();
      }
      sampled.log(Level.INFO, "refused", () -> "event=refused");

      assertThat(log.lines("refused")).hasSize(6).noneMatch(line -> line.contains("left-out"));
    }
  }

  @Test
  void oneKindDoesNotHideAnother() {
    try (LogCapture log = new LogCapture()) {
      SampledLog sampled = new SampledLog(logger, LONG);
      for (int i = 0; i < 100; i++) {
        sampled.log(Level.INFO, "refused", () -> "event=refused");
      }
      sampled.log(Level.INFO, "malformed", () -> "event=malformed");

      assertThat(log.lines("malformed")).hasSize(1);
    }
  }

  @Test
  void moreKindsThanAnyCodeHasCountAsOne() {
    try (LogCapture log = new LogCapture()) {
      SampledLog sampled = new SampledLog(logger, LONG);
      for (int i = 0; i < 10_000; i++) {
        sampled.log(Level.INFO, "kind-" + i, () -> "event=odd");
      }

      assertThat(log.lines("odd")).hasSize(256 + 5);
    }
  }

  @Test
  void noneIsLostBetweenThreads() {
    try (LogCapture log = new LogCapture()) {
      SampledLog sampled = new SampledLog(logger, SHORT);
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < 40_000; i++) {
          threads.execute(() -> sampled.log(Level.INFO, "refused", () -> "event=refused"));
        }
      }

      aPausePasses();
      sampled.log(Level.INFO, "refused", () -> "event=refused");

      assertThat(counted(log.lines("refused"))).isEqualTo(40_001);
    }
  }

  @Test
  void aTraceGoesWithTheFirstLinesOnly() {
    try (LogCapture log = new LogCapture()) {
      SampledLog sampled = new SampledLog(logger, LONG);
      for (int i = 0; i < 100; i++) {
        sampled.log(Level.ERROR, "bug", () -> "event=error", new IllegalStateException("x"));
      }

      assertThat(log.warnings()).hasSize(5);
    }
  }

  @Test
  void aLineThatIsNotWrittenIsNotMade() {
    AtomicInteger made = new AtomicInteger();
    SampledLog sampled = new SampledLog(System.getLogger("org.example.quiet"), LONG);
    for (int i = 0; i < 100; i++) {
      sampled.log(Level.TRACE, "refused", () -> "event=refused " + made.incrementAndGet());
    }

    assertThat(made).hasValue(0);
  }

  @Test
  void whatSomebodySentIsCutAndStandsOnOneLine() {
    assertThat(SampledLog.quoted("a\nevent=stop")).isEqualTo("\"a\\nevent=stop\"");
    assertThat(SampledLog.quoted("x".repeat(200))).isEqualTo('"' + "x".repeat(200) + '"');
    assertThat(SampledLog.quoted("x".repeat(1 << 20))).isEqualTo('"' + "x".repeat(199) + "…\"");
  }

  private static void aPausePasses() {
    long start = System.nanoTime();
    Eventually.holds("a pause", () -> System.nanoTime() - start > SHORT.toNanos());
  }

  private static long counted(List<String> lines) {
    return lines.stream()
        .mapToLong(line -> {
          int at = line.indexOf(" left-out=");
          return at < 0 ? 1 : 1 + Long.parseLong(line.substring(at + 10));
        })
        .sum();
  }
}
