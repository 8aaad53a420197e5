package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Page.Block;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/// Runs the commands and the programs of a page as one session of a shell, against a running
/// service, and compares what they print with what the page says. A reader would do the same: what
/// a command sets stays set for those below it. Confined to one thread.
///
/// The address of the pages, 127.0.0.1:8000, means that service. A stream that a command opens is
/// read as far as the page shows it and stays open to the end.
final class PageShell {
  private static final int LIMIT_SECONDS = 120;

  /// What runs a program, and how its file ends.
  private static final Map<String, String> PROGRAMS =
      Map.of(
          "python", "python3 .py",
          "javascript", "node .mjs",
          "java", "java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC .java");

  /// How the session begins: `replistream` is the program, a stream does not hold up what follows,
  /// and a status of 400 or more is a failure unless the page shows it.
  private static final String PRELUDE =
      """
      set -euo pipefail
      replistream() {
        "${PROGRAM[@]}" "$@"
      }
      curl() {
        local expected=--fail-with-body
        if [ -n "${REFUSED:-}" ]; then expected=--silent; fi
        if [[ " $* " == *" -N "* ]]; then
          local file=$(mktemp -p "$OUT")
          command curl -sS --max-time 100 "$@" > "$file" &
          echo $! >> "$OUT/streams"
          until [ "$(wc -l < "$file")" -ge "${LINES_SHOWN:-4}" ]; do kill -0 $!; sleep 0.02; done
          head -n "${LINES_SHOWN:-4}" "$file"
          grep -q '^data: connected$' "$file"
        else
          command curl -sS --max-time 60 "$expected" "$@"
        fi
      }
      trap 'kill $(cat "$OUT/streams" 2> /dev/null) 2> /dev/null || true' EXIT
      """;

  private final Path directory;
  private final Path output;
  private final ServiceSettings settings;
  private final ServiceClient client;

  /// @param directory where the session runs, as the page's reader does in theirs
  /// @param settings of the service
  /// @param client one of the service, whose ports it knows
  PageShell(Path directory, ServiceSettings settings, ServiceClient client) throws IOException {
    this.directory = directory;
    this.output = Files.createTempDirectory(directory, "page");
    this.settings = settings;
    this.client = client;
  }

  /// Runs the blocks with `tag`, in their order.
  ///
  /// @throws AssertionError when one fails, or prints something else than the page says
  void run(Page page, String tag) throws IOException, InterruptedException {
    List<Block> blocks = page.blocks();
    StringBuilder script = new StringBuilder(PRELUDE);
    for (int i = 0; i < blocks.size(); i++) {
      Block block = blocks.get(i);
      if (runs(block, tag)) {
        append(script, block, i, shown(blocks, i));
      }
    }
    script.append("env | { grep '^REPLISTREAM_' || true; } > \"$OUT/settings\"\n");

    int exitCode = bash(script.toString());

    assertThat(exitCode)
        .as("%s: %s", page.path(), Files.readString(output.resolve("err")))
        .isZero();
    for (int i = 0; i < blocks.size(); i++) {
      Path said = output.resolve(Integer.toString(i));
      Optional<Block> shown = shown(blocks, i);
      if (Files.exists(said) && shown.isPresent()) {
        assertThat(comparable(Files.readString(said), shown.get()))
            .as("%s: %s", page.path(), blocks.get(i).text())
            .isEqualTo(comparable(shown.get().text(), shown.get()));
      }
    }
  }

  private static boolean runs(Block block, String tag) {
    return PROGRAMS.containsKey(block.language())
        ? tag.isEmpty() && isProgram(block)
        : block.language().equals("sh") && block.tag().equals(tag);
  }

  /// Whether a block is a program that runs within the session: one of Python, or in another
  /// language one that says so.
  static boolean isProgram(Block block) {
    return block.tag().equals(block.language().equals("python") ? "" : "session")
        && PROGRAMS.containsKey(block.language());
  }

  /// What the page shows as the output of a block: the one that follows it, if it is no code.
  private static Optional<Block> shown(List<Block> blocks, int i) {
    return blocks.stream()
        .skip(i + 1)
        .findFirst()
        .filter(next -> next.language().equals("json") || next.language().equals("text"))
        .filter(next -> next.tag().isEmpty());
  }

