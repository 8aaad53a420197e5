package dev.replistream.cli;

import dev.replistream.Application;
import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Settings;
import dev.replistream.TestServiceProcess;
import jakarta.json.JsonValue;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A whole service on a free port, and commands in an environment in which they find it.
final class LiveService implements AutoCloseable {
  private final Application application;
  private final Map<String, String> environment;

  /// @param variables what the environment of the service and of the commands holds besides
  LiveService(Path dataDir, Map<String, String> variables) {
    Map<String, String> environment = new HashMap<>(variables);
    environment.put("REPLISTREAM_PORT", "0");
    environment.put("REPLISTREAM_ADMIN_PORT", "0");
    environment.put("REPLISTREAM_DATA_DIR", dataDir.toString());
    application =
        new Application(Settings.load(Optional.empty(), environment), Clock.systemUTC()).start();
    environment.put("REPLISTREAM_PORT", Integer.toString(application.port()));
    this.environment = Map.copyOf(environment);
  }

  LiveService(Path dataDir) {
    this(dataDir, Map.of());
  }

  int port() {
    return application.port();
  }

  String url() {
    return "http://127.0.0.1:" + port();
  }

  /// The environment in which a command finds the service.
  Map<String, String> environment() {
    return environment;
  }

  /// Starts a command.
  CommandRun start(String... args) {
    return startWith(Map.of(), args);
  }

  /// Starts a command with more in its environment.
  CommandRun startWith(Map<String, String> variables, String... args) {
    Map<String, String> all = new HashMap<>(environment);
    all.putAll(variables);
    return CommandRun.start(
        TestServiceProcess.of(all, Clock.systemUTC()), all, Clock.systemUTC(), args);
  }

  /// A token signed with the service's key `age` ago.
  String token(String userId, Duration age, Duration ttl, String... scopes) {
    Clock clock = Clock.offset(Clock.systemUTC(), age.negated());
    return TestServiceProcess.of(environment, clock)
        .signer(Optional.empty())
        .sign(userId, Set.of(scopes), ttl);
  }

  String token(String userId, String... scopes) {
    return token(userId, Duration.ZERO, Duration.ofHours(1), scopes);
  }

  /// Ends the connections of a user by the routes for that.
  void endAll(String userId) {
    for (JsonValue session : exchange("GET", "/sessions", userId).json().getJsonArray("sessions")) {
      String id = session.asJsonObject().getString("id");
      if (exchange("DELETE", "/sessions/" + id, userId).status() != 204) {
        throw new AssertionError("not ended: " + session);
      }
    }
  }

  private HttpReply exchange(String method, String route, String userId) {
    try (HttpConnection connection = new HttpConnection(port())) {
      return connection.send(HttpRequest.api(method, route).by(token(userId)).toBytes()).reply();
    }
  }

  @Override
  public void close() {
    application.close();
  }
}
