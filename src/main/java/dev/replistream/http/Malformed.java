package dev.replistream.http;

import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.Headers;
import io.helidon.http.RequestException;
import io.helidon.http.ServerRequestHeaders;
import io.helidon.http.Status;
import io.helidon.http.WritableHeaders;
import java.util.List;

/// A request that is no good HTTP/1.1, with the one line that says what would be: {@link
/// Routes#directHandlers} finds it where Helidon tells of a request that no route has seen.
///
/// @param detail what the sender has to change, without what it sent
/// @param headers what is known of the request's
public record Malformed(String detail, ServerRequestHeaders headers)
    implements DirectHandler.TransportRequest {
  /// Where there is no more to say.
  static final String NOT_HTTP = "The request is not well-formed HTTP/1.1.";

  /// What `Host` has to be.
  public static final String HOST =
      "Host has to stand once, and is a name or an address, with or without :port.";

  private static final ServerRequestHeaders NONE =
      ServerRequestHeaders.create(WritableHeaders.create());

  /// How Helidon's messages about `Host` begin.
  private static final List<String> ABOUT_HOST =
      List.of(
          "Host header must",
          "Only a single Host header",
          "Invalid Host header",
          "Invalid port of the host header");

  /// What stands before the name of a field in its messages about values.
  private static final String ABOUT_VALUE = " of the header value is invalid for header '";

  /// For a request line or a header field that is malformed.
  public static RequestException head(String detail) {
    return refusal(Status.BAD_REQUEST_400, NONE, detail);
  }

  /// For a body whose framing is malformed.
  public static RequestException body(String detail) {
    return refusal(Status.BAD_REQUEST_400, NONE, detail);
  }

  /// For header fields that were read, and are not good.
  public static RequestException in(Headers headers, String detail) {
    return refusal(Status.BAD_REQUEST_400, ServerRequestHeaders.create(headers), detail);
  }

  /// For a method that nobody here knows (RFC 9110, section 15.6.2).
  public static RequestException unknownMethod(String detail) {
    return refusal(Status.NOT_IMPLEMENTED_501, NONE, detail);
  }

  /// What to change where Helidon's own parser has refused a head. It tells that in words, which
  /// may hold what was sent; a field is named if HTTP knows it.
  static String detail(String message) {
    if (ABOUT_HOST.stream().anyMatch(message::startsWith)) {
      return HOST;
    }
    if (message.startsWith("Header size exceeded")) {
      return "The header fields are too long: send fewer and shorter ones.";
    }
    if (message.startsWith("Invalid header, missing colon")) {
      return "A header field is a name, a colon and a value.";
    }
    int value = message.indexOf(ABOUT_VALUE); // a message may be long
    if (value >= 0) {
      HeaderName name =
          HeaderNames.create(message.substring(value + ABOUT_VALUE.length()).split("'", 2)[0]);
      return (name.index() < 0 ? "A header field" : name.defaultCase())
          + " has a character in its value that may not stand there.";
    }
    return NOT_HTTP;
  }

  private static RequestException refusal(
      Status status, ServerRequestHeaders headers, String detail) {
    return RequestException.builder()
        .type(DirectHandler.EventType.BAD_REQUEST)
        .status(status)
        .request(new Malformed(detail, headers))
        .setKeepAlive(false)
        .message(detail)
        .build();
  }

  @Override
  public String protocolVersion() {
    return "";
  }

  @Override
  public String method() {
    return "";
  }

  @Override
  public String path() {
    return "";
  }
}
