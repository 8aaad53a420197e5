package dev.replistream.http;

import io.helidon.http.Header;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Headers;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Which web pages may call: the CORS protocol of the Fetch standard, section 3.2.
///
/// Immutable, so any thread may ask it. Origins are compared as whole strings, so neither
/// `https://app.example.com.evil.example` nor `null` passes for a listed one.
public final class Cors {
  private static final String ANY = "*";
  private static final Header ALLOW_ANY =
      HeaderValues.createCached(HeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
  private static final Header VARY = HeaderValues.createCached(HeaderNames.VARY, "Origin");
  private static final Header ALLOW_METHODS =
      HeaderValues.createCached(HeaderNames.ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, DELETE");
  private static final Header ALLOW_HEADERS =
      HeaderValues.createCached(
          HeaderNames.ACCESS_CONTROL_ALLOW_HEADERS,
          "Authorization, Content-Type, Last-Event-ID, X-Replicache-RequestID");
  private static final Header EXPOSE_HEADERS =
      HeaderValues.createCached(HeaderNames.ACCESS_CONTROL_EXPOSE_HEADERS, "Retry-After");
  private static final Header MAX_AGE =
      HeaderValues.createCached(HeaderNames.ACCESS_CONTROL_MAX_AGE, "7200");
  private static final HeaderName REQUEST_METHOD = HeaderNames.ACCESS_CONTROL_REQUEST_METHOD;

  private final Set<String> ownPages;
  private final boolean any;
  private final Set<String> origins;

  /// A policy for a list of origins such as `https://app.example.com`; `*` allows every origin.
  ///
  /// @param ownPages paths that no other origin may read, whatever the policy
  public Cors(List<String> allowOrigins, Set<String> ownPages) {
    this.ownPages = Set.copyOf(ownPages);
    this.origins = Set.copyOf(new LinkedHashSet<>(allowOrigins));
    this.any = origins.contains(ANY);
  }

  /// Whether pages of `origin` may call.
  public boolean allows(String origin) {
    return any || origins.contains(origin);
  }

  /// The headers that let the page which sent `requestHeaders` read the response; none when its
  /// origin is not allowed.
  public List<Header> responseHeaders(Headers requestHeaders) {
    if (any) {
      return List.of(ALLOW_ANY);
    }
    Optional<String> origin = requestHeaders.first(HeaderNames.ORIGIN).filter(origins::contains);
    return origin
        .map(o -> List.of(HeaderValues.create(HeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN, o), VARY))
        .orElse(List.of(VARY));
  }

  /// Answers preflights without asking who calls, and puts the CORS headers on every other
  /// response, errors included.
  public void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
    if (ownPages.contains(request.prologue().uriPath().path())) {
      chain.proceed();
      return;
    }
    responseHeaders(request.headers()).forEach(response::header);
    if (isPreflight(request)) {
      response.header(ALLOW_METHODS).header(ALLOW_HEADERS).header(MAX_AGE);
      response.status(Status.NO_CONTENT_204).send();
    } else {
      response.header(EXPOSE_HEADERS);
      chain.proceed();
    }
  }

  private static boolean isPreflight(RoutingRequest request) {
    return request.prologue().method().equals(Method.OPTIONS)
        && request.headers().contains(HeaderNames.ORIGIN)
        && request.headers().contains(REQUEST_METHOD);
  }
}
