package dev.replistream.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;

/// The text of a body of which a reader takes what comes before the limit, where the body is
/// longer. The read that would go beyond the limit ends with a {@link ProblemException} 413: what
/// the reader has until then is whole.
///
/// Or it may skip something that goes beyond the limit. The text is still JSON then, but what is
/// long in it was cut, so that whatever is skipped takes no memory.
///
/// Confined to the request's thread.
public final class BodyPrefix {
  /// How much may be skipped, as a multiple of the limit: somebody has to send it all.
  private static final int MAX_EXCESS = 8;

  private final int limitBytes;
  private final BodyStream in;
  private final JsonShortener shortener;
  private boolean isStrict;

  /// @param maxStringLength how many characters of a string are kept, or of a number
  BodyPrefix(InputStream in, int limitBytes, int maxStringLength) {
    this.limitBytes = limitBytes;
    shortener = new JsonShortener(maxStringLength);
    this.in = new BodyStream(in, limitBytes);
  }

  /// Lets reads go beyond the limit, up to eight times as far; to be called early.
  public void allowExcess() {
    in.allowExcess(MAX_EXCESS);
  }

  /// Lets reads end at the limit from here on.
  public void endAtLimit() {
    in.endAtLimit();
    isStrict = true;
  }

  /// Whether the body is longer than the limit, as far as it was read.
  public boolean isOver() {
    return in.isOver();
  }

  /// What a body that is longer than the limit is refused with.
  public ProblemException tooLarge() {
    return BodyStream.tooLarge(limitBytes);
  }

  /// The text, which has to be UTF-8; the decoder is stricter than Jackson's.
  Reader text() {
    Reader decoded = new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder());
    return new Reader() {
      @Override
      public int read(char[] part, int offset, int length) throws IOException {
        int count = decoded.read(part, offset, length);
        while (count > 0) {
          int kept = shortener.shorten(part, offset, count, !isStrict && isOver());
          if (kept > 0) {
            return kept;
          }
          count = decoded.read(part, offset, length);
        }
        return count;
      }

      @Override
      public void close() throws IOException {
        decoded.close();
      }
    };
  }
}
