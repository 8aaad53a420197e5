package dev.replistream.http;

import io.helidon.http.BadRequestException;
import io.helidon.http.DirectHandler;
import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.HttpException;
import io.helidon.http.Method;
import io.helidon.http.PathMatcher;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.lang.System.Logger.Level;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The routes of one listener: each path knows its methods, and everything that fails on the way is
/// answered as problem+json without an exception's text.
///
/// Confined to the thread that builds the server.
public final class Routes {
  /// Says that an answer is for its reader alone: no cache may keep it.
  public static final Header NO_STORE =
      HeaderValues.createCached(HeaderNames.CACHE_CONTROL, "no-store");

  private static final String UNREADABLE_ACCEPT =
      "Accept is a list of media types such as text/event-stream, each with a weight such as"
          + " ;q=0.5 or none.";

  private final SampledLog log = new SampledLog(System.getLogger(Routes.class.getName()));
  private final Map<String, Map<Method, Handler>> paths = new LinkedHashMap<>();

  /// Adds a handler for one method of one path. A segment such as `{room}` is a parameter, any text
  /// but none, which the handler finds decoded among the request's `path().pathParameters()`.
  public Routes on(Method method, String path, Handler handler) {
    paths.computeIfAbsent(path, _ -> new LinkedHashMap<>()).put(method, handler);
    return this;
  }

  /// Whether there is such a route.
  public boolean has(Method method, String path) {
    return paths.getOrDefault(path, Map.of()).containsKey(method);
  }

  /// Registers the routes, the answer 405 for other methods on their paths, and the error handlers.
  public void register(HttpRouting.Builder routing, Cors cors) {
    routing.addFilter(cors::filter);
    paths.forEach((path, methods) -> {
      PathMatcher matcher = new PathTemplate(path);
      methods.forEach((method, handler) -> routing.route(method, matcher, handler));
      String allow =
          methods.keySet().stream()
              .map(Method::text)
              .collect(Collectors.toCollection(TreeSet::new))
              .stream()
              .collect(Collectors.joining(", "));
      routing.route(_ -> true, matcher, (request, _) -> methodNotAllowed(request, path, allow));
    });
    answerFailures(routing);
  }

  /// Registers the error handlers alone, for routes that are not these.
  void answerFailures(HttpRouting.Builder routing) {
    routing.error(
        ProblemException.class, (request, response, e) -> send(request, response, e.problem()));
    routing.error(
        BadRequestException.class, // which handlers throw for one reason
        (request, response, _) ->
            send(request, response, Problem.of(Status.BAD_REQUEST_400, UNREADABLE_ACCEPT)));
    routing.error(
        HttpException.class,
        (request, response, e) -> send(request, response, problem(e.status())));
    routing.error(Throwable.class, this::bug);
  }

  /// Answers for requests that fail before they reach a route, such as malformed ones.
  public static DirectHandlers directHandlers(Cors cors) {
    DirectHandler handler =
        (request, _, status, headers, message) -> {
          ServerResponseHeaders responseHeaders = ServerResponseHeaders.create(headers);
          cors.responseHeaders(request.headers()).forEach(responseHeaders::set);
          responseHeaders.set(HeaderValues.create(HeaderNames.CONTENT_TYPE, Problem.CONTENT_TYPE));
          return DirectHandler.TransportResponse.builder()
              .status(status)
              .headers(responseHeaders)
              .entity(problem(request, status, message).toJson())
              .build();
        };
    DirectHandlers.Builder handlers = DirectHandlers.builder();
    for (DirectHandler.EventType type : DirectHandler.EventType.values()) {
      handlers.addHandler(type, handler);
    }
    return handlers.build();
  }

  /// Sends `problem` as the response to `request`; to `HEAD` without its body, which the client
  /// would take for the beginning of the next response (RFC 9110, section 9.3.2).
  public static void send(ServerRequest request, ServerResponse response, Problem problem) {
    response.status(problem.status());
    response.header(HeaderNames.CONTENT_TYPE, Problem.CONTENT_TYPE);
    problem.headers().forEach(response::header);
    if (problem.status().equals(Status.REQUEST_ENTITY_TOO_LARGE_413)) {
      // what is left of the body is not read, so the connection can't serve another request
      response.header(HeaderValues.CONNECTION_CLOSE);
    }
    byte[] json = problem.toJson();
    try {
      if (request.prologue().method().equals(Method.HEAD)) {
        response.contentLength(json.length);
        response.send();
      } else {
        response.send(json);
      }
    } catch (ServerConnectionException _) {
      // the client has left, so nobody is there to be told; the next read ends the connection
    }
  }

  /// Sends `json` with status 200, for its reader alone: no cache may keep it.
  public static void sendJson(ServerResponse response, byte[] json) {
    response.header(NO_STORE);
    response.header(HeaderValues.CONTENT_TYPE_JSON);
    response.send(json);
  }

  private static void methodNotAllowed(ServerRequest request, String path, String allow) {
    throw Problem.of(
            Status.METHOD_NOT_ALLOWED_405,
            "%s does not take %s.".formatted(path, request.prologue().method().text()))
        .with(HeaderNames.ALLOW, allow)
        .toException();
  }

  private void bug(ServerRequest request, ServerResponse response, Throwable e) {
    log.log(
        Level.ERROR,
        kind(e),
        () ->
            "event=error method="
                + SampledLog.word(request.prologue().method().text())
                + " path="
                + SampledLog.quoted(request.prologue().uriPath().path()),
        e);
    send(request, response, problem(Status.INTERNAL_SERVER_ERROR_500));
  }

  /// What the reports of one bug share: where it was thrown, and as what.
  private static String kind(Throwable e) {
    StackTraceElement[] trace = e.getStackTrace();
    return e.getClass().getName() + (trace.length == 0 ? "" : " at " + trace[0]);
  }

  /// For a request that no route has seen.
  private static Problem problem(
      DirectHandler.TransportRequest request, Status status, @Nullable String message) {
    return request instanceof Malformed malformed
        ? Problem.of(status, malformed.detail())
        : status.equals(Status.BAD_REQUEST_400) && message != null
            ? Problem.of(status, Malformed.detail(message))
            : problem(status);
  }

  private static Problem problem(Status status) {
    return Problem.of(
        status,
        switch (status.code()) {
          case 400 -> Malformed.NOT_HTTP;
          case 404 -> "There is nothing here; the routes begin with /api/v1/replicache.";
          case 406 -> "This route has no representation that the Accept header allows.";
          case 413 -> "The body is too large.";
          case 415 -> "Send the body as it is, without a Content-Encoding: none is taken.";
          case 505 -> "Speak HTTP/1.1.";
          case 500 -> "The server failed; its log has the reason.";
          default -> status.reasonPhrase() + ".";
        });
  }
}
