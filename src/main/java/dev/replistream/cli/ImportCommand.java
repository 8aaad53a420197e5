package dev.replistream.cli;

import dev.replistream.auth.Caller;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// `import`: brings an export into a service whose database is new.
@Command(
    name = "import",
    description = {
      "Brings an export into a service that has nothing yet, on either database.",
      "The token needs the scope replicache:write. One that was cut off is run again.",
    })
final class ImportCommand implements Callable<Integer> {
  @Mixin private final ClientOptions client;
  @Mixin private final UrlOption url = new UrlOption();
  private final Clock clock;
  private final Terminal terminal;

  @Parameters(paramLabel = "FILE", description = "What the command export has written.")
  private Path file = Path.of("");

  ImportCommand(ClientOptions client, Clock clock, Terminal terminal) {
    this.client = client;
    this.clock = clock;
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws InterruptedException {
    if (!Files.isRegularFile(file)) {
      throw new CommandException("there is no file %s".formatted(file));
    }
    URI base = client.url(url.given());
    try (Api api = new Api(base, client.credential(base, Set.of(Caller.WRITE_SCOPE)), clock)) {
      Progress progress = new Progress(terminal, "bytes");
      long bytes = Files.size(file);
      Answer answer = api.upload("/import", () -> new Told(open(), progress, bytes));
      if (answer.head().status() == 200) {
        terminal.print("%s: %s".formatted(file, progress.end(bytes)));
        return 0;
      }
      terminal.report(client.failure(answer));
      return 1;
    } catch (IOException e) {
      terminal.report("the import failed: %s".formatted(e.getMessage()));
      return 1;
    }
  }

  private InputStream open() {
    try {
      return Files.newInputStream(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Tells how much of the file has been read.
  private static final class Told extends InputStream {
    private final InputStream in;
    private final Progress progress;
    private final long all;
    private long bytes;

    Told(InputStream in, Progress progress, long all) {
      this.in = in;
      this.progress = progress;
      this.all = all;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] part, int offset, int length) throws IOException {
      int count = in.read(part, offset, length);
      bytes += Math.max(count, 0);
      progress.at(bytes, all);
      return count;
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }
}
