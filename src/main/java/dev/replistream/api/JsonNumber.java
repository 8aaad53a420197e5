package dev.replistream.api;

import java.math.BigDecimal;
import java.util.Optional;

/// The text of JSON numbers. Stateless.
final class JsonNumber {
  /// From here on a double does not hold every whole number.
  private static final double EXACT = 0x1p53;

  /// How many digits the first whole number has that is too large for a double.
  private static final int LARGE_DIGITS = 309;

  private JsonNumber() {}

  /// Whether `text` is a number as RFC 8259, section 6, has it.
  static boolean isNumber(String text) {
    int at = text.startsWith("-") ? 1 : 0;
    int whole = digits(text, at);
    if (whole == at || (whole > at + 1 && text.charAt(at) == '0')) {
      return false;
    }
    at = whole;
    if (at < text.length() && text.charAt(at) == '.') {
      int fraction = digits(text, at + 1);
      if (fraction == at + 1) {
        return false;
      }
      at = fraction;
    }
    if (at < text.length() && (text.charAt(at) == 'e' || text.charAt(at) == 'E')) {
      at++;
      if (at < text.length() && (text.charAt(at) == '+' || text.charAt(at) == '-')) {
        at++;
      }
      int exponent = digits(text, at);
      if (exponent == at) {
        return false;
      }
      at = exponent;
    }
    return at == text.length();
  }

  /// Where the digits end that begin at `from`.
  private static int digits(String text, int from) {
    int at = from;
    while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
      at++;
    }
    return at;
  }

  /// The text of a finite number.
  static String text(double value) {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException("JSON has no such number");
    }
    return value == Math.rint(value) && Math.abs(value) < EXACT
        ? Long.toString((long) value)
        : Double.toString(value);
  }

  /// Whether a double comes near to the number that `text` says, and not infinity.
  static boolean isInRange(String text) {
    boolean isShort =
        text.length() < LARGE_DIGITS && text.indexOf('e') < 0 && text.indexOf('E') < 0;
    return isShort || Double.isFinite(Double.parseDouble(text));
  }

  /// The whole number of 64 bits that `text` says, if it does.
  static Optional<Long> whole(String text) {
    try {
      return Optional.of(new BigDecimal(text).longValueExact());
    } catch (ArithmeticException | NumberFormatException _) {
      return Optional.empty(); // a fraction, too large, or an exponent of more than 32 bits
    }
  }
}
