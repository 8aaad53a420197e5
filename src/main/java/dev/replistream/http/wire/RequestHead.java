package dev.replistream.http.wire;

import dev.replistream.http.Malformed;
import io.helidon.http.HeaderNames;
import io.helidon.http.Headers;
import io.helidon.http.RequestException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/// What Helidon's parser lets pass in a request's line and its header fields, or fails at, by RFC
/// 9112, sections 3 and 5. Stateless.
final class RequestHead {
  private static final String LINE =
      "The first line of a request is a method, a path and HTTP/1.1, with one space between.";

  private static final List<byte[]> METHODS =
      Stream.of("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT")
          .map(method -> method.concat(" ").getBytes(StandardCharsets.US_ASCII))
          .toList();
  private static final byte[] OPTIONS = "OPTIONS ".getBytes(StandardCharsets.US_ASCII);
  private static final String SCHEME_END = "://";
  private static final int MAX_PORT = 65_535;
  private static final int MAX_PORT_DIGITS = 5;

  private RequestHead() {}

  /// Looks at a request line, without its end.
  ///
  /// @return the authority of the target, where that is a whole URI (section 3.2.2)
  /// @throws RequestException 400 when it is malformed; 501 when the method is none of those that
  ///   HTTP has. Methods are case-sensitive (section 3.1): `delete` is no `DELETE`
  static Optional<String> checkLine(byte[] line) {
    int methodEnd = 0;
    while (methodEnd < line.length && isTokenCharacter(line[methodEnd])) {
      methodEnd++;
    }
    if (methodEnd == 0 || methodEnd == line.length || line[methodEnd] != ' ') {
      throw Malformed.head(LINE);
    }
    int begin = methodEnd + 1;
    int end = begin;
    while (end < line.length && isTargetCharacter(line[end])) {
      end++;
    }
    if (end == begin || end == line.length || line[end] != ' ') {
      throw Malformed.head(LINE);
    }
    Optional<String> authority = Optional.empty();
    if (line[begin] != '/' && !isWholeServer(line, begin, end)) {
      authority =
          Optional.of(authority(new String(line, begin, end - begin, StandardCharsets.US_ASCII)));
    }
    if (METHODS.stream().noneMatch(method -> startsWith(line, method))) {
      throw Malformed.unknownMethod(
          "The methods are GET, POST, PUT and DELETE, written so: in capitals.");
    }
    return authority;
  }

  private static boolean startsWith(byte[] line, byte[] method) {
    return line.length >= method.length
        && Arrays.equals(line, 0, method.length, method, 0, method.length);
  }

  /// Section 3.2.4: `OPTIONS *`.
  private static boolean isWholeServer(byte[] line, int begin, int end) {
    return line[begin] == '*' && end == begin + 1 && startsWith(line, OPTIONS);
  }

  /// Section 3.2.2, of `http` and `https`; the authority form is for CONNECT, which is for proxies.
  private static String authority(String target) {
    int schemeEnd = target.indexOf(SCHEME_END);
    String scheme = schemeEnd < 0 ? "" : target.substring(0, schemeEnd).toLowerCase(Locale.ROOT);
    if (!scheme.equals("http") && !scheme.equals("https")) {
      throw Malformed.head("The target of a request is a path, which begins with a slash.");
    }
    int begin = schemeEnd + SCHEME_END.length();
    int end = begin;
    while (end < target.length() && target.charAt(end) != '/' && target.charAt(end) != '?') {
      end++;
    }
    return target.substring(begin, end);
  }

  /// Looks at the `Host` field (section 3.2), of which there is one.
  ///
  /// @param authority that of the target, which has to be the same
  /// @throws RequestException 400 when it is no host with or without a port
  static void checkHost(Headers headers, Optional<String> authority) {
    String host = headers.first(HeaderNames.HOST).orElse("");
    if (!isHost(host)) {
      throw Malformed.in(headers, Malformed.HOST);
    }
    if (!authority.map(host::equalsIgnoreCase).orElse(true)) {
      throw Malformed.in(headers, "The target and Host name different servers.");
    }
  }

  private static boolean isHost(String host) {
    int end = host.startsWith("[") ? host.indexOf(']') + 1 : host.indexOf(':');
    String name = end < 0 ? host : host.substring(0, end);
    String port = end < 0 ? "" : host.substring(end);
    boolean isName =
        name.startsWith("[")
            ? name.length() > 2 && all(name.substring(1, name.length() - 1), "0123456789abcdef:.")
            : !name.isEmpty() && all(name, "0123456789abcdefghijklmnopqrstuvwxyz.-_~");
    return isName && (port.isEmpty() || (port.charAt(0) == ':' && isPort(port.substring(1))));
  }

  private static boolean all(String text, String characters) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (characters.indexOf(c >= 'A' && c <= 'Z' ? c | 0x20 : c) < 0) {
        return false;
      }
    }
    return true;
  }

  private static boolean isPort(String text) {
    return !text.isEmpty()
        && text.length() <= MAX_PORT_DIGITS
        && all(text, "0123456789")
        && Integer.parseInt(text) <= MAX_PORT;
  }

  /// Looks at the name of a header field, of whose characters Helidon takes care.
  ///
  /// @throws RequestException 400 when it has none (section 5.1: `field-name = token`)
  static void checkName(String name) {
    if (name.isEmpty()) {
      throw Malformed.head("A header field begins with its name.");
    }
  }

  /// Whether a byte may stand in a token (RFC 9110, section 5.6.2).
  static boolean isTokenCharacter(byte b) {
    return (b >= 'a' && b <= 'z')
        || (b >= 'A' && b <= 'Z')
        || (b >= '0' && b <= '9')
        || "!#$%&'*+-.^_`|~".indexOf(b) >= 0;
  }

  /// Whether a byte may stand in a request's target: visible, and not what begins a fragment, which
  /// no client sends.
  private static boolean isTargetCharacter(byte b) {
    return b > ' ' && b < 0x7f && b != '#';
  }
}
