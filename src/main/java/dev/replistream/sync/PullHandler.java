package dev.replistream.sync;

import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.http.Bodies;
import dev.replistream.http.Gzip;
import dev.replistream.http.MediaTypes;
import dev.replistream.http.Routes;
import dev.replistream.http.SampledLog;
import dev.replistream.http.Unavailable;
import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;

/// `POST /pull`. The answer is written while the database is read. A failure before its first byte
/// is a problem; after it the connection is cut, so that nobody takes half an answer for a whole
/// one. Thread-safe.
public final class PullHandler implements Handler {
  private static final Header GZIP = HeaderValues.create(HeaderNames.CONTENT_ENCODING, "gzip");

  private static final Header VARY =
      HeaderValues.create(HeaderNames.VARY, HeaderNames.ACCEPT_ENCODING.defaultCase());

  /// The largest body that is read. What is large in it is the cookie: in two thousand rooms, whose
  /// ids take 384 bytes of UTF-8 at most, it has some 820,000 bytes.
  public static final int MAX_BODY_BYTES = 1 << 20;

  private final SampledLog log = new SampledLog(System.getLogger(PullHandler.class.getName()));
  private final Authenticator authenticator;
  private final Pull pull;
  private final Function<String, Optional<Duration>> pulled;
  private final SyncMetrics metrics;
  private final SpillFiles spills;
  private final SyncSettings settings;
  private final Bodies bodies;

  /// @param pulled is told who pulls, and answers how long ago that user was poked, if that is
  ///   known
  /// @param spills where answers wait for slow clients
  /// @param settings which versions of the application's schema may pull
  /// @param bodies how much of a body is read
  public PullHandler(
      Authenticator authenticator,
      Pull pull,
      Function<String, Optional<Duration>> pulled,
      SyncMetrics metrics,
      SpillFiles spills,
      SyncSettings settings,
      Bodies bodies) {
    this.authenticator = authenticator;
    this.pull = pull;
    this.pulled = pulled;
    this.metrics = metrics;
    this.spills = spills;
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
    Chunks chunks = new Chunks(spills, userId);
    Thread.ofVirtual().name("pull").start(() -> pull.answer(userId, body, chunks));
    try {
      byte[] first = chunks.take();
      response.headers().add(VARY);
      boolean isZipped = first.length > Gzip.MIN_BYTES && Gzip.isAccepted(request);
      if (isZipped) {
        response.header(GZIP);
      }
      if (chunks.isDone()) {
        Routes.sendJson(response, isZipped ? Gzip.compress(first) : first);
      } else {
        stream(first, chunks, isZipped, response);
      }
      metrics.bytesSent(response.bytesWritten());
    } catch (TooMuchAtOnceException e) {
      throw Unavailable.problem(String.valueOf(e.getMessage()));
    } catch (DatabaseUnavailableException _) {
      throw Unavailable.problem();
    } catch (UncheckedIOException e) {
      if (Thread.currentThread().isInterrupted()) {
        throw Unavailable.problem("The server is stopping; come again.");
      }
      throw e;
    } finally {
      chunks.cancel();
    }
  }

  private void stream(byte[] first, Chunks chunks, boolean isZipped, ServerResponse response) {
    response.header(HeaderValues.CONTENT_TYPE_JSON);
    try {
      OutputStream out = response.outputStream();
      if (isZipped) {
        Gzip gzip = new Gzip(out);
        try {
          copy(first, chunks, gzip);
        } finally {
          gzip.abandon();
        }
      } else {
        copy(first, chunks, out);
      }
    } catch (ServerConnectionException e) {
      throw new CloseConnectionException("The client has left", e);
    } catch (IOException | RuntimeException e) {
      log.log(Level.WARNING, "pull-cut", () -> "event=pull-cut", e);
      throw new CloseConnectionException("The answer can't be ended", e);
    }
  }

  /// Only an answer that came to its end closes the stream, which ends the response.
  private static void copy(byte[] first, Chunks chunks, OutputStream out) throws IOException {
    out.write(first);
    while (!chunks.isDone()) {
      out.write(chunks.take());
    }
    out.close();
  }
}
