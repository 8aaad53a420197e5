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
import io.helidon.webserver.http.ServerRequest;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

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
      HeaderValues.createCached(
          HeaderNames.ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE");
  private static final List<String> NEEDED_HEADERS =
      List.of(
          "Authorization",
          "Content-Type",
          "Idempotency-Key",
          "If-Match",
          "If-None-Match",
          "Last-Event-ID",
          "X-Replicache-RequestID");
  private static final Header EXPOSE_HEADERS =
      HeaderValues.createCached(HeaderNames.ACCESS_CONTROL_EXPOSE_HEADERS, "ETag, Retry-After");
  private static final Header MAX_AGE =
      HeaderValues.createCached(HeaderNames.ACCESS_CONTROL_MAX_AGE, "7200");
  private static final HeaderName REQUEST_METHOD = HeaderNames.ACCESS_CONTROL_REQUEST_METHOD;

  private static final Header ALLOW_CREDENTIALS =
      HeaderValues.createCached(HeaderNames.ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
  private static final HeaderName SEC_FETCH_SITE = HeaderNames.create("Sec-Fetch-Site");
  private static final String SAME_ORIGIN = "same-origin";
  private static final Pattern ORIGIN = Pattern.compile("https?://([^/]+)");

  private final Set<String> ownPaths;
  private final boolean any;
  private final Set<String> origins;
  private final Header allowHeaders;

  /// A policy for a list of origins such as `https://app.example.com`; `*` allows every origin.
  ///
  /// @param allowOrigins origins as browsers send them: in lower case, without a default port
  /// @param allowHeaders names of request headers that pages may send, beside those that every
  ///   client needs
  /// @param ownPaths first segments of paths that no other origin may read, whatever the policy;
  ///   the empty one is that of `/`
  public Cors(List<String> allowOrigins, List<String> allowHeaders, Set<String> ownPaths) {
    this.ownPaths = Set.copyOf(ownPaths);
    this.origins = Set.copyOf(new LinkedHashSet<>(allowOrigins));
    this.any = origins.contains(ANY);
    this.allowHeaders =
        HeaderValues.createCached(
            HeaderNames.ACCESS_CONTROL_ALLOW_HEADERS,
            Stream.concat(NEEDED_HEADERS.stream(), allowHeaders.stream())
                .collect(Collectors.joining(", ")));
  }

  /// Whether pages of `origin` may call.
  public boolean allows(String origin) {
    return any || origins.contains(origin);
  }

  /// Whether a cookie that came with `request` says who calls, although browsers send cookies by
  /// themselves: the page that sent it is of the same origin, or of a listed one. `*` lists none.
  public boolean allowsCookie(ServerRequest request) {
    boolean isListed =
        !any && request.headers().first(HeaderNames.ORIGIN).filter(origins::contains).isPresent();
    return isListed || isSameOrigin(request);
  }

  /// Whether a page of this server sent `request`. The origin's host is then that of the request; a
  /// `GET` comes without an origin, and browsers say so in `Sec-Fetch-Site` (Fetch Metadata,
  /// section 2.3), which no page can set. The scheme is not compared: behind a proxy this server
  /// does not know its own.
  public static boolean isSameOrigin(ServerRequest request) {
    Headers headers = request.headers();
    Optional<String> site = headers.first(SEC_FETCH_SITE);
    Optional<String> origin = headers.first(HeaderNames.ORIGIN);
    if (origin.isEmpty()) {
      return request.prologue().method().equals(Method.GET)
          && site.filter(SAME_ORIGIN::equals).isPresent();
    }
    Matcher parts = ORIGIN.matcher(origin.get());
    return parts.matches()
        && headers.first(HeaderNames.HOST).filter(parts.group(1)::equals).isPresent()
        && site.orElse(SAME_ORIGIN).equals(SAME_ORIGIN);
  }

  /// The headers that let the page which sent `requestHeaders` read the response; none when its
  /// origin is not allowed.
  public List<Header> responseHeaders(Headers requestHeaders) {
    if (any) {
      return List.of(ALLOW_ANY);
    }
    Optional<String> origin = requestHeaders.first(HeaderNames.ORIGIN).filter(origins::contains);
    return origin
        .map(o ->
            List.of(
                HeaderValues.create(HeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN, o),
                ALLOW_CREDENTIALS,
                VARY))
        .orElse(List.of(VARY));
  }

  /// Answers preflights without asking who calls, and puts the CORS headers on every other
  /// response, errors included.
  public void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
    if (ownPaths.contains(
        firstSegment(PathTemplate.path(request.prologue().uriPath().rawPath())))) {
      chain.proceed();
      return;
    }
    responseHeaders(request.headers()).forEach(response::header);
    if (isPreflight(request)) {
      response.header(ALLOW_METHODS).header(allowHeaders).header(MAX_AGE);
      response.status(Status.NO_CONTENT_204).send();
    } else {
      response.header(EXPOSE_HEADERS);
      chain.proceed();
    }
  }

  private static String firstSegment(String path) {
    int end = path.indexOf('/', 1);
    return path.isEmpty() ? path : path.substring(1, end < 0 ? path.length() : end);
  }

  private static boolean isPreflight(RoutingRequest request) {
    return request.prologue().method().equals(Method.OPTIONS)
        && request.headers().contains(HeaderNames.ORIGIN)
        && request.headers().contains(REQUEST_METHOD);
  }
}
