package dev.replistream.http.wire;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.helidon.http.DateTime;
import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.Headers;
import io.helidon.webserver.http.ServerResponse;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Requests whose head comes again byte for byte, as a client's pokes do. What a parser, the routes
/// and a handler made of such a head the first time holds for the next time, so that only the body
/// is looked at: half of what a poke costs is else spent on reading the same head again.
///
/// Whatever is not known, or does not go well, goes the long way, which decides. A {@link FastPath}
/// asks only where a request begins.
///
/// Thread-safe. Up to 10,000 heads of 1 KiB are remembered, or fewer longer ones.
public final class Repeats {
  private static final int MAX_REMEMBERED = 10_000;
  private static final int BYTES_PER_UNIT = 1024;
  private static final int MAX_HEAD_BYTES = 8 * BYTES_PER_UNIT;
  private static final byte[] STATUS_AND_DATE =
      "HTTP/1.1 200 OK\r\nDate: ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] CONTENT_LENGTH =
      "Content-Length: ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] HEAD_END = "\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  /// Answers another request with the same head.
  @FunctionalInterface
  public interface Answer {
    /// The body of the response with status 200. It must not wait. Null, or an exception, sends the
    /// request the long way, with nothing done.
    ///
    /// @param isShared whether others wait for the calling thread: then it answers null also where
    ///   it would take more than a millisecond, and is asked again on a thread that nobody waits
    ///   for
    byte @Nullable [] to(byte[] body, boolean isShared);
  }

  /// @param bodyBytes what the head says of the body's length
  /// @param headers the response's, as lines
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  private record Known(int bodyBytes, byte[] headers, Answer answer) {}

  private final Cache<String, Known> known =
      Caffeine.newBuilder()
          .maximumWeight(MAX_REMEMBERED)
          .weigher((String head, Known _) -> (head.length() + BYTES_PER_UNIT - 1) / BYTES_PER_UNIT)
          .executor(Runnable::run) // its upkeep is short, and needs no threads beside
          .build();

  /// Lets `answer` answer the requests with the same head as the one that `response` has just
  /// answered with status 200. Nothing but its body may make a difference to the handler, and what
  /// time or others can change, such as whether a token is good, is `answer`'s to look at again.
  public static void of(ServerResponse response, Answer answer) {
    Exchange exchange = Takeover.wire(response).exchange();
    if (exchange != null) {
      exchange.remember(response.headers(), answer);
    }
  }

  /// @param request a whole request without `Transfer-Encoding`, in whose head the length of its
  ///   body stands
  void remember(byte[] request, int bodyBytes, Headers responseHeaders, Answer answer) {
    int headBytes = headBytes(request);
    if (headBytes > 0 && headBytes <= MAX_HEAD_BYTES && request.length - headBytes == bodyBytes) {
      known.put(head(request, headBytes), new Known(bodyBytes, lines(responseHeaders), answer));
    }
  }

  /// The response to a request that is known, whole; null when it is not, and nothing was done.
  ///
  /// @param request bytes that begin where a request does
  /// @param isShared whether others wait for the calling thread, so that what takes long has none
  byte @Nullable [] answer(byte[] request, boolean isShared) {
    int headBytes = headBytes(request);
    if (headBytes < 0 || headBytes > MAX_HEAD_BYTES) {
      return null;
    }
    Known same = known.getIfPresent(head(request, headBytes));
    if (same == null || request.length - headBytes != same.bodyBytes) {
      return null;
    }
    try {
      byte[] body =
          same.answer.to(Arrays.copyOfRange(request, headBytes, request.length), isShared);
      return body == null ? null : response(same.headers, body);
    } catch (RuntimeException _) {
      return null;
    }
  }

  private static String head(byte[] request, int headBytes) {
    return new String(request, 0, headBytes, StandardCharsets.ISO_8859_1);
  }

  /// How long the head is, with the empty line that ends it; -1 where there is none.
  private static int headBytes(byte[] request) {
    for (int i = HEAD_END.length - 1; i < request.length; i += request[i] == '\r' ? 1 : 2) {
      if (request[i] == '\n'
          && request[i - 1] == '\r'
          && request[i - 2] == '\n'
          && request[i - 3] == '\r') {
        return i + 1;
      }
    }
    return -1;
  }

  private static byte[] lines(Headers headers) {
    StringBuilder lines = new StringBuilder();
    for (Header header : headers) {
      if (!header.headerName().equals(HeaderNames.DATE)
          && !header.headerName().equals(HeaderNames.CONTENT_LENGTH)) {
        for (String value : header.allValues()) {
          lines.append(header.name()).append(": ").append(value).append("\r\n");
        }
      }
    }
    return lines.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] response(byte[] headers, byte[] body) {
    byte[] date = DateTime.http1Bytes(); // with the end of its line
    byte[] length = Integer.toString(body.length).getBytes(StandardCharsets.US_ASCII);
    byte[] response =
        new byte
            [STATUS_AND_DATE.length
                + date.length
                + headers.length
                + CONTENT_LENGTH.length
                + length.length
                + HEAD_END.length
                + body.length];
    int end = 0;
    for (byte[] part :
        new byte[][] {STATUS_AND_DATE, date, headers, CONTENT_LENGTH, length, HEAD_END, body}) {
      System.arraycopy(part, 0, response, end, part.length);
      end += part.length;
    }
    return response;
  }
}
