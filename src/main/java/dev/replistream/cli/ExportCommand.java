package dev.replistream.cli;

import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValue.Num;
import dev.replistream.auth.Caller;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// `export`: writes all that a service's database holds to a file.
@Command(
    name = "export",
    description = {
      "Writes all that the service holds to a new file, as lines of JSON, from one snapshot.",
      "The token needs the scope replicache:write. What is written is as secret as the database."
    })
final class ExportCommand implements Callable<Integer> {
  @Mixin private final ClientOptions client;
  @Mixin private final UrlOption url = new UrlOption();
  private final Clock clock;
  private final Terminal terminal;

  @Parameters(paramLabel = "FILE", description = "The file; it must not be there yet.")
  private Path file = Path.of("");

  ExportCommand(ClientOptions client, Clock clock, Terminal terminal) {
    this.client = client;
    this.clock = clock;
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws InterruptedException {
    if (Files.exists(file)) {
      throw new CommandException("there is a file %s already".formatted(file));
    }
    URI base = client.url(url.given());
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try (Api api = new Api(base, client.credential(base, Set.of(Caller.WRITE_SCOPE)), clock)) {
      return switch (api.download("/export")) {
        case Api.Refused(Answer answer) -> {
          terminal.report(client.failure(answer));
          yield 1;
        }
        case Api.Opened opened -> {
          String done = copy(opened, part);
          Files.move(part, file);
          terminal.print("%s: %s".formatted(file, done));
          yield 0;
        }
      };
    } catch (IOException e) {
      terminal.report("the export failed: %s".formatted(e.getMessage()));
      return 1;
    }
  }

  private String copy(Api.Opened opened, Path part) throws IOException {
    Progress progress = new Progress(terminal, "lines");
    long all = 0;
    long lines = 0;
    String last = "";
    try (BufferedReader in =
            new BufferedReader(new InputStreamReader(opened.body(), StandardCharsets.UTF_8));
        OutputStream out =
            new BufferedOutputStream(
                Files.newOutputStream(
                    part,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE))) {
      for (@Nullable String line = in.readLine(); line != null; line = in.readLine()) {
        out.write(line.getBytes(StandardCharsets.UTF_8));
        out.write('\n');
        if (lines++ == 0) {
          all = lines(line);
        }
        progress.at(lines, all);
        last = line;
      }
    }
    if (!last.startsWith("{\"kind\":\"end\"")) {
      throw new IOException("it was cut off; " + part + " has what came of it");
    }
    return progress.end(lines);
  }

  private static long lines(String head) throws IOException {
    try {
      return JsonValue.parse(head).get("lines") instanceof Num(String text)
          ? Long.parseLong(text) + 2
          : 0;
    } catch (RuntimeException e) {
      throw new IOException("what came is no export", e);
    }
  }
}
