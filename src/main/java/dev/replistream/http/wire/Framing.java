package dev.replistream.http.wire;

import dev.replistream.http.Malformed;
import io.helidon.common.buffers.DataReader;
import io.helidon.http.HeaderNames;
import io.helidon.http.Headers;
import io.helidon.http.RequestException;
import java.util.List;

/// Where a request's body ends. Whatever two readers may take differently is refused: behind a
/// proxy, a body that is shorter here than there hides a second request. And what stands around the
/// data of a chunked body is bounded, for none of it is counted where bodies are limited.
///
/// This class has the rules of RFC 9112, sections 6.1 and 6.3 for a head ({@link #isChunked}), and
/// those of section 7.1 for a chunked body, of which an instance reads one. Confined to one thread.
final class Framing {
  /// The longest line without its end: a chunk's size with its extensions, or a trailer field.
  static final int MAX_LINE_BYTES = 256;

  /// How many trailer fields a body may have, and how long they may be together.
  static final int MAX_TRAILERS = 32;

  static final int MAX_TRAILER_BYTES = 4096;

  /// How much more framing than data a body may have.
  static final int MAX_EXCESS_BYTES = 16 << 10;

  /// So much framing each chunk may have whatever its data: its size and the ends of two lines.
  private static final int FREE_BYTES = 16;

  private static final int MAX_LENGTH_DIGITS = 18;

  private static final String LONG_LINE =
      "A line of a chunked body's framing may have " + MAX_LINE_BYTES + " bytes at most.";
  private static final String BAD_SIZE =
      "A chunk begins with its size, in hexadecimal digits alone, and CRLF; extensions may stand"
          + " between.";
  private static final String BAD_END =
      "A chunk's data ends where its size says, and CRLF follows it.";
  private static final String BAD_TRAILER =
      "The trailers of a chunked body are header fields, up to "
          + MAX_TRAILERS
          + " of them and "
          + MAX_TRAILER_BYTES
          + " bytes, each line ends with CRLF, and an empty line ends them.";
  private static final String TINY_CHUNKS =
      "The chunks have more framing than data: send fewer and larger ones.";

  private final DataReader in;
  private int left;
  private boolean hasBegun;
  private boolean hasEnded;
  private long excess;

  /// A chunked body that begins with the next byte of `in`.
  Framing(DataReader in) {
    this.in = in;
  }

  /// Whether the request with such a head has a body in chunks.
  ///
  /// @throws RequestException 400 when there is more than one length, a length that is no number, a
  ///   length beside a transfer coding, or any coding but `chunked`, once
  static boolean isChunked(Headers headers) {
    boolean isCoded = headers.contains(HeaderNames.TRANSFER_ENCODING);
    boolean isSized = headers.contains(HeaderNames.CONTENT_LENGTH);
    if (isCoded && isSized) { // section 6.3, rule 3
      throw Malformed.in(headers, "Send Content-Length or Transfer-Encoding, not both.");
    }
    if (isCoded) { // sections 6.1 and 7: the names of codings are case-insensitive
      List<String> codings = headers.get(HeaderNames.TRANSFER_ENCODING).allValues();
      if (codings.size() > 1 || !codings.getFirst().equalsIgnoreCase("chunked")) {
        throw Malformed.in(headers, "The one transfer coding that is taken is chunked, once.");
      }
    }
    if (isSized) { // section 6.3, rule 5
      List<String> lengths = headers.get(HeaderNames.CONTENT_LENGTH).allValues();
      if (lengths.size() > 1 || !isLength(lengths.getFirst())) {
        throw Malformed.in(headers, "Content-Length is one number of bytes, in decimal digits.");
      }
    }
    return isCoded;
  }

