package dev.replistream.http;

import io.helidon.common.media.type.MediaTypes;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.http.Filter;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import java.util.List;

/// Stands before Helidon's health and metrics on the operator's listener. Each of their paths has
/// one spelling, as a route of the API has ({@link PathTemplate}), and there are no others: Helidon
/// decodes and normalizes paths, and has more than are documented. What is refused is told as
/// problem+json. Immutable.
public final class OperatorPaths implements Filter {
  private static final String METRICS = "/metrics";
  private static final List<String> PATHS =
      List.of("/health", "/health/live", "/health/ready", "/health/started", METRICS);
  private static final String METHODS = "GET, HEAD";

  private OperatorPaths() {}

  /// Lets in requests for these paths alone.
  public static HttpRouting.Builder guard(HttpRouting.Builder routing) {
    routing.addFilter(new OperatorPaths());
    new Routes().answerFailures(routing);
    return routing;
  }

  private static ProblemException notFound() {
    return Problem.of(
            Status.NOT_FOUND_404,
            "The paths here are " + String.join(", ", PATHS) + ", each spelled so.")
        .toException();
  }

  @Override
  public void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
    String path = PathTemplate.path(request.prologue().uriPath().rawPath());
    if (!PATHS.contains(path)) {
      throw notFound();
    }
    Method method = request.prologue().method();
    boolean isHead = method.equals(Method.HEAD);
    if (!isHead && !method.equals(Method.GET)) {
      throw Problem.of(Status.METHOD_NOT_ALLOWED_405, path + " takes GET and HEAD alone.")
          .with(HeaderNames.ALLOW, METHODS)
          .toException();
    }
    response.beforeSend(() -> complete(response, isHead));
    if (isHead && path.equals(METRICS)) { // which Helidon takes for no route
      response.header(HeaderValues.create(HeaderNames.CONTENT_TYPE, MediaTypes.TEXT_PLAIN.text()));
      response.send();
    } else {
      chain.proceed();
    }
  }

  /// Helidon refuses without a word, and answers `HEAD` with 204 where `GET` has 200.
  private static void complete(RoutingResponse response, boolean isHead) {
    int status = response.status().code();
    if (isHead && status == Status.NO_CONTENT_204.code()) {
      response.status(Status.OK_200);
    } else if (!response.headers().contains(HeaderNames.CONTENT_TYPE)) { // none that is told yet
      if (status == Status.NOT_ACCEPTABLE_406.code()) {
        throw Problem.of(
                Status.NOT_ACCEPTABLE_406,
                "Accept has to allow text/plain, application/openmetrics-text or application/json.")
            .toException();
      } else if (status == Status.NOT_FOUND_404.code()) {
        throw Problem.of(
                Status.NOT_FOUND_404, "There is no metric of the name and scope in the query.")
            .toException();
      }
    }
  }
}
