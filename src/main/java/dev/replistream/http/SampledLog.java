package dev.replistream.http;

import dev.replistream.json.Json;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The log of what strangers can cause as often as they like. Of each kind the first lines are
/// written at once; then one every few seconds, which says how many were left out before it. So a
/// flood fills no disk and hides nothing else, and a single refusal is still seen when it happens.
///
/// Thread-safe. A line that is left out costs a look at a map and a short lock. It keeps a count a
/// kind, of at most 256 kinds; whatever is beyond them counts as one.
public final class SampledLog {
  private static final int BURST = 5;
  private static final Duration PAUSE = Duration.ofSeconds(5);
  private static final int MAX_KINDS = 256;
  private static final Pattern WORD = Pattern.compile("[A-Za-z0-9.:_-]{1,64}");
  private static final int MAX_QUOTED = 200;

  private final Logger logger;
  private final long pauseNanos;
  private final Map<String, Kind> kinds = new ConcurrentHashMap<>();
  private final Kind others = new Kind();

  /// A log that writes 5 lines of a kind at once, and then one every 5 seconds.
  public SampledLog(Logger logger) {
    this(logger, PAUSE);
  }

  SampledLog(Logger logger, Duration pause) {
    this.logger = logger;
    this.pauseNanos = pause.toNanos();
  }

  /// Writes a line, or counts it.
  ///
  /// @param kind what lines of this kind share, chosen by the code and never by who is on the wire
  /// @param line the whole line; asked for only when it is to be written
  public void log(Level level, String kind, Supplier<String> line) {
    log(level, kind, line, null);
  }

  /// Writes a line with a stack trace, or counts it.
  ///
  /// @param kind what lines of this kind share, chosen by the code and never by who is on the wire
  /// @param line the whole line; asked for only when it is to be written
  public void log(Level level, String kind, Supplier<String> line, @Nullable Throwable thrown) {
    if (logger.isLoggable(level)) {
      kind(kind).log(level, line, thrown);
    }
  }

  /// What somebody sent, as it may stand in a line: a JSON string of at most 200 characters of it.
  public static String quoted(String sent) {
    return Json.quoted(
        sent.length() <= MAX_QUOTED ? sent : sent.substring(0, MAX_QUOTED - 1) + '…');
  }

  /// What somebody sent where a plain word is usual: as it is if it is one, else quoted.
  static String word(String sent) {
    return WORD.matcher(sent).matches() ? sent : quoted(sent);
  }

  private Kind kind(String name) {
    Kind known = kinds.get(name);
    if (known != null) {
      return known;
    }
    return kinds.size() < MAX_KINDS ? kinds.computeIfAbsent(name, _ -> new Kind()) : others;
  }

  private final class Kind {
    private final Object lock = new Object();
    // when all that was written is paid for, at a line a pause
    private long paidNanos = System.nanoTime();
    private long leftOut;

    void log(Level level, Supplier<String> text, @Nullable Throwable thrown) {
      long more;
      synchronized (lock) {
        long now = System.nanoTime();
        long paid = paidNanos - now > 0 ? paidNanos : now;
        if (paid - now > (BURST - 1) * pauseNanos) {
          leftOut++;
          return;
        }
        paidNanos = paid + pauseNanos;
        more = leftOut;
        leftOut = 0;
      }
      logger.log(level, more == 0 ? text.get() : text.get() + " left-out=" + more, thrown);
    }
  }
}
