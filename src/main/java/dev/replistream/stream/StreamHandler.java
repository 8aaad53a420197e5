package dev.replistream.stream;

import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.auth.Caller.Credential;
import dev.replistream.http.Cors;
import dev.replistream.http.Problem;
import dev.replistream.http.ProblemException;
import dev.replistream.http.Routes;
import dev.replistream.http.wire.Takeover;
import io.helidon.common.media.type.MediaTypes;
import io.helidon.http.BadRequestException;
import io.helidon.http.Header;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.HttpMediaType;
import io.helidon.http.ServerRequestHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// `GET /stream`: opens a stream of events, or says why not in the form that the caller can use.
/// Thread-safe.
public final class StreamHandler implements Handler {
  private static final HeaderName LAST_EVENT_ID = HeaderNames.create("Last-Event-ID");
  private static final HttpMediaType EVENT_STREAM =
      HttpMediaType.create(MediaTypes.TEXT_EVENT_STREAM);
  private static final String HEAD =
      """
      HTTP/1.1 200 OK\r
      Content-Type: text/event-stream\r
      Cache-Control: no-cache, no-transform\r
      Connection: keep-alive\r
      X-Accel-Buffering: no\r
      """;

  private final Authenticator authenticator;
  private final SseManager manager;
  private final FeedSources sources;
  private final StreamSettings settings;
  private final StreamMetrics metrics;
  private final Cors cors;
  private final Clock clock;
  private final List<Header> extraHeaders;

  /// @param extraHeaders what else the head of this route's streams carries
  public StreamHandler(
      Authenticator authenticator,
      SseManager manager,
      FeedSources sources,
      StreamSettings settings,
      StreamMetrics metrics,
      Cors cors,
      Clock clock,
      List<Header> extraHeaders) {
    this.authenticator = authenticator;
    this.manager = manager;
    this.sources = sources;
    this.settings = settings;
    this.metrics = metrics;
    this.cors = cors;
    this.clock = clock;
    this.extraHeaders = List.copyOf(extraHeaders);
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    String lastEventId = lastEventId(request);
    if (SseSession.isEnded(lastEventId)) {
      // whoever it is: by this status alone an EventSource stops without an error (WHATWG HTML,
      // section "Server-sent events", "reestablish the connection"), and its ticket is used up
      response.status(Status.NO_CONTENT_204).send();
      return;
    }
    // before a ticket is used up
    String device = Device.of(request);
    FeedSources.Wish wish = sources.wish(request, Transport.SSE);
    if (!acceptsEvents(request.headers())) {
      throw Problem.of(Status.NOT_ACCEPTABLE_406, "This route answers with text/event-stream only.")
          .toException();
    }
    Caller caller;
    try {
      caller = authenticator.streamCaller(request);
    } catch (ProblemException e) {
      if (!e.problem().status().equals(Status.TOO_MANY_REQUESTS_429)
          || request.headers().contains(HeaderNames.AUTHORIZATION)) {
        throw e;
      }
      comeBackLater(response, Duration.ZERO); // a cookie's token could not be looked at now
      return;
    }
    Connection connection =
        new Connection(
            caller, Transport.SSE, device, Duration.between(clock.instant(), caller.expiresAt()));
    SseManager.Admission admission = manager.register(connection);
    if (admission != SseManager.Admission.ADMITTED) {
      authenticator.giveBack(request, caller);
      refuse(request, response, caller, admission);
      return;
    }
    SseSession session =
        new SseSession(connection, head(request), lastEventId, manager, settings, metrics);
    start(manager, response, connection, sources.open(wish, connection), session);
  }

  /// Hands the connection of a request over to the session of one that is registered.
  static void start(
      SseManager manager,
      ServerResponse response,
      Connection connection,
      Feeds feeds,
      Session session) {
    try {
      Takeover.start(
          response,
          socket -> {
            try (feeds) {
              session.accept(socket, feeds);
            }
          });
    } catch (RuntimeException e) {
      feeds.close();
      manager.remove(connection, 0); // the session will never run, so nobody else would
      throw e;
    }
  }

