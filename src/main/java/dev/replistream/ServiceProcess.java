package dev.replistream;

import dev.replistream.auth.DevelopmentKey;
import dev.replistream.auth.KeysException;
import dev.replistream.auth.TokenSigner;
import dev.replistream.cli.CommandException;
import dev.replistream.cli.Service;
import dev.replistream.data.Epoch;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseListener;
import dev.replistream.db.DatabaseStartException;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.db.Databases;
import dev.replistream.db.SqliteBackup;
import dev.replistream.http.UrlHost;
import dev.replistream.http.wire.UnsupportedHelidonException;
import dev.replistream.rules.MutatorsException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// This process as the command line sees it: reads the settings, and starts and stops the
/// application. Confined to the thread that runs the command.
final class ServiceProcess implements Service {
  private final Map<String, String> environment;
  private final Clock clock;
  private final PrintStream log;

  /// @param environment the process's environment
  /// @param log where the log of {@link #serve} goes
  ServiceProcess(Map<String, String> environment, Clock clock, PrintStream log) {
    this.environment = Map.copyOf(environment);
    this.clock = clock;
    this.log = log;
  }

  /// Never returns: a signal ends the process with exit code 0, and the end of the process closes
  /// the application.
  @Override
  public void serve(Optional<Path> config, Optional<Path> mutators, Consumer<URI> started)
      throws InterruptedException {
    Map<String, String> variables = new HashMap<>(environment);
    mutators.ifPresent(
        file -> variables.put(ServiceSettings.variable("mutators.file"), file.toString()));
    ServiceSettings settings = oneLine(() -> ServiceSettings.load(config, variables));
    Logs.start(settings.logLevel(), log);
    Signals.endInOrder();
    Application application = oneLine(() -> started(new Application(settings, clock)));
    application.closeAtExit();
    started.accept(url(settings.host(), application.port()));
    new CountDownLatch(1).await();
  }

  /// Closes an application that does not start: what it took from the data directory goes back.
  private static Application started(Application application) {
    try {
      return application.start();
    } catch (RuntimeException e) {
      application.close();
      throw e;
    }
  }

  @Override
  public URI url(Optional<Path> config) {
    ServiceSettings settings = settings(config);
    if (settings.port() == 0) {
      throw new CommandException(
          "replistream.port is 0, any free one: give the URL that the service printed");
    }
    return url(settings.host(), settings.port());
  }

  private static URI url(String host, int port) {
    try {
      InetAddress address = InetAddress.getByName(host);
      String name = address.isAnyLocalAddress() ? "127.0.0.1" : UrlHost.bracketed(host);
      return URI.create("http://%s:%s".formatted(name, port));
    } catch (UnknownHostException | IllegalArgumentException _) {
      throw new CommandException("replistream.host: there is no address " + host);
    }
  }

  @Override
  public boolean isDevelopmentMode(Optional<Path> config) {
    return settings(config).auth().isDevelopmentMode();
  }

  @Override
  public TokenSigner signer(Optional<Path> config) {
    ServiceSettings settings = settings(config);
    if (settings.auth().jwks().isPresent()) {
      throw new CommandException(
          "replistream.auth.jwks: its keys verify tokens and can't sign them; ask who issues them for"
              + " a token");
    }
    return oneLine(() ->
        new TokenSigner(
            settings.auth().secret().orElseGet(() -> DevelopmentKey.load(settings.dataDir())),
            settings.auth(),
            clock));
  }

  @Override
  public Restored restored(Optional<Path> config, boolean isLate) {
    ServiceSettings settings = settings(config);
    return oneLine(() -> {
      try (Database database = Databases.openPresent(settings.db(), DatabaseListener.NONE)) {
        Epoch.Change change = Epoch.end(database, isLate);
        return new Restored(
            settings.db().place(), change.former(), change.present(), change.clientGroups());
      } catch (DatabaseUnavailableException e) {
        throw new CommandException(settings.db().urlKey() + ": " + e.getMessage());
      }
    });
  }

  @Override
  public long backup(Optional<Path> config, Path file) {
    ServiceSettings settings = settings(config);
    return oneLine(() -> SqliteBackup.write(settings.db(), file));
  }

  @Override
  public String keyPlace(Optional<Path> config) {
    ServiceSettings settings = settings(config);
    return settings.auth().isDevelopmentMode()
        ? "the key in " + DevelopmentKey.file(settings.dataDir())
        : "replistream.auth.secret";
  }

  private ServiceSettings settings(Optional<Path> config) {
    return oneLine(() -> ServiceSettings.load(config, environment));
  }

  private static <T> T oneLine(Supplier<T> work) {
    try {
      return work.get();
    } catch (SettingsException
        | KeysException
        | MutatorsException
        | DatabaseStartException
        | UnsupportedHelidonException e) {
      throw new CommandException(String.valueOf(e.getMessage()));
    }
  }
}
