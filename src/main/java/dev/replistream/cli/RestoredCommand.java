package dev.replistream.cli;

import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `restored`: tells the database that it was set back to a backup.
@Command(
    name = "restored",
    description = {
      "Run it once after a backup was restored, before the service starts on it.",
      "The database gets a new epoch: clients that saw what was lost are told to begin anew, all"
          + " others pull everything once, and what they have not pushed yet is kept."
    })
final class RestoredCommand implements Callable<Integer> {
  private final Service service;
  private final ConfigFile config;
  private final Terminal terminal;

  @Option(
      names = "--late",
      description =
          "The service has run on the restored database already. All clients with anything"
              + " acknowledged begin anew, without what they have not pushed yet.")
  private boolean isLate;

  RestoredCommand(Service service, ConfigFile config, Terminal terminal) {
    this.service = service;
    this.config = config;
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    Service.Restored restored = service.restored(config.path(), isLate);
    terminal.print(
        String.format(
            Locale.ROOT,
            "%s: epoch %s has ended, %s begins; %s client groups %s",
            restored.database(),
            restored.formerEpoch(),
            restored.epoch(),
            restored.clientGroups(),
            isLate ? "begin anew" : "are kept, but for those that saw what was lost"));
    return 0;
  }
}
