package dev.replistream.json;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.util.function.BooleanSupplier;

/// Text in UTF-8 as it comes in, with long strings and numbers cut where they may be, so that a
/// parser which skips them needs no memory for them. What comes out is JSON where that went in.
/// Confined to one thread.
public final class JsonShortener extends Reader {
  /// How long what is left of a string or a number is at most.
  static final int MAX_LENGTH = 1_024;

  private static final int UNICODE_DIGITS = 4;

  private final Reader in;
  private final int maxLength;
  private final BooleanSupplier mayCut;
  private boolean inString;
  private int length;

  // an escape in a string is kept or cut as a whole
  private boolean afterBackslash;
  private int digitsLeft;
  private boolean isEscapeKept;

  /// @param maxLength how long a string or a number is left at most where nothing is to be cut
  /// @param mayCut whether one may be no longer than 1,024 characters now
  public JsonShortener(InputStream in, int maxLength, BooleanSupplier mayCut) {
    this.in = Json.utf8(in);
    this.maxLength = maxLength;
    this.mayCut = mayCut;
  }

  @Override
  public int read(char[] part, int offset, int length) throws IOException {
    int count = in.read(part, offset, length);
    while (count > 0) {
      int kept = shorten(part, offset, count, mayCut.getAsBoolean());
      if (kept > 0) {
        return kept;
      }
      count = in.read(part, offset, length);
    }
    return count;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  /// Looks at some characters, and cuts among them what is too long.
  ///
  /// @param isCutting whether strings and numbers may be no longer than {@link #MAX_LENGTH}
  /// @return how many are left, from `offset` on
  int shorten(char[] part, int offset, int count, boolean isCutting) {
    int end = offset;
    for (int i = offset; i < offset + count; i++) {
      char each = part[i];
      if (isKept(each, isCutting)) {
        part[end] = each;
        end++;
      }
    }
    return end - offset;
  }

  private boolean isKept(char each, boolean isCutting) {
    if (!inString) {
      return isKeptOutside(each, isCutting);
    }
    if (afterBackslash) {
      afterBackslash = false;
      digitsLeft = each == 'u' ? UNICODE_DIGITS : 0;
      return isEscapeKept;
    }
    if (digitsLeft > 0) {
      digitsLeft--;
      return isEscapeKept;
    }
    if (each == '"') {
      inString = false;
      length = 0;
      return true;
    }
    length++;
    boolean isKept = isShort(isCutting);
    if (each == '\\') {
      afterBackslash = true;
      isEscapeKept = isKept;
    }
    return isKept;
  }

  private boolean isKeptOutside(char each, boolean isCutting) {
    switch (each) {
      case '"' -> {
        inString = true;
        length = 0;
      }
      case '{', '}', '[', ']', ',', ':', ' ', '\t', '\n', '\r' -> length = 0;
      default -> length++;
    }
    return isShort(isCutting);
  }

  private boolean isShort(boolean isCutting) {
    return length <= (isCutting ? MAX_LENGTH : maxLength);
  }
}
