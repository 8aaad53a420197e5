package dev.replistream;

import dev.replistream.api.Mutators;
import dev.replistream.auth.DevelopmentKey;
import dev.replistream.stream.SseManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A whole service on free ports of this machine, with a secret that the tests know and a data
/// directory of its own.
public final class TestService implements AutoCloseable {
  /// What signs the tokens.
  public static final String SECRET = "the secret of the tests: 32 bytes or more";

  private final Application application;
  private final ServiceClient client;

  private TestService(Settings settings, Clock clock, List<Mutators> mutators) {
    this(settings, settings, clock, mutators);
  }

  /// @param clients by which its clients make their tokens
  private TestService(Settings settings, Settings clients, Clock clock, List<Mutators> mutators) {
    application = new Application(settings, clock, mutators).start();
    client = new ServiceClient(application.port(), application.adminPort(), clients, clock);
  }

  /// Starts a service.
  ///
  /// @param environment pairs of what follows `REPLISTREAM_` and a value
  public static TestService start(String... environment) {
    return start(Clock.systemUTC(), environment);
  }

  /// Starts a service that lives by `clock`.
  public static TestService start(Clock clock, String... environment) {
    return new TestService(settings(environment), clock, List.of());
  }

  /// Starts a service with mutators of its own.
  public static TestService start(Mutators mutators, String... environment) {
    return new TestService(settings(environment), Clock.systemUTC(), List.of(mutators));
  }

  /// Starts a service with mutators of its own that lives by `clock`.
  public static TestService start(Clock clock, Mutators mutators, String... environment) {
    return new TestService(settings(environment), clock, List.of(mutators));
  }

  /// Starts a service in development mode, whose key its client knows, with mutators of its own.
  public static TestService startInDevelopment(Mutators mutators, String... environment) {
    Map<String, String> variables = variables(environment);
    variables.put(
        "REPLISTREAM_AUTH_SECRET",
        DevelopmentKey.loadOrCreate(Path.of(variables.get("REPLISTREAM_DATA_DIR"))));
    Settings clients = Settings.load(Optional.empty(), variables);
    variables.remove("REPLISTREAM_AUTH_SECRET");
    return new TestService(
        Settings.load(Optional.empty(), variables), clients, Clock.systemUTC(), List.of(mutators));
  }

  /// The settings of such a service.
  public static Settings settings(String... environment) {
    return allSettings(environment);
  }

  /// The same, each of which can be read.
  static ServiceSettings allSettings(String... environment) {
    return ServiceSettings.load(Optional.empty(), variables(environment));
  }

  private static Map<String, String> variables(String... environment) {
    Map<String, String> variables = new HashMap<>();
    variables.put("REPLISTREAM_HOST", "127.0.0.1");
    variables.put("REPLISTREAM_PORT", "0");
    variables.put("REPLISTREAM_ADMIN_PORT", "0");
    variables.put("REPLISTREAM_AUTH_SECRET", SECRET);
    variables.put("REPLISTREAM_DATA_DIR", directory().toString());
    variables.put("REPLISTREAM_STREAM_DRAIN", "PT0S");
    variables.put("REPLISTREAM_MUTATORS_BUILT_IN", "true"); // beside those of a test
    for (int i = 0; i < environment.length; i += 2) {
      variables.put("REPLISTREAM_" + environment[i], environment[i + 1]);
    }
    if (variables.containsKey("REPLISTREAM_AUTH_JWKS")) {
      variables.remove("REPLISTREAM_AUTH_SECRET"); // it is the one or the other
    }
    return variables;
  }

  /// A new directory, which is taken away at the end if it is empty.
  public static Path directory() {
    try {
      Path directory = Files.createTempDirectory("replistream-test");
      directory.toFile().deleteOnExit();
      return directory;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The service itself.
  public Application application() {
    return application;
  }

  /// Who is connected to it.
  public SseManager sseManager() {
    return sseManager(application);
  }

  /// Who is connected to a service, which an application does not see.
  public static SseManager sseManager(Application application) {
    return application.sseManager();
  }

  /// Its caller.
  public ServiceClient client() {
    return client;
  }

  @Override
  public void close() {
    application.close();
  }
}
