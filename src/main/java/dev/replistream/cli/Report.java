package dev.replistream.cli;

import java.time.Duration;
import java.util.Locale;

/// What the doctor found, a line each: `ok`, `warn` or `FAIL`, what was looked at, what was found,
/// and below it what to do. Confined to the thread that runs the command.
final class Report {
  private static final int MINUTE_SECONDS = 60;
  private static final int HOUR_SECONDS = 60 * MINUTE_SECONDS;
  private static final int DAY_SECONDS = 24 * HOUR_SECONDS;
  private static final int FEW = 2; // up to so many of a unit are told in the next smaller one

  private final Terminal terminal;
  private int warnings;
  private int failures;

  Report(Terminal terminal) {
    this.terminal = terminal;
  }

  /// Something is as it should be.
  void ok(String subject, String finding) {
    line("ok", subject, finding);
  }

  /// Something works, but not for everyone or not for long.
  void warn(String subject, String finding, String advice) {
    warnings++;
    line("warn", subject, finding);
    advise(advice);
  }

  /// Something does not work.
  void fail(String subject, String finding, String advice) {
    failures++;
    line("FAIL", subject, finding);
    advise(advice);
  }

  /// Whether nothing failed.
  boolean isHealthy() {
    return failures == 0;
  }

  /// The last line.
  void conclude() {
    terminal.print(
        failures == 0 && warnings == 0
            ? "All is well."
            : "%s failed, %s to look at.".formatted(failures, warnings));
  }

  private void line(String level, String subject, String finding) {
    terminal.print(String.format(Locale.ROOT, "%-5s %-18s %s", level, subject, finding));
  }

  private void advise(String advice) {
    terminal.print(" ".repeat(6) + "-> " + advice);
  }

  /// A time as one says it, such as `12 ms`, `2 s` or `59 min`, rounded down.
  static String spoken(Duration duration) {
    long seconds = duration.toSeconds();
    if (duration.toMillis() % 1000 != 0 && seconds < FEW) {
      return duration.toMillis() + " ms";
    }
    if (seconds < FEW * MINUTE_SECONDS) {
      return seconds + " s";
    }
    if (seconds < FEW * HOUR_SECONDS) {
      return seconds / MINUTE_SECONDS + " min";
    }
    return seconds < FEW * DAY_SECONDS
        ? seconds / HOUR_SECONDS + " h"
        : seconds / DAY_SECONDS + " days";
  }
}
