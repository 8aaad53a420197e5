package dev.replistream;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.jspecify.annotations.Nullable;

/// What the service logs from here on, at every level, and what Helidon warns of. Meanwhile nothing
/// of it goes anywhere else. Thread-safe.
public final class LogCapture implements AutoCloseable {
  private final List<Source> sources =
      List.of(new Source("dev.replistream"), new Source("io.helidon"));
  private final Queue<LogRecord> records = new ConcurrentLinkedQueue<>();
  private final SimpleFormatter formatter = new SimpleFormatter();
  private final Handler handler =
      new Handler() {
        @Override
        public void publish(LogRecord record) {
          if (isOurs(record) || isWarning(record)) {
            records.add(record);
          }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  /// A logger as it was before.
  private record Source(Logger logger, @Nullable Level level, boolean useParentHandlers) {
    Source(String name) {
      this(Logger.getLogger(name));
    }

    private Source(Logger logger) {
      this(logger, logger.getLevel(), logger.getUseParentHandlers());
    }
  }

  /// Begins to listen.
  public LogCapture() {
    for (Source source : sources) {
      source.logger().addHandler(handler);
      source.logger().setUseParentHandlers(false);
    }
    sources.getFirst().logger().setLevel(Level.ALL);
  }

  /// The messages so far, each as it would stand in its line.
  public List<String> lines() {
    return records.stream().map(formatter::formatMessage).toList();
  }

  /// The messages so far that begin with an event's name.
  public List<String> lines(String event) {
    return lines().stream().filter(line -> line.startsWith("event=" + event)).toList();
  }

  /// The messages so far that an operator must act on.
  public List<String> warnings() {
    return records.stream().filter(LogCapture::isWarning).map(formatter::formatMessage).toList();
  }

  private static boolean isOurs(LogRecord record) {
    return record.getLoggerName().startsWith("dev.replistream");
  }

  private static boolean isWarning(LogRecord record) {
    return record.getLevel().intValue() >= Level.WARNING.intValue();
  }

  @Override
  public void close() {
    for (Source source : sources) {
      source.logger().removeHandler(handler);
      source.logger().setLevel(source.level());
      source.logger().setUseParentHandlers(source.useParentHandlers());
    }
  }
}