  /// Whether the media ranges of `Accept` allow an event stream: of those that match, the most
  /// specific one decides, and a weight of 0 says no (RFC 9110, section 12.5.1).
  private static boolean acceptsEvents(ServerRequestHeaders headers) {
    List<HttpMediaType> ranges = headers.acceptedTypes();
    try {
      return ranges.isEmpty()
          || ranges.stream()
              .filter(range -> range.test(EVENT_STREAM))
              .max(
                  Comparator.comparingInt(StreamHandler::specificity)
                      .thenComparingDouble(HttpMediaType::qualityFactor))
              .filter(range -> range.qualityFactor() > 0)
              .isPresent();
    } catch (NumberFormatException e) {
      throw new BadRequestException("Accept", e);
    }
  }

  private static int specificity(HttpMediaType range) {
    return range.mediaType().isWildcardType() ? 0 : range.mediaType().isWildcardSubtype() ? 1 : 2;
  }

  /// An API client gets a status. A native EventSource would give up for good on any status but
  /// 200, so it gets an empty stream that tells it when to try again (WHATWG HTML, section
  /// "Server-sent events", "fail the connection"). So do EventSources out of libraries, which send
  /// a header: where the node only goes, as each restart does to all, everybody gets that.
  private void refuse(
      ServerRequest request,
      ServerResponse response,
      Caller caller,
      SseManager.Admission admission) {
    if (caller.credential() == Credential.HEADER && admission != SseManager.Admission.DRAINING) {
      Routes.send(request, response, refusal(admission, settings));
    } else {
      comeBackLater(response, manager.absence(admission));
    }
  }

  private void comeBackLater(ServerResponse response, Duration absence) {
    response.header(HeaderValues.CONTENT_TYPE_EVENT_STREAM);
    response.header(HeaderNames.CACHE_CONTROL, "no-cache, no-transform");
    response.header(HeaderValues.CONNECTION_CLOSE);
    response.send(SseSession.retryFrame(settings, absence));
  }

  /// What a client that can read a status is told when it is not let in.
  static Problem refusal(SseManager.Admission admission, StreamSettings settings) {
    long retrySeconds = Math.max(1, settings.retry().toSeconds());
    Problem problem =
        switch (admission) {
          case USER_LIMIT ->
              Problem.of(
                  Status.TOO_MANY_REQUESTS_429,
                  "This user has %s streams open, which is the limit: close one first."
                      .formatted(settings.maxConnectionsPerUser()));
          case NODE_LIMIT ->
              Problem.of(
                  Status.SERVICE_UNAVAILABLE_503,
                  "This node has all the streams that it may have: try again.");
          case DRAINING, ADMITTED ->
              Problem.of(Status.SERVICE_UNAVAILABLE_503, "This node is shutting down: try again.");
        };
    return problem.with(HeaderNames.RETRY_AFTER, Long.toString(retrySeconds));
  }

  private byte[] head(ServerRequest request) {
    StringBuilder head = new StringBuilder(384).append(HEAD);
    append(
        head,
        "Date",
        DateTimeFormatter.RFC_1123_DATE_TIME.format(clock.instant().atOffset(ZoneOffset.UTC)));
    for (Header header : cors.responseHeaders(request.headers())) {
      append(head, header.name(), header.get());
    }
    for (Header header : extraHeaders) {
      append(head, header.name(), header.get());
    }
    return head.append("\r\n").toString().getBytes(StandardCharsets.US_ASCII);
  }

  private static void append(StringBuilder head, String name, String value) {
    head.append(name).append(": ").append(value).append("\r\n");
  }

  /// What the client says it saw last, in the header or in the query, if it says anything.
  static @Nullable String lastEventId(ServerRequest request) {
    Optional<String> header = request.headers().first(LAST_EVENT_ID);
    if (header.isPresent() || request.query().isEmpty()) {
      return header.orElse(null);
    }
    return request.query().first("lastEventId").orElse(null);
  }
}
