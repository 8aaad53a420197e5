package dev.replistream.http;

import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.Headers;
import io.helidon.webserver.http.ServerRequest;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Whose address a request comes from, for limits and logs: that of the TCP connection, or what
/// trusted proxies say in `Forwarded` (RFC 7239) or `X-Forwarded-For`.
///
/// A proxy puts who called it behind what it was told, and anybody can write what stands before. So
/// both lists are read from their end, over the trusted proxies, to the first address that is none
/// of theirs. A proxy maintains one of the headers, and hands the other one on as its client sent
/// it: where the two say different things, neither counts.
///
/// Immutable. No name is ever looked up.
public final class ClientAddresses {
  private static final HeaderName FORWARDED = HeaderNames.FORWARDED;
  private static final HeaderName X_FORWARDED_FOR = HeaderNames.X_FORWARDED_FOR;

  /// Four decimal numbers and no other form: Java takes `1` and `127.1` for addresses too.
  private static final Pattern IPV4 = Pattern.compile("(?:[0-9]{1,3}\\.){3}[0-9]{1,3}");

  private static final int LONGEST_LITERAL = 45; // as ::ffff:255.255.255.255 written in full
  private static final int HOST_BYTES = 8; // of an IPv6 address
  private static final String FOR = "for=";

  private final List<Network> trustedProxies;

  /// @param trustedProxies where the proxies are whose word counts
  public ClientAddresses(List<Network> trustedProxies) {
    this.trustedProxies = List.copyOf(trustedProxies);
  }

  /// The address of the client that sent `request`, as far as trusted proxies know it. Where one
  /// does not say whom it serves, in a form that can be read, the address is that proxy's.
  public InetAddress of(ServerRequest request) {
    return of(address(request.remotePeer().address()), request.headers());
  }

  /// The same of a request with these headers that `peer` sent.
  InetAddress of(InetAddress peer, Headers headers) {
    return isTrustedProxy(peer) ? behind(peer, headers) : peer;
  }

  /// Whether the word of who connects from `address` counts.
  public boolean isTrustedProxy(InetAddress address) {
    for (Network network : trustedProxies) {
      if (network.contains(address)) {
        return true;
      }
    }
    return false;
  }

  /// What limits count as one address: an IPv4 address, or the network of an IPv6 address, whose
  /// last 64 bits a host chooses as it likes (RFC 4291, section 2.5.1).
  public static InetAddress counted(InetAddress address) {
    if (!(address instanceof Inet6Address)) {
      return address;
    }
    byte[] bytes = address.getAddress();
    Arrays.fill(bytes, bytes.length - HOST_BYTES, bytes.length, (byte) 0);
    return of(bytes);
  }

  /// The address of one end of a connection; the loopback address where it has none, as a socket of
  /// another kind.
  public static InetAddress address(@Nullable SocketAddress socket) {
    return socket instanceof InetSocketAddress inet && !inet.isUnresolved()
        ? inet.getAddress()
        : InetAddress.getLoopbackAddress();
  }

  /// The address that `text` is, in dotted or colon form.
  static Optional<InetAddress> literal(String text) {
    boolean isIpv6 = text.indexOf(':') >= 0 && text.indexOf('%') < 0; // a zone means nothing here
    if (text.length() > LONGEST_LITERAL || (!isIpv6 && !IPV4.matcher(text).matches())) {
      return Optional.empty();
    }
    try {
      return Optional.of(InetAddress.ofLiteral(text));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private InetAddress behind(InetAddress peer, Headers headers) {
    boolean isForwarded = headers.contains(FORWARDED);
    boolean isForwardedFor = headers.contains(X_FORWARDED_FOR);
    if (isForwarded && isForwardedFor) {
      InetAddress client = firstUntrusted(peer, forwarded(headers));
      return client.equals(firstUntrusted(peer, forwardedFor(headers))) ? client : peer;
    }
    return isForwarded
        ? firstUntrusted(peer, forwarded(headers))
        : isForwardedFor ? firstUntrusted(peer, forwardedFor(headers)) : peer;
  }

  /// @param nodes the nearest first
  private InetAddress firstUntrusted(InetAddress peer, List<String> nodes) {
    InetAddress nearest = peer;
    for (String node : nodes) {
      Optional<InetAddress> address = node(node);
      if (address.isEmpty()) {
        return nearest; // "unknown", a pseudonym, or nonsense
      }
      nearest = address.get();
      if (!isTrustedProxy(nearest)) {
        return nearest;
      }
    }
    return nearest;
  }

  /// The address of a node (RFC 7239, section 6), with or without a port.
  private static Optional<InetAddress> node(String node) {
    if (node.startsWith("[")) {
      int end = node.indexOf(']');
      boolean isWhole = end == node.length() - 1 || (end > 0 && node.charAt(end + 1) == ':');
      return isWhole && node.indexOf(':') < end
          ? literal(node.substring(1, end))
          : Optional.empty();
    }
    int colon = node.indexOf(':');
    boolean hasPort = colon >= 0 && colon == node.lastIndexOf(':');
    return literal(hasPort ? node.substring(0, colon) : node);
  }

  private static List<String> forwardedFor(Headers headers) {
    return headers.get(X_FORWARDED_FOR).allValues().reversed().stream()
        .flatMap(value -> split(value, ',').stream())
        .map(String::strip)
        .toList();
  }

  /// The nodes of `for=` of each element; an element without one is a node without a name.
  private static List<String> forwarded(Headers headers) {
    List<String> nodes = new ArrayList<>();
    for (String value : headers.get(FORWARDED).allValues().reversed()) {
      for (String element : split(value, ',')) {
        nodes.add(
            split(element, ';').stream()
                .map(String::strip)
                .filter(pair -> pair.regionMatches(true, 0, FOR, 0, FOR.length()))
                .map(pair -> unquoted(pair.substring(FOR.length())))
                .reduce((first, second) -> "") // the grammar allows one
                .orElse(""));
      }
    }
    return nodes;
  }

  /// What stands between separators that are not quoted (RFC 9110, section 5.6.4), the last first.
  /// It is read from the end, where a proxy has written: a quote that its client left open before
  /// that hides nothing.
  private static List<String> split(String text, char separator) {
    List<String> parts = new ArrayList<>();
    boolean isQuoted = false;
    int end = text.length();
    for (int i = end - 1; i >= 0; i--) {
      char c = text.charAt(i);
      if (c == '"' && (i == 0 || text.charAt(i - 1) != '\\')) {
        isQuoted = !isQuoted;
      } else if (c == separator && !isQuoted) {
        parts.add(text.substring(i + 1, end));
        end = i;
      }
    }
    parts.add(text.substring(0, end));
    return parts;
  }

  /// No address has a character that needs a backslash, so what has one is left as it is.
  private static String unquoted(String value) {
    boolean isQuoted = value.length() >= 2 && value.startsWith("\"") && value.endsWith("\"");
    return isQuoted ? value.substring(1, value.length() - 1) : value;
  }

  private static InetAddress of(byte[] bytes) {
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(e); // no other length than an address's comes here
    }
  }
}