  private void append(StringBuilder script, Block block, int i, Optional<Block> shown)
      throws IOException {
    script
        .append("LINES_SHOWN=")
        .append(shown.map(each -> each.text().lines().count()).orElse(4L))
        .append("\nREFUSED=")
        .append(shown.filter(each -> each.text().contains("\"title\":")).isPresent() ? "1" : "")
        .append('\n');
    String text = here(block.text());
    String interpreter = PROGRAMS.get(block.language());
    if (interpreter != null) {
      Path program = output.resolve(i + interpreter.substring(interpreter.indexOf('.')));
      Files.writeString(program, text);
      text = interpreter.substring(0, interpreter.indexOf('.')) + program + "\n";
    }
    // a value that the reader fills in stands in the environment
    text = text.replaceAll("(?m)^(export )?\\w+=\\.\\.\\..*$", ":");
    script.append("{\n").append(text).append("} > \"$OUT/").append(i).append("\"\n");
  }

  private String here(String text) {
    return text.replace("127.0.0.1:8000", "127.0.0.1:" + client.port())
        .replace("127.0.0.1:8001", "127.0.0.1:" + client.adminPort());
  }

  private int bash(String script) throws IOException, InterruptedException {
    Path file = output.resolve("script");
    String program =
        QuickStart.java().stream()
            .map(each -> "'" + each + "'")
            .collect(
                Collectors.joining(
                    " ",
                    "PROGRAM=(",
                    " -cp '%s' %s)\n".formatted(QuickStart.classPath(), Main.class.getName())));
    Files.writeString(file, program + script);
    ProcessBuilder builder = new ProcessBuilder("bash", file.toString());
    builder.directory(directory.toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("REPLISTREAM_"));
    builder.environment().putAll(environment());
    builder.redirectOutput(output.resolve("out").toFile());
    builder.redirectError(output.resolve("err").toFile());
    Process bash = builder.start();
    try {
      return bash.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS) ? bash.exitValue() : -1;
    } finally {
      bash.descendants().forEach(ProcessHandle::destroyForcibly);
      bash.destroyForcibly();
    }
  }

  private Map<String, String> environment() {
    Map<String, String> environment = new HashMap<>();
    environment.put("OUT", output.toString());
    environment.put("no_proxy", "127.0.0.1");
    environment.put("TOKEN", client.token("demo"));
    environment.put(
        "PATH", System.getenv("PATH") + ":" + Path.of(System.getProperty("java.home"), "bin"));
    environment.put("REPLISTREAM_HOST", "127.0.0.1");
    environment.put("REPLISTREAM_PORT", Integer.toString(client.port()));
    environment.put("REPLISTREAM_ADMIN_PORT", Integer.toString(client.adminPort()));
    environment.put("REPLISTREAM_AUTH_SECRET", settings.auth().secret().orElseThrow());
    environment.put("REPLISTREAM_DATA_DIR", settings.dataDir().toString());
    return environment;
  }

  /// The variables of the service as the page has set them.
  Map<String, String> settings() throws IOException {
    return Files.readAllLines(output.resolve("settings")).stream()
        .map(line -> line.split("=", 2))
        .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
  }

  /// A text without what differs each time: times, ids that are made, and in what is no JSON all
  /// numbers. A line of JSON may be broken on the page.
  private static String comparable(String text, Block shown) {
    String same =
        text.replaceAll("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z", "TIME")
            .replaceAll("\\b[0-9a-f]{8}-\\d+\\b", "ID");
    if (shown.language().equals("text")) {
      return same.replaceAll("\\d+", "N").strip();
    }
    return same.lines()
        .collect(Collectors.joining())
        .replaceAll("\"(ticket|mac|epoch|code)\":\"[\\w-]+\"", "\"$1\":\"\"")
        .replaceAll("\"id\":\"(?:[\\w-]{22}|[\\w-]{43})\"", "\"id\":\"\"")
        .replaceAll("\"(order|seq)\":\\d+", "\"$1\":N");
  }
}
