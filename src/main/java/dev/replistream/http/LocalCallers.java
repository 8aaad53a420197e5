package dev.replistream.http;

import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.Headers;
import io.helidon.http.Status;
import io.helidon.webserver.http.Filter;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/// Lets in nobody but this machine's own clients, for a server in development mode: a tunnel or a
/// proxy that makes it reachable would hand a token of any user to whoever finds it. Requests that
/// came through one say so in a header. A page whose name was made to resolve to this machine (DNS
/// rebinding) says that name in `Host`. Immutable.
public final class LocalCallers implements Filter {
  /// What proxies and tunnels add, in lower case: RFC 7239, RFC 9110, section 7.6.3, and custom.
  private static final Set<String> PROXIED =
      Set.of(
          "forwarded",
          "via",
          "x-real-ip",
          "x-client-ip",
          "x-cluster-client-ip",
          "x-envoy-external-address",
          "x-original-host",
          "x-original-forwarded-for",
          "x-proxyuser-ip",
          "cdn-loop",
          "cf-connecting-ip",
          "cf-ray",
          "fastly-client-ip",
          "fly-client-ip",
          "true-client-ip");

  private static final String FORWARDED_PREFIX = "x-forwarded";

  private static final Pattern THIS_MACHINE =
      Pattern.compile(
          "(localhost|[a-z0-9-]{1,63}\\.localhost|127(\\.\\d{1,3}){3}|\\[::1])(:\\d{1,5})?",
          Pattern.CASE_INSENSITIVE);

  private final String host;

  /// A filter for a server that listens on `host`, a name or an address, by which clients may call
  /// it too.
  public LocalCallers(String host) {
    this.host = host.toLowerCase(Locale.ROOT);
  }

  @Override
  public void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
    Headers headers = request.headers();
    for (Header header : headers) {
      String name = header.headerName().lowerCase();
      if (PROXIED.contains(name) || name.startsWith(FORWARDED_PREFIX)) {
        throw refusal("came through a proxy or a tunnel");
      }
    }
    if (!isThisMachine(headers.first(HeaderNames.HOST).orElse(""))) {
      throw refusal("names another host");
    }
    chain.proceed();
  }

  private boolean isThisMachine(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return THIS_MACHINE.matcher(lower).matches()
        || lower.equals(host)
        || (lower.startsWith(host + ':') && lower.substring(host.length()).matches(":\\d{1,5}"));
  }

  private static ProblemException refusal(String what) {
    return Problem.of(
            Status.FORBIDDEN_403,
            "This server is in development mode, for this machine alone, and the request %s: configure replistream.auth.secret or replistream.auth.jwks to serve others."
                .formatted(what))
        .toException();
  }
}
