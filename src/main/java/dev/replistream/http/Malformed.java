package dev.replistream.http;

import io.helidon.http.DirectHandler;
import io.helidon.http.Headers;
import io.helidon.http.RequestException;
import io.helidon.http.ServerRequestHeaders;
import io.helidon.http.Status;
import io.helidon.http.WritableHeaders;

/// A request that is no good HTTP/1.1, with the one line that says what would be: {@link
/// Routes#directHandlers} finds it where Helidon tells of a request that no route has seen.
///
/// @param detail what the sender has to change, without what it sent
/// @param headers what is known of the request's
record Malformed(String detail, ServerRequestHeaders headers)
    implements DirectHandler.TransportRequest {
  private static final ServerRequestHeaders NONE =
      ServerRequestHeaders.create(WritableHeaders.create());

  /// For a request line or a header field that is malformed.
  static RequestException head(String detail) {
    return refusal(Status.BAD_REQUEST_400, NONE, detail);
  }

  /// For a body whose framing is malformed.
  static RequestException body(String detail) {
    return refusal(Status.BAD_REQUEST_400, NONE, detail);
  }

  /// For header fields that were read, and are not good.
  static RequestException in(Headers headers, String detail) {
    return refusal(Status.BAD_REQUEST_400, ServerRequestHeaders.create(headers), detail);
  }

  /// For a method that nobody here knows (RFC 9110, section 15.6.2).
  static RequestException unknownMethod(String detail) {
    return refusal(Status.NOT_IMPLEMENTED_501, NONE, detail);
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
