package dev.replistream.http.wire;

import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Headers;
import io.helidon.http.RequestException;
import io.helidon.http.ServerRequestHeaders;
import io.helidon.http.Status;
import io.helidon.http.WritableHeaders;

/// The content coding of a request's body (RFC 9110, section 8.4), of which this service takes
/// none: a body that unfolds to a thousand times its size would need limits of its own. Stateless.
final class ContentCoding {
  private static final String IDENTITY = "identity";

  private ContentCoding() {}

  /// Takes the header `Content-Encoding` away where it says that the body is not coded, as Helidon
  /// refuses any.
  ///
  /// @throws RequestException 415 where it says something else and there is a body, with the header
  ///   that tells what is taken instead (RFC 9110, section 15.5.16)
  static void check(WritableHeaders<?> headers) {
    if (!headers.contains(HeaderNames.CONTENT_ENCODING)) {
      return;
    }
    if (hasBody(headers) && isCoded(headers)) {
      throw RequestException.builder()
          .type(DirectHandler.EventType.OTHER)
          .status(Status.UNSUPPORTED_MEDIA_TYPE_415)
          .request(new Head(ServerRequestHeaders.create(headers)))
          .header(HeaderValues.create(HeaderNames.ACCEPT_ENCODING, IDENTITY))
          .setKeepAlive(false)
          .build();
    }
    headers.remove(HeaderNames.CONTENT_ENCODING);
  }

  private static boolean hasBody(Headers headers) {
    return headers.contains(HeaderNames.TRANSFER_ENCODING) || headers.contentLength().orElse(0) > 0;
  }

  private static boolean isCoded(Headers headers) {
    for (String value : headers.get(HeaderNames.CONTENT_ENCODING).allValues()) {
      for (String coding : value.split(",", -1)) {
        if (!coding.isBlank() && !coding.strip().equalsIgnoreCase(IDENTITY)) {
          return true;
        }
      }
    }
    return false;
  }

  /// A refused request, of which only the headers are looked at: they say who may read the answer.
  private record Head(ServerRequestHeaders headers) implements DirectHandler.TransportRequest {
    @Override
    public String protocolVersion() {
      return "1.1";
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
}
