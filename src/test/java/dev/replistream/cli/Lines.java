package dev.replistream.cli;

import static org.assertj.core.api.Assertions.fail;

import java.io.PrintWriter;
import java.io.Writer;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// What a program prints: all of it, and line by line for a test that waits for one. Thread-safe.
public final class Lines extends Writer {
  /// Within which a program says what it has to on a busy machine, the start of a server among it.
  private static final Duration DEADLINE = Duration.ofSeconds(60);

  private final StringBuilder all = new StringBuilder();
  private final StringBuilder line = new StringBuilder();
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

  /// A writer to these lines.
  PrintWriter writer() {
    return new PrintWriter(this, true);
  }

  @Override
  public void write(char[] text, int offset, int length) {
    synchronized (all) {
      for (int i = offset; i < offset + length; i++) {
        all.append(text[i]);
        if (text[i] == '\n') {
          lines.add(line.toString());
          line.setLength(0);
        } else {
          line.append(text[i]);
        }
      }
    }
  }

  /// The next line that holds `part`; lines before it are passed over.
  public String await(String part) throws InterruptedException {
    long deadline = System.nanoTime() + DEADLINE.toNanos();
    while (true) {
      String next = lines.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (next == null) {
        return fail("no line with '%s' in:%n%s", part, this);
      }
      if (next.contains(part)) {
        return next;
      }
    }
  }

  @Override
  public String toString() {
    synchronized (all) {
      return all.toString();
    }
  }

  @Override
  public void flush() {}

  @Override
  public void close() {}
}
