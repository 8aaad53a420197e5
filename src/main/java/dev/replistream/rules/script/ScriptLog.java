package dev.replistream.rules.script;

import dev.replistream.http.SampledLog;
import dev.replistream.json.Json;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/// What mutators log. In development mode each line is written; else, as users cause them, samples.
/// Thread-safe.
final class ScriptLog {
  private static final Logger LOGGER = System.getLogger(ScriptLog.class.getName());

  private final SampledLog samples = new SampledLog(LOGGER);
  private final boolean isWhole;

  ScriptLog(boolean isWhole) {
    this.isWhole = isWhole;
  }

  /// A line of a mutator's `console`.
  ///
  /// @param method that of `console`, such as `warn`
  void console(String mutator, String method, String text) {
    Level level =
        switch (method) {
          case "error" -> Level.ERROR;
          case "warn" -> Level.WARNING;
          case "debug", "trace" -> Level.DEBUG;
          default -> Level.INFO;
        };
    String kind = "event=mutator-log name=" + SampledLog.quoted(mutator);
    if (!isWhole) {
      samples.log(level, kind, () -> line(kind, text));
    } else if (LOGGER.isLoggable(level)) {
      LOGGER.log(level, line(kind, text));
    }
  }

  private static String line(String kind, String text) {
    return kind + " text=" + Json.quoted(text);
  }

  /// The file was read again.
  void reloaded(int mutators) {
    LOGGER.log(Level.INFO, "event=mutators-reloaded mutators={0}", mutators);
  }

  /// The file has changed and can't be used: the mutators stay as they were.
  void notReloaded(String reason) {
    LOGGER.log(Level.WARNING, "event=mutators-not-reloaded reason={0}", Json.quoted(reason));
  }
}