  private static boolean isLength(String text) {
    return !text.isEmpty()
        && text.length() <= MAX_LENGTH_DIGITS
        && text.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  /// How many bytes of the current chunk's data come next. Where that is at its end, the framing up
  /// to the next chunk's data is read first.
  ///
  /// @return 0 when the body has ended; then its trailers have been read too
  /// @throws RequestException 400 when the framing is malformed, or too long
  int dataBytes() {
    if (left == 0 && !hasEnded) {
      if (hasBegun) { // section 7.1: chunk-data CRLF
        expectLineEnd(in.read(), BAD_END);
      }
      hasBegun = true;
      left = readSize();
      if (left == 0) {
        readTrailers();
        hasEnded = true;
      }
    }
    return left;
  }

  /// Notes that so many bytes of the data were taken.
  void taken(int bytes) {
    left -= bytes;
  }

  /// Whether the last chunk and the trailers have been read.
  boolean hasEnded() {
    return hasEnded;
  }

  /// Section 7.1: chunk-size [ chunk-ext ] CRLF, where the size is `1*HEXDIG`.
  private int readSize() {
    int size = 0;
    int length = 0;
    byte next = in.read();
    for (int digit = hexDigit(next); digit >= 0; digit = hexDigit(next)) {
      if (size > Integer.MAX_VALUE >> 4) {
        throw Malformed.body(BAD_SIZE); // "MUST anticipate potentially large hexadecimal numerals"
      }
      size = size << 4 | digit;
      length = lengthen(length);
      next = in.read();
    }
    if (length == 0) {
      throw Malformed.body(BAD_SIZE);
    }
    // section 7.1.1: an extension that is not known is ignored. What stands between the size and it
    // nobody should send, but a recipient "MUST parse for such bad whitespace" (RFC 9110, 5.6.3)
    boolean isSpaced = false;
    for (; next == ' ' || next == '\t'; next = in.read()) {
      length = lengthen(length);
      isSpaced = true;
    }
    if (isSpaced && next != ';') {
      throw Malformed.body(BAD_SIZE);
    }
    if (next == ';') {
      for (; isText(next); next = in.read()) {
        length = lengthen(length);
      }
    }
    expectLineEnd(next, BAD_SIZE);
    excess = Math.max(0, excess + length - FREE_BYTES - size);
    if (excess > MAX_EXCESS_BYTES) {
      throw Malformed.body(TINY_CHUNKS);
    }
    return size;
  }

  /// Section 7.1.2: trailer fields, which are dropped, up to and with the empty line behind them.
  private void readTrailers() {
    int bytes = 0;
    int fields = 0;
    for (int length = readTrailer(); length > 0; length = readTrailer()) {
      bytes += length;
      fields++;
      if (bytes > MAX_TRAILER_BYTES || fields > MAX_TRAILERS) {
        throw Malformed.body(BAD_TRAILER);
      }
    }
  }

  /// One line as section 5 has it: field-name ":" OWS field-value OWS.
  ///
  /// @return its length without its end; 0 for the empty line
  private int readTrailer() {
    int length = 0;
    byte next = in.read();
    if (next != '\r') {
      for (; RequestHead.isTokenCharacter(next); next = in.read()) {
        length = lengthen(length);
      }
      if (length == 0 || next != ':') {
        throw Malformed.body(BAD_TRAILER);
      }
      for (; isText(next); next = in.read()) {
        length = lengthen(length);
      }
    }
    expectLineEnd(next, BAD_TRAILER);
    return length;
  }

  private static int lengthen(int length) {
    if (length == MAX_LINE_BYTES) {
      throw Malformed.body(LONG_LINE);
    }
    return length + 1;
  }

  /// Section 2.2 lets a recipient take a bare LF for the end of a line; this one does not.
  private void expectLineEnd(byte first, String otherwise) {
    if (first != '\r' || in.read() != '\n') {
      throw Malformed.body(otherwise);
    }
  }

  /// Whether a byte may stand in a line: no control character but the tab.
  private static boolean isText(byte b) {
    return b == '\t' || b < 0 || (b >= ' ' && b != 0x7f);
  }

  /// As `Character.digit` does, for ASCII alone.
  private static int hexDigit(byte b) {
    if (b >= '0' && b <= '9') {
      return b - '0';
    }
    int lower = b | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  }
}
