package dev.replistream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ReportTest {
  @ParameterizedTest
  @CsvSource({
    "PT0S, 0 s",
    "PT0.012S, 12 ms",
    "PT1S, 1 s",
    "PT1.5S, 1500 ms",
    "PT2.9S, 2 s",
    "PT119S, 119 s",
    "PT2M, 2 min",
    "PT119M59S, 119 min",
    "PT2H, 2 h",
    "PT47H59M, 47 h",
    "PT48H, 2 days"
  })
  void timesAreSpokenInTheUnitThatFits(Duration duration, String spoken) {
    assertThat(Report.spoken(duration)).isEqualTo(spoken);
  }

  @Test
  void whatAServerSaysCanNotForgeLinesOrMoveTheCursor() {
    Lines out = new Lines();
    Report report = new Report(new Terminal(out.writer(), out.writer()));

    report.ok("id", "a\nFAIL b\u001b[2J\tc\u0085");

    assertThat(out.toString().strip())
        .isEqualTo("ok    id                 a\\nFAIL b\\u001b[2J\\tc\\u0085");
  }

  @Test
  void aWarningIsNoFailure() {
    Lines out = new Lines();
    Report report = new Report(new Terminal(out.writer(), out.writer()));

    report.warn("a", "b", "c");
    assertThat(report.isHealthy()).isTrue();

    report.fail("d", "e", "f");
    report.conclude();
    assertThat(report.isHealthy()).isFalse();
    assertThat(out.toString())
        .contains("warn  a", "      -> c", "FAIL  d", "      -> f", "1 failed, 1 to look at.");
  }
}
