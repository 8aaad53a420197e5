package dev.replistream.http;

import dev.replistream.json.Json;
import io.helidon.http.Header;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderValues;
import io.helidon.http.Status;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What a caller is told when a request fails: a status, a short title, a sentence that says what
/// to change, and the headers that belong to it (RFC 9457).
///
/// Immutable. `detail` is written for the caller: it never carries a credential or the text of an
/// exception.
///
/// @param status the HTTP status, 400 to 599
/// @param title a short name of the kind of problem
/// @param detail what the caller can change
/// @param headers response headers to send along, such as `Retry-After`
/// @param members more of it for programs, such as the code of a rule (RFC 9457, section 3.2)
public record Problem(
    Status status, String title, String detail, List<Header> headers, Map<String, String> members) {

  /// The media type of RFC 9457, section 3.
  public static final String CONTENT_TYPE = "application/problem+json";

  /// Copies the headers and the members.
  public Problem {
    headers = List.copyOf(headers);
    members = Map.copyOf(members);
  }

  /// A problem whose title is the reason phrase of its status.
  public static Problem of(Status status, String detail) {
    return new Problem(status, status.reasonPhrase(), detail, List.of(), Map.of());
  }

  /// This problem with one more response header.
  public Problem with(HeaderName name, String value) {
    List<Header> more = new ArrayList<>(headers);
    more.add(HeaderValues.create(name, value));
    return new Problem(status, title, detail, more, members);
  }

  /// This problem with one more member.
  public Problem with(String member, String value) {
    Map<String, String> more = new TreeMap<>(members);
    more.put(member, value);
    return new Problem(status, title, detail, headers, more);
  }

  /// This problem as an exception that the error handler turns into the response.
  public ProblemException toException() {
    return new ProblemException(this);
  }

  /// The problem as JSON in UTF-8. The type is left out, which RFC 9457 reads as `about:blank`.
  public byte[] toJson() {
    return Json.write(json -> {
      json.writeStartObject();
      json.writeStringField("title", title);
      json.writeNumberField("status", status.code());
      json.writeStringField("detail", detail);
      for (Map.Entry<String, String> member : new TreeMap<>(members).entrySet()) {
        json.writeStringField(member.getKey(), member.getValue());
      }
      json.writeEndObject();
    });
  }

  @Override
  public String toString() {
    return status.code() + " " + new String(toJson(), StandardCharsets.UTF_8);
  }
}
