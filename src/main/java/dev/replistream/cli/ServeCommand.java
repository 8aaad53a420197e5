package dev.replistream.cli;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `serve`: the service itself, until the process is told to stop.
@Command(
    name = "serve",
    description = "Serves until SIGTERM or SIGINT, then ends the streams and exits with code 0.")
final class ServeCommand implements Callable<Integer> {
  private static final Duration TOKEN_LIFE = Duration.ofHours(8);

  private final Service service;
  private final ConfigFile config;
  private final Terminal terminal;

  @Option(
      names = "--mutators",
      paramLabel = "FILE",
      description =
          "The application's mutators: the JavaScript module that its pages use. In development mode it is read again when it changes.")
  private Optional<Path> mutators = Optional.empty();

  ServeCommand(Service service, ConfigFile config, Terminal terminal) {
    this.service = service;
    this.config = config;
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws InterruptedException {
    service.serve(config.path(), mutators, this::welcome);
    return 0;
  }

  private void welcome(URI url) {
    if (!service.isDevelopmentMode(config.path())) {
      return;
    }
    String token = service.signer(config.path()).sign("demo", Set.of(), TOKEN_LIFE);
    String api = url + Api.PREFIX;
    """

    Replistream is in development mode: it serves this machine only, with a key of its own.

      The console:  %1$s/

      A token of user demo, good for 8 hours; keep it in both terminals:
      TOKEN=%3$s

      Open a stream:
      curl -N -H "Authorization: Bearer $TOKEN" %2$s/stream

      Poke it:
      curl -X POST -H "Authorization: Bearer $TOKEN" %2$s/poke-user
    """
        .formatted(url, api, token)
        .lines()
        .forEach(terminal::print);
    terminal.print("");
  }
}
