package dev.replistream;

import dev.replistream.api.Mutators;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Starts the service inside a Java application.
///
/// ```java
/// try (Application service = Application.builder().mutators(new TodoMutators()).start()) {
///   service.pokes().notifyUser("bob");
/// }
/// ```
///
/// Confined to one thread.
public final class ApplicationBuilder {
  private final List<Mutators> mutators = new ArrayList<>();
  private Optional<Settings> settings = Optional.empty();

  private boolean shutdownHook = true;

  ApplicationBuilder() {}

  /// The settings to use. Without them, the defaults and the environment's variables count.
  public ApplicationBuilder settings(Settings given) {
    settings = Optional.of(given);
    return this;
  }

  /// Mutators beside those that `java.util.ServiceLoader` finds.
  public ApplicationBuilder mutators(Mutators more) {
    mutators.add(more);
    return this;
  }

  /// Whether the end of the process (SIGTERM, SIGINT, `System.exit`) drains the streams and closes
  /// the service, as `serve` does. The default is true; if it is false, the caller has to close the
  /// service.
  public ApplicationBuilder shutdownHook(boolean wanted) {
    shutdownHook = wanted;
    return this;
  }

  /// Starts the service. The caller closes it, unless the end of the process does.
  ///
  /// @throws SettingsException when a setting is bad, or a port is taken
  /// @throws RuntimeException as the constructor of {@link Application} does
  public Application start() {
    Application application =
        new Application(
            settings.orElseGet(() -> Settings.load(Optional.empty(), System.getenv())),
            Clock.systemUTC(),
            mutators);
    try {
      application.start();
      if (shutdownHook) {
        application.closeAtExit();
      }
      return application;
    } catch (RuntimeException e) {
      application.close();
      throw e;
    }
  }
}
