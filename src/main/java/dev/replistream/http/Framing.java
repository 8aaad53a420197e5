package dev.replistream.http;

import io.helidon.http.BadRequestException;
import io.helidon.http.HeaderNames;
import io.helidon.http.Headers;
import java.util.List;
import java.util.regex.Pattern;

/// Refuses a request whose length two readers may take differently (RFC 9112, section 6.3): behind
/// a proxy, one that says it is shorter here than there hides a second request in its body.
final class Framing {
  private static final Pattern LENGTH = Pattern.compile("[0-9]{1,18}");

  private Framing() {}

  /// @throws BadRequestException when there is more than one length, a length that is no number, a
  ///   length beside a transfer coding, or any coding but `chunked`
  static void check(Headers headers) {
    boolean isCoded = headers.contains(HeaderNames.TRANSFER_ENCODING);
    boolean isSized = headers.contains(HeaderNames.CONTENT_LENGTH);
    if (isCoded && (isSized || !values(headers).equals(List.of("chunked")))) {
      throw new BadRequestException("Transfer-Encoding");
    }
    if (isSized) {
      List<String> lengths = headers.get(HeaderNames.CONTENT_LENGTH).allValues();
      if (lengths.size() > 1 || !LENGTH.matcher(lengths.getFirst()).matches()) {
        throw new BadRequestException("Content-Length");
      }
    }
  }

  private static List<String> values(Headers headers) {
    return headers.get(HeaderNames.TRANSFER_ENCODING).allValues();
  }
}
