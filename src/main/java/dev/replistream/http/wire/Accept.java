package dev.replistream.http.wire;

import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.WritableHeaders;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What a client says that it accepts (RFC 9110, section 12.5.1), for Helidon, whose parser fails
/// at the whole of a header that has anything odd in it. Stateless.
final class Accept {
  /// What nearly all clients of this service send.
  private static final Set<String> COMMON = Set.of("text/event-stream", "*/*");

  private static final String TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
  private static final Pattern RANGE = Pattern.compile(TOKEN + "/" + TOKEN);
  private static final Pattern WEIGHT = Pattern.compile("\\d+\\.?\\d*|\\.\\d+");

  private Accept() {}

  /// Leaves of the header `Accept` what can be read: media ranges with their weights. `*` is what
  /// Java's `HttpURLConnection` sends for `*/*`. A header that says nothing is taken away; one in
  /// which there is nothing to read stays as it is, for the routes that look at it to refuse.
  static void tidy(WritableHeaders<?> headers) {
    if (!headers.contains(HeaderNames.ACCEPT)) {
      return;
    }
    Header accept = headers.get(HeaderNames.ACCEPT);
    if (accept.valueCount() == 1 && COMMON.contains(accept.get())) {
      return;
    }
    boolean isEmpty = true;
    List<String> ranges = new ArrayList<>();
    for (String value : accept.allValues()) {
      for (String element : split(value, ',')) {
        isEmpty &= element.isEmpty();
        addTo(ranges, split(element, ';'));
      }
    }
    if (!ranges.isEmpty()) {
      headers.set(HeaderValues.create(HeaderNames.ACCEPT, ranges));
    } else if (isEmpty) {
      headers.remove(HeaderNames.ACCEPT);
    }
  }

  /// Adds the media range of an element, if it can be read. Parameters but the weight choose
  /// between forms of a type, of which none has two here.
  private static void addTo(List<String> ranges, List<String> parts) {
    String range = parts.getFirst().equals("*") ? "*/*" : parts.getFirst();
    if (!RANGE.matcher(range).matches()) {
      return;
    }
    for (String parameter : parts.subList(1, parts.size())) {
      int equals = parameter.indexOf('=');
      if (equals > 0 && parameter.substring(0, equals).strip().equalsIgnoreCase("q")) {
        Matcher weight = WEIGHT.matcher(parameter.substring(equals + 1).strip());
        if (weight.matches()) {
          ranges.add(range + ";q=" + weight.group());
        }
        return;
      }
    }
    ranges.add(range);
  }

  /// The parts of `text` between separators that do not stand in quotes.
  private static List<String> split(String text, char separator) {
    List<String> parts = new ArrayList<>();
    boolean isQuoted = false;
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (isQuoted && c == '\\') {
        i++;
      } else if (c == '"') {
        isQuoted = !isQuoted;
      } else if (c == separator && !isQuoted) {
        parts.add(text.substring(start, i).strip());
        start = i + 1;
      }
    }
    parts.add(text.substring(start).strip());
    return parts;
  }
}
