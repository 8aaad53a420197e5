package dev.replistream.stream;

import dev.replistream.http.Problem;
import dev.replistream.http.ProblemException;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What a connection comes from, in a few words for its user: such as `Chrome on Android`, or what
/// the client itself says. Equal labels are one `String`, as thousands of connections have the
/// same. Stateless.
final class Device {
  private static final String PARAMETER = "device";
  private static final int MAX_CHARS = 64;
  private static final String UNKNOWN = "unknown";

  /// What is found first names the browser: most pretend to be others too.
  private static final List<Mark> BROWSERS =
      List.of(
          new Mark("Edg", "Edge"),
          new Mark("OPR/", "Opera"),
          new Mark("SamsungBrowser/", "Samsung Internet"),
          new Mark("Firefox/", "Firefox"),
          new Mark("FxiOS/", "Firefox"),
          new Mark("CriOS/", "Chrome"),
          new Mark("Chrome/", "Chrome"),
          new Mark("Safari/", "Safari"));

  private static final List<Mark> SYSTEMS =
      List.of(
          new Mark("Android", "Android"),
          new Mark("iPhone", "iPhone"),
          new Mark("iPad", "iPad"),
          new Mark("Windows", "Windows"),
          new Mark("CrOS", "ChromeOS"),
          new Mark("Macintosh", "macOS"),
          new Mark("Linux", "Linux"));

  /// The first product of a `User-Agent` (RFC 9110, section 10.1.5), without its version.
  private static final Pattern PRODUCT = Pattern.compile("[A-Za-z0-9._-]{1,32}(?=[/ ]|$)");

  private record Mark(String text, String name) {}

  private Device() {}

  /// The label in the query's `device`, without space around it, or else one by the `User-Agent`.
  ///
  /// @throws ProblemException 400 when `device` is not one text of 1 to 64 characters without
  ///   control characters
  static String of(ServerRequest request) {
    String label =
        request.query().contains(PARAMETER)
            ? given(request.query().all(PARAMETER))
            : byUserAgent(request.headers().first(HeaderNames.USER_AGENT).orElse(""));
    return label.intern();
  }

  private static String given(List<String> values) {
    String label = values.size() == 1 ? values.getFirst().strip() : "";
    if (label.isEmpty()
        || label.length() > MAX_CHARS
        || label.codePoints().anyMatch(Device::isUnprintable)) {
      throw Problem.of(
              Status.BAD_REQUEST_400,
              "device stands once in the URL and has 1 to %s characters, no control characters."
                  .formatted(MAX_CHARS))
          .toException();
    }
    return label;
  }

  private static boolean isUnprintable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.SURROGATE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          true;
      default -> false;
    };
  }

  /// Such as `Firefox on Windows`, `Safari on iPhone` or `curl`; nothing but what is listed here,
  /// and the name of a program, comes from the header.
  static String byUserAgent(String userAgent) {
    String browser = name(BROWSERS, userAgent);
    if (browser.isEmpty()) {
      Matcher product = PRODUCT.matcher(userAgent);
      return product.lookingAt() && !product.group().equals("Mozilla") ? product.group() : UNKNOWN;
    }
    String system = name(SYSTEMS, userAgent);
    return system.isEmpty() ? browser : browser + " on " + system;
  }

  private static String name(List<Mark> marks, String userAgent) {
    return marks.stream()
        .filter(mark -> userAgent.contains(mark.text))
        .map(Mark::name)
        .findFirst()
        .orElse("");
  }
}
