package dev.replistream;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonReader;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One response as it came over the wire. Immutable.
///
/// @param statusLine without its line end
/// @param headers names in lower case and values, in their order
/// @param body without its transfer coding
public record HttpReply(String statusLine, List<Map.Entry<String, String>> headers, String body) {
  /// The status code.
  public int status() {
    return Integer.parseInt(statusLine.split(" ", 3)[1]);
  }

  /// All values of a header.
  public List<String> headers(String name) {
    return headers.stream()
        .filter(header -> header.getKey().equals(name.toLowerCase(Locale.ROOT)))
        .map(Map.Entry::getValue)
        .toList();
  }

  /// The value of a header that stands at most once; null when it does not.
  public @Nullable String header(String name) {
    List<String> values = headers(name);
    if (values.size() > 1) {
      throw new AssertionError(name + " stands more than once: " + values);
    }
    return values.isEmpty() ? null : values.getFirst();
  }

  /// The body, which has to be one JSON object.
  public JsonObject json() {
    try (JsonReader reader =
        Json.createReader(new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)))) {
      return reader.readObject();
    }
  }
}
