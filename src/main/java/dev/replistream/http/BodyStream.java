package dev.replistream.http;

import io.helidon.http.HeaderNames;
import io.helidon.http.RequestException;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.io.InputStream;

/// The body of a request, of which no more than a limit is read: all bytes up to it are given out,
/// and a read of one beyond it ends with a {@link ProblemException} 413; at malformed chunks with
/// 400.
///
/// Closing it does nothing, and nothing is read ahead: both would wait for more of a body that is
/// refused already. Confined to the request's thread.
final class BodyStream extends InputStream {
  private final InputStream in;
  private final long limitBytes;
  private long end;
  private long excessEnd;
  private long count;

  BodyStream(InputStream in, long limitBytes) {
    this.in = in;
    this.limitBytes = limitBytes;
    end = limitBytes;
    excessEnd = limitBytes;
  }

  /// The body of `request`, empty where it has none.
  ///
  /// @throws ProblemException 413 when its length alone says that it is larger than the limit
  static BodyStream of(ServerRequest request, long limitBytes) {
    if (!request.content().hasEntity()) {
      return new BodyStream(InputStream.nullInputStream(), limitBytes);
    }
    if (request.headers().contentLength().orElse(-1) > limitBytes) {
      throw Bodies.tooLarge(limitBytes);
    }
    return new BodyStream(request.content().inputStream(), limitBytes);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] part, int offset, int length) throws IOException {
    int read;
    try {
      // at the limit one byte tells whether there is more
      read = in.read(part, offset, (int) Math.min(length, Math.max(1, end - count)));
    } catch (RequestException e) { // of the connection
      throw malformed(String.valueOf(e.getMessage()));
    } catch (IllegalArgumentException _) { // of a server without its own connections
      throw malformed("The chunks of the body are malformed.");
    }
    count += Math.max(read, 0);
    if (count > end) {
      if (count > excessEnd) {
        throw Bodies.tooLarge(limitBytes);
      }
      end = excessEnd;
    }
    return read;
  }

  private static ProblemException malformed(String detail) {
    return Problem.of(Status.BAD_REQUEST_400, detail)
        .with(HeaderNames.CONNECTION, "close")
        .toException();
  }

  /// Lets reads go beyond the limit, up to `times` as much, until they are told to end there.
  void allowExcess(int times) {
    excessEnd = limitBytes * times;
  }

  /// Lets reads end at the limit again, or at once where they are beyond it.
  void endAtLimit() {
    excessEnd = limitBytes;
    end = Math.max(limitBytes, count);
  }

  /// Whether more than the limit was read, or would have been.
  boolean isOver() {
    return count > limitBytes;
  }
}
