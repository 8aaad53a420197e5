package dev.replistream.cli;

import java.time.Duration;
import java.util.Locale;

/// Tells from time to time how far something has come. Confined to one thread.
final class Progress {
  private static final Duration PAUSE = Duration.ofSeconds(2);

  private final Terminal terminal;
  private final String unit;
  private final long startNanos = System.nanoTime();
  private long toldNanos = startNanos;

  /// @param unit what is counted, such as `lines`
  Progress(Terminal terminal, String unit) {
    this.terminal = terminal;
    this.unit = unit;
  }

  /// Tells how far it has come, if it is time to.
  ///
  /// @param all how many there are; 0 where that is not known
  void at(long done, long all) {
    long now = System.nanoTime();
    if (now - toldNanos >= PAUSE.toNanos()) {
      toldNanos = now;
      terminal.report(text(done, all, Duration.ofNanos(now - startNanos)));
    }
  }

  /// What is told.
  String text(long done, long all, Duration taken) {
    double perSecond = done / Math.max(taken.toNanos() / 1e9, 1e-3);
    String text =
        all > 0
            ? String.format(Locale.ROOT, "%,d of %,d %s, %,.0f/s", done, all, unit, perSecond)
            : String.format(Locale.ROOT, "%,d %s, %,.0f/s", done, unit, perSecond);
    return all > done && perSecond > 0
        ? text + String.format(Locale.ROOT, ", %,.0f s left", (all - done) / perSecond)
        : text;
  }

  /// How far it has come at its end.
  String end(long done) {
    return text(done, 0, Duration.ofNanos(System.nanoTime() - startNanos));
  }
}
