package dev.replistream.cli;

import java.io.PrintWriter;
import java.util.Locale;

/// Where a command's lines go. Some of what they hold comes from a server, so control characters
/// are written as escapes: nothing that a server says can move the cursor or forge a line.
///
/// Confined to the thread that runs the command.
final class Terminal {
  private final PrintWriter out;
  private final PrintWriter err;

  Terminal(PrintWriter out, PrintWriter err) {
    this.out = out;
    this.err = err;
  }

  /// Prints one line of the command's result.
  void print(String line) {
    out.println(printable(line));
    out.flush();
  }

  /// Prints one line about the command's progress or failure.
  void report(String line) {
    err.println("replistream: " + printable(line));
    err.flush();
  }

  /// Whether nobody reads the result any more, as after `| head`.
  boolean isClosed() {
    return out.checkError();
  }

  private static String printable(String line) {
    if (line.chars().noneMatch(Character::isISOControl)) {
      return line;
    }
    StringBuilder printable = new StringBuilder(line.length() + 16);
    line.chars()
        .forEach(c -> {
          switch (c) {
            case '\n' -> printable.append("\\n");
            case '\t' -> printable.append("\\t");
            default -> {
              if (Character.isISOControl(c)) {
                printable.append(String.format(Locale.ROOT, "\\u%04x", c));
              } else {
                printable.append((char) c);
              }
            }
          }
        });
    return printable.toString();
  }
}
