package dev.replistream.http;

import io.helidon.common.parameters.Parameters;
import io.helidon.common.uri.UriPath;
import io.helidon.http.PathMatcher;
import io.helidon.http.PathMatchers.MatchResult;
import io.helidon.http.PathMatchers.PrefixMatchResult;
import io.helidon.http.RoutedPath;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The path of a route, which may have parameters, such as `/rooms/{room}/members`. A parameter is
/// one segment that is not empty.
///
/// The path is taken as it came over the wire, and only then are parameters decoded (RFC 3986,
/// section 2.4). So `%2F` is a character of a parameter and no end of it, and neither `..` nor
/// `%2E%2E` leads anywhere: both are the parameter `..`. A parameter that is not UTF-8 fits
/// nothing.
///
/// All else has one spelling, so that a proxy's rule for a path has no way around it: `%72oms` is
/// not `rooms`, though RFC 3986, section 6.2.2.2, calls them equivalent, and there are no empty
/// segments, no `;` and no other case. Helidon's own patterns look at the path after it was decoded
/// and normalized.
///
/// Immutable and thread-safe.
final class PathTemplate implements PathMatcher {
  private static final Parameters NONE = Parameters.empty("path");
  private static final String SCHEME_END = "://";

  private final String template;
  private final boolean isFixed;
  private final List<String> segments;

  PathTemplate(String template) {
    this.template = template;
    this.isFixed = !isParameter(template);
    this.segments = List.of(template.split("/", -1));
  }

  /// The path of a target that may be a whole URI.
  static String path(String target) {
    if (target.startsWith("/")) {
      return target;
    }
    int schemeEnd = target.indexOf(SCHEME_END);
    int slash = schemeEnd < 0 ? -1 : target.indexOf('/', schemeEnd + SCHEME_END.length());
    return slash < 0 ? "" : target.substring(slash);
  }

  private static boolean isParameter(String text) {
    return text.indexOf('{') >= 0;
  }

  @Override
  public MatchResult match(UriPath path) {
    String raw = path(path.rawPath());
    if (isFixed) {
      return raw.equals(template)
          ? new MatchResult(true, new Matched(path, NONE))
          : MatchResult.notAccepted();
    }
    return parameters(raw.split("/", -1))
        .map(parameters ->
            new MatchResult(
                true, new Matched(path, Parameters.createSingleValueMap("path", parameters))))
        .orElseGet(MatchResult::notAccepted);
  }

  private Optional<Map<String, String>> parameters(String[] raw) {
    if (raw.length != segments.size()) {
      return Optional.empty();
    }
    Map<String, String> parameters = new LinkedHashMap<>();
    for (int i = 0; i < raw.length; i++) {
      String segment = segments.get(i);
      if (isParameter(segment)) {
        Optional<String> given = decode(raw[i]);
        if (given.isEmpty() || raw[i].isEmpty()) {
          return Optional.empty();
        }
        parameters.put(segment.substring(1, segment.length() - 1), given.get());
      } else if (!raw[i].equals(segment)) {
        return Optional.empty();
      }
    }
    return Optional.of(parameters);
  }

  /// The text of a segment (RFC 3986, section 2.1); empty where it is not UTF-8.
  private static Optional<String> decode(String segment) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(segment.length());
    for (int i = 0; i < segment.length(); i++) {
      char c = segment.charAt(i);
      if (c == '%') {
        // Helidon has refused what is no pair of digits
        bytes.write(Integer.parseInt(segment, i + 1, i + 3, 16));
        i += 2;
      } else if (c < 0x80) {
        bytes.write(c);
      } else {
        return Optional.empty();
      }
    }
    try {
      return Optional.of(
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(bytes.toByteArray()))
              .toString());
    } catch (CharacterCodingException _) {
      return Optional.empty();
    }
  }

  /// Templates are whole paths.
  @Override
  public PrefixMatchResult prefixMatch(UriPath path) {
    return PrefixMatchResult.notAccepted();
  }

  @Override
  public Optional<String> matchingElement() {
    return Optional.of(template);
  }

  /// A path that fits, with what its parameters are.
  private record Matched(UriPath uri, Parameters pathParameters) implements RoutedPath {
    @Override
    public String rawPath() {
      return uri.rawPath();
    }

    @Override
    public String rawPathNoParams() {
      return uri.rawPathNoParams();
    }

    @Override
    public String path() {
      return uri.path();
    }

    @Override
    public Parameters matrixParameters() {
      return uri.matrixParameters();
    }

    @Override
    public RoutedPath absolute() {
      return this;
    }

    @Override
    public void validate() {
      uri.validate();
    }
  }
}
