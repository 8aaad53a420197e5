package dev.replistream;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.System.Logger.Level;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.StreamHandler;
import java.util.regex.Pattern;

/// The log of the process: one line an event, on standard output, with the time in UTC first.
final class Logs {
  // held, so that the levels set on them are not collected with them
  private static final Logger ROOT = Logger.getLogger("");
  private static final Logger OURS = Logger.getLogger("dev.replistream");
  private static final Logger HTTP_PARSER =
      Logger.getLogger("io.helidon.webserver.http1.Http1Connection");
  private static final Logger SQLITE = Logger.getLogger("org.sqlite");
  private static final Logger POOL = Logger.getLogger("com.zaxxer.hikari");
  private static final Logger REDIS = Logger.getLogger("redis.clients.jedis");

  private Logs() {}

  /// A log manager that keeps the log open while the process ends: the one of the JDK takes the
  /// handlers away as soon as a signal comes, and with them every line about the end. Has to be
  /// named by the system property `java.util.logging.manager` before anything is logged.
  public static final class Manager extends LogManager {
    /// For the JDK, which makes it by its name.
    public Manager() {}

    /// Does nothing: every line is flushed as it is written.
    @Override
    public void reset() {}
  }

  /// Logs this service from `level` on and everything else from WARNING on.
  static void start(Level level, PrintStream out) {
    for (Handler handler : ROOT.getHandlers()) {
      ROOT.removeHandler(handler);
    }
    Handler lines = new LineHandler(out);
    lines.setLevel(java.util.logging.Level.ALL);
    ROOT.addHandler(lines);
    ROOT.setLevel(java.util.logging.Level.WARNING);
    // it warns, with a stack trace, of requests that are no HTTP, and those anybody can send
    HTTP_PARSER.setLevel(java.util.logging.Level.SEVERE);
    // it tells of a library that can't be loaded, which the exception says that stops the start
    SQLITE.setLevel(java.util.logging.Level.OFF);
    // it warns in the same way of each connection that broke, where the database says so once
    POOL.setLevel(java.util.logging.Level.SEVERE);
    // and so does that of Redis, where the bus says what is to be known
    REDIS.setLevel(java.util.logging.Level.OFF);
    OURS.setLevel(
        switch (level) {
          case ALL, TRACE -> java.util.logging.Level.FINER;
          case DEBUG -> java.util.logging.Level.FINE;
          case INFO -> java.util.logging.Level.INFO;
          case WARNING -> java.util.logging.Level.WARNING;
          case ERROR -> java.util.logging.Level.SEVERE;
          case OFF -> java.util.logging.Level.OFF;
        });
  }

  private static final class LineHandler extends StreamHandler {
    LineHandler(PrintStream out) {
      super(out, new LineFormatter());
    }

    @Override
    public synchronized void publish(LogRecord record) {
      super.publish(record);
      flush();
    }

    @Override
    public synchronized void close() {
      flush(); // standard output stays open
    }
  }

  private static final class LineFormatter extends Formatter {
    /// Whatever some reader of the log may take for the end of a line.
    private static final Pattern LINE_BREAK = Pattern.compile("\\R");

    private static final DateTimeFormatter TIME =
        DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    @Override
    public String format(LogRecord record) {
      StringBuilder line =
          new StringBuilder(160)
              .append(TIME.format(Instant.ofEpochMilli(record.getMillis())))
              .append(" level=")
              .append(levelOf(record))
              .append(' ')
              .append(LINE_BREAK.matcher(formatMessage(record)).replaceAll(" "));
      if (record.getThrown() != null) {
        StringWriter trace = new StringWriter();
        record.getThrown().printStackTrace(new PrintWriter(trace));
        // set in, as the text of an exception may look like an event
        line.append("\n  ").append(LINE_BREAK.matcher(trace.toString().strip()).replaceAll("\n  "));
      }
      return line.append('\n').toString();
    }

    private static String levelOf(LogRecord record) {
      int level = record.getLevel().intValue();
      return level >= java.util.logging.Level.SEVERE.intValue()
          ? "ERROR"
          : level >= java.util.logging.Level.WARNING.intValue()
              ? "WARN"
              : level >= java.util.logging.Level.INFO.intValue() ? "INFO" : "DEBUG";
    }
  }
}
