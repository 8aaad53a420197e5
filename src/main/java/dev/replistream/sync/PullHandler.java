package dev.replistream.sync;

import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.http.Bodies;
import dev.replistream.http.LongAnswers;
import dev.replistream.http.MediaTypes;
import dev.replistream.http.Routes;
import dev.replistream.http.Unavailable;
import io.helidon.http.HeaderValues;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;

/// `POST /pull`. Thread-safe.
public final class PullHandler implements Handler {
  /// The largest body that is read. What is large in it is the cookie: in two thousand rooms, whose
  /// ids take 384 bytes of UTF-8 at most, it has some 820,000 bytes.
  public static final int MAX_BODY_BYTES = 1 << 20;

  private final Authenticator authenticator;
  private final Pull pull;
  private final Function<String, Optional<Duration>> pulled;
  private final SyncMetrics metrics;
  private final LongAnswers answers;
  private final SyncSettings settings;
  private final Bodies bodies;

  /// @param pulled is told who pulls, and answers how long ago that user was poked, if that is
  ///   known
  /// @param settings which versions of the application's schema may pull
  /// @param bodies how much of a body is read
  public PullHandler(
      Authenticator authenticator,
      Pull pull,
      Function<String, Optional<Duration>> pulled,
      SyncMetrics metrics,
      LongAnswers answers,
      SyncSettings settings,
      Bodies bodies) {
    this.authenticator = authenticator;
    this.pull = pull;
    this.pulled = pulled;
    this.metrics = metrics;
    this.answers = answers;
    this.settings = settings;
    this.bodies = bodies;
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    MediaTypes.requireJson(request);
    switch (read(request, caller.userId())) {
      case VersionNotSupported version -> Routes.sendJson(response, version.toJson());
      case PullRequest body when !settings.takes(body.schemaVersion()) ->
          Routes.sendJson(
              response, new VersionNotSupported(VersionNotSupported.Type.SCHEMA).toJson());
      case PullRequest body -> {
        pulled.apply(caller.userId()).ifPresent(metrics::pulledAfterPoke);
        answer(caller.userId(), body, request, response);
      }
    }
  }

  private PullBody read(ServerRequest request, String userId) {
    try (Bodies.Body body = bodies.open(request, userId)) {
      return body.read(RequestReader::pull);
    }
  }

  private void answer(
      String userId, PullRequest body, ServerRequest request, ServerResponse response) {
    try {
      answers.send(
          userId,
          HeaderValues.CONTENT_TYPE_JSON,
          chunks -> pull.answer(userId, body, chunks),
          _ -> {},
          request,
          response);
      metrics.bytesSent(response.bytesWritten());
    } catch (DatabaseUnavailableException _) {
      throw Unavailable.problem();
    }
  }
}
