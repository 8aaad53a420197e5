package dev.replistream.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Locale;

/// Finds the end of each response in the bytes of a keep-alive connection, wherever the network cut
/// them (RFC 9112, section 6). It knows bodies with a `Content-Length` only, as the service's short
/// answers have it. Confined to one thread.
final class ResponseReader {
  private static final int MAX_HEAD_BYTES = 8 * 1024;
  private static final String LENGTH = "content-length:";

  private final StringBuilder head = new StringBuilder(512);
  private int status;
  private long bodyLeft;

  /// Reads up to the end of one response.
  ///
  /// @return its status, or -1 when more bytes are needed
  /// @throws IOException when this is no response that it knows
  int read(ByteBuffer bytes) throws IOException {
    while (status == 0 && bytes.hasRemaining()) {
      head.append((char) (bytes.get() & 0xff));
      if (head.length() > MAX_HEAD_BYTES) {
        throw new IOException("a response's head has no end");
      }
      if (endsHead()) {
        readHead(head.toString().toLowerCase(Locale.ROOT));
      }
    }
    if (status == 0) {
      return -1;
    }
    int skipped = (int) Math.min(bodyLeft, bytes.remaining());
    bytes.position(bytes.position() + skipped);
    bodyLeft -= skipped;
    return bodyLeft > 0 ? -1 : startOver();
  }

  private boolean endsHead() {
    int length = head.length();
    return head.charAt(length - 1) == '\n' && length >= 4 && head.charAt(length - 3) == '\n';
  }

  private void readHead(String text) throws IOException {
    int length = text.indexOf("\r\n" + LENGTH);
    if (!text.startsWith("http/1.1 ") || length < 0) {
      throw new IOException("not a response with a length: " + text.lines().findFirst().orElse(""));
    }
    try {
      int begin = length + 2 + LENGTH.length();
      bodyLeft = Long.parseLong(text.substring(begin, text.indexOf('\r', begin)).strip());
      status = Integer.parseInt(text.substring(9, 12));
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      throw new IOException("not a response's head", e);
    }
  }

  private int startOver() {
    int read = status;
    status = 0;
    head.setLength(0);
    return read;
  }
}
