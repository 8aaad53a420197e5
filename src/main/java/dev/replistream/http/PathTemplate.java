package dev.replistream.http;

import io.helidon.common.parameters.Parameters;
import io.helidon.common.uri.UriPath;
import io.helidon.http.PathMatcher;
import io.helidon.http.PathMatchers.MatchResult;
import io.helidon.http.PathMatchers.PrefixMatchResult;
import io.helidon.http.RoutedPath;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A path with parameters, such as `/rooms/{room}/members`. A parameter is one segment that is not
/// empty.
///
/// The path is taken as it came over the wire, split at its slashes, and only then decoded (RFC
/// 3986, section 2.4). So `%2F` is a character of a parameter and no end of it, and neither `..`
/// nor `%2E%2E` leads anywhere: both are the parameter `..`. A segment that is not UTF-8 fits
/// nothing. Helidon's own patterns look at the path after it was decoded and normalized.
///
/// Immutable and thread-safe.
final class PathTemplate implements PathMatcher {
  private final String template;
  private final List<String> segments;

  PathTemplate(String template) {
    this.template = template;
    this.segments = List.of(template.split("/", -1));
  }

  /// Whether `path` has parameters.
  static boolean isTemplate(String path) {
    return path.indexOf('{') >= 0;
  }

  @Override
  public MatchResult match(UriPath path) {
    return parameters(absolutePath(path.rawPath()).split("/", -1))
        .map(parameters ->
            new MatchResult(
                true, new Matched(path, Parameters.createSingleValueMap("path", parameters))))
        .orElseGet(MatchResult::notAccepted);
  }

  /// The path of a target that may be a whole URI (RFC 9112, section 3.2.2).
  private static String absolutePath(String target) {
    return target.startsWith("/")
        ? target
        : Optional.ofNullable(URI.create(target).getRawPath()).orElse("");
  }

  private Optional<Map<String, String>> parameters(String[] raw) {
    if (raw.length != segments.size()) {
      return Optional.empty();
    }
    Map<String, String> parameters = new LinkedHashMap<>();
    for (int i = 0; i < raw.length; i++) {
      String segment = segments.get(i);
      Optional<String> given = decode(raw[i]);
      boolean isParameter = isTemplate(segment);
      if (given.isEmpty() || (isParameter ? raw[i].isEmpty() : !given.get().equals(segment))) {
        return Optional.empty();
      }
      if (isParameter) {
        parameters.put(segment.substring(1, segment.length() - 1), given.get());
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
