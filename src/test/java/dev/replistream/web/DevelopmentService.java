package dev.replistream.web;

import dev.replistream.Application;
import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Settings;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// A whole service in development mode on free ports.
final class DevelopmentService implements AutoCloseable {
  private final Application application;

  /// @param environment pairs of what follows `REPLISTREAM_` and a value
  DevelopmentService(Path dataDir, String... environment) {
    Map<String, String> variables =
        new HashMap<>(
            Map.of(
                "REPLISTREAM_PORT", "0",
                "REPLISTREAM_ADMIN_PORT", "0",
                "REPLISTREAM_STREAM_DRAIN", "PT0S",
                "REPLISTREAM_LOG_LEVEL", "INFO",
                "REPLISTREAM_DATA_DIR", dataDir.toString()));
    for (int i = 0; i < environment.length; i += 2) {
      variables.put("REPLISTREAM_" + environment[i], environment[i + 1]);
    }
    application =
        new Application(Settings.load(Optional.empty(), variables), Clock.systemUTC()).start();
  }

  HttpReply send(HttpRequest request) {
    try (HttpConnection connection = new HttpConnection(application.port())) {
      connection.send(request.with("Connection", "close").toBytes());
      return request.method().equals("HEAD") ? connection.replyWithoutBody() : connection.reply();
    }
  }

  HttpReply get(String target) {
    return send(HttpRequest.of("GET", target));
  }

  @Override
  public void close() {
    application.close();
  }
}
