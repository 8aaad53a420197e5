package dev.replistream.cli;

import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// `backup`: copies SQLite's file.
@Command(
    name = "backup",
    description = {
      "Copies the file of SQLite that the settings name to a new file, also while the service runs.",
      "It needs no token, but the rights of the service on its files."
    })
final class BackupCommand implements Callable<Integer> {
  private final Service service;
  private final ConfigFile config;
  private final Terminal terminal;

  @Parameters(paramLabel = "FILE", description = "The copy; it must not be there yet.")
  private Path file = Path.of("");

  BackupCommand(Service service, ConfigFile config, Terminal terminal) {
    this.service = service;
    this.config = config;
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    long bytes = service.backup(config.path(), file);
    terminal.print(String.format(Locale.ROOT, "%s: %,d bytes", file, bytes));
    return 0;
  }
}
