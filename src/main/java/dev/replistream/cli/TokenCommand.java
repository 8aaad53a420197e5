package dev.replistream.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `token`: prints a token, and nothing else, so that a script can take it.
@Command(
    name = "token",
    description = {
      "Prints a token.",
      "It is signed with replistream.auth.secret or, in development mode, with the development key."
    })
final class TokenCommand implements Callable<Integer> {
  private final Service service;
  private final ConfigFile config;
  private final Terminal terminal;

  @Option(names = "--user", required = true, paramLabel = "USER", description = "Whose token.")
  private String user = "";

  @Option(
      names = "--ttl",
      paramLabel = "DURATION",
      description = "How long it is good, in ISO 8601. Default: PT1H, one hour.")
  private Duration ttl = Duration.ofHours(1);

  @Option(
      names = "--scope",
      paramLabel = "SCOPE",
      description = "What it allows besides, such as replicache:poke. Repeatable.")
  private List<String> scopes = new ArrayList<>();

  @Option(
      names = "--sid",
      paramLabel = "SID",
      description = "Its sid, by which POST /revoke can end it.")
  private Optional<String> sid = Optional.empty();

  TokenCommand(Service service, ConfigFile config, Terminal terminal) {
    this.service = service;
    this.config = config;
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    try {
      terminal.print(
          service
              .signer(config.path())
              .sign(user, new LinkedHashSet<>(scopes), ttl, sid.orElse(null)));
      return 0;
    } catch (IllegalArgumentException e) {
      throw new CommandException(String.valueOf(e.getMessage()));
    }
  }
}
