package dev.replistream.bench;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The table of what was measured, in Markdown, under a line about the machine; and whether
/// anything was lost. Confined to one thread.
final class Report {
  private final List<String> rows = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();
  private final List<String> faults = new ArrayList<>();

  /// Adds a row.
  ///
  /// @param format the value, as for {@link String#format}
  @FormatMethod
  void row(String measure, @FormatString String format, Object... values) {
    rows.add("| " + measure + " | " + String.format(Locale.ROOT, format, values) + " |");
  }

  /// Adds a sentence below the table.
  void note(String sentence) {
    notes.add("- " + sentence);
  }

  /// Notes a fault when `count` is not 0.
  void mustBeNone(String what, long count) {
    if (count != 0) {
      faults.add("- **" + count + " " + what + "**");
    }
  }

  /// Whether nothing was lost.
  boolean isGood() {
    return faults.isEmpty();
  }

  /// The whole report.
  String markdown() throws IOException {
    List<String> lines =
        new ArrayList<>(List.of(machine(), "", "| measure | value |", "|---|---|"));
    lines.addAll(rows);
    lines.add("");
    lines.addAll(notes);
    lines.addAll(faults);
    return String.join("\n", lines);
  }

  private static String machine() throws IOException {
    return "Machine: %d cores (%s), %s GB memory, %s %s, %s; client and server on the same cores."
        .formatted(
            Runtime.getRuntime().availableProcessors(),
            field("/proc/cpuinfo", "model name"),
            Long.parseLong(field("/proc/meminfo", "MemTotal").replaceAll("\\D", "")) / 1_000_000,
            System.getProperty("os.name"),
            System.getProperty("os.version"),
            System.getProperty("java.runtime.name")
                + " "
                + System.getProperty("java.runtime.version"));
  }

  /// The value of the first `name: value` line of a file under `/proc`.
  private static String field(String file, String name) throws IOException {
    return Files.readAllLines(Path.of(file)).stream()
        .filter(line -> line.startsWith(name))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst()
        .orElse("0");
  }
}
