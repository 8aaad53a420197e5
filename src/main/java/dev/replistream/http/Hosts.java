package dev.replistream.http;

import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.Filter;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Lets in requests for this server's own names alone: not those of a page whose name was made to
/// resolve to this server, nor those that a proxy sent here by mistake. Others get 421 (RFC 9110,
/// section 15.5.20). The port does not matter, as a proxy or a port mapping has another one.
/// Immutable.
public final class Hosts implements Filter {
  private static final Pattern NAME = Pattern.compile("[a-z0-9_-]+(\\.[a-z0-9_-]+)*");

  private final Set<String> hosts;
  private final Cors cors;

  /// @param hosts as {@link #parse} makes them
  /// @param cors lets pages read the refusal
  public Hosts(List<String> hosts, Cors cors) {
    this.hosts = hosts.stream().collect(Collectors.toUnmodifiableSet());
    this.cors = cors;
  }

  /// One form for all spellings of a host: in lower case, without the dot of the root; an IPv6
  /// address may stand in brackets.
  ///
  /// @throws IllegalArgumentException when it is neither a name nor an address
  public static String parse(String host) {
    String name = host.toLowerCase(Locale.ROOT);
    boolean isBracketed = name.startsWith("[") && name.endsWith("]");
    String bare =
        isBracketed
            ? name.substring(1, name.length() - 1)
            : name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    Optional<String> address = ClientAddresses.literal(bare).map(a -> a.getHostAddress());
    if (address.isEmpty() && (isBracketed || !NAME.matcher(bare).matches())) {
      throw new IllegalArgumentException();
    }
    return address.orElse(bare);
  }

  @Override
  public void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
    if (!isOwn(request.headers().first(HeaderNames.HOST).orElse(""))) {
      cors.responseHeaders(request.headers()).forEach(response::header);
      throw Problem.of(
              Status.MISDIRECTED_REQUEST_421,
              "This server does not go by the name in Host; its operator lists its names in"
                  + " http.hosts.")
          .toException();
    }
    chain.proceed();
  }

  private boolean isOwn(String host) {
    int end = host.startsWith("[") ? host.indexOf(']') + 1 : host.indexOf(':');
    try {
      return hosts.contains(parse(end > 0 ? host.substring(0, end) : host));
    } catch (IllegalArgumentException _) {
      return false;
    }
  }
}
