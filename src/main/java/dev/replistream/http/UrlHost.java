package dev.replistream.http;

import java.net.URI;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The host of a URL, also where its name has an underscore, as Compose names its services. {@link
/// URI#getHost} knows no such host: no host of the internet has one (RFC 952), and yet resolvers
/// find it.
public final class UrlHost {
  // letters, digits, and what stands between them; an underscore anywhere
  private static final Pattern WITH_UNDERSCORE =
      Pattern.compile("([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?)(?::\\d{0,5})?");

  private UrlHost() {}

  /// The host as it stands there, an IPv6 address in brackets; empty where there is none.
  public static Optional<String> of(URI url) {
    if (url.getHost() != null) {
      return Optional.of(url.getHost());
    }
    String authority = url.getRawAuthority();
    if (authority == null) {
      return Optional.empty();
    }
    Matcher matcher = WITH_UNDERSCORE.matcher(authority);
    return matcher.matches() ? Optional.of(matcher.group(1)) : Optional.empty();
  }

  /// An address or a name as it stands in a URL and before a port: one of IPv6 in brackets (RFC
  /// 3986, section 3.2.2).
  public static String bracketed(String host) {
    return host.contains(":") ? "[" + host + "]" : host;
  }
}
