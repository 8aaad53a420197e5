package dev.replistream.sync;

import dev.replistream.api.JsonValue;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A cookie's place in the order by which Replicache's client knows newer cookies from older ones:
/// it drops an answer whose cookie comes before the one that it holds, and asks again for ever. It
/// compares two numbers as numbers, and anything else as strings by their UTF-16 units; null comes
/// first. Immutable.
///
/// So whatever a client holds, the answer's order has to come after it. That is a number as long as
/// numbers do. A client that holds a string (it was served by another backend before) gets that
/// string with a count of fixed length behind it, which comes after it and goes on counting. A
/// number too large to be counted on from is followed by strings that begin with `z`, which comes
/// after the digits that any number begins with.
///
/// A string that is very long is not counted on: what follows it begins as it does up to its first
/// unit below U+FFFF, and has that in its place. Only where it is nothing but U+FFFF no short
/// string comes after it; who made such a cookie has made it useless.
sealed interface CookieOrder {
  /// A number.
  ///
  /// @param value 0 to 2^53 - 1
  record Count(long value) implements CookieOrder {
    /// 2^53 - 1, in JavaScript the last number that can be counted up to.
    static final long MAX = 9007199254740991L;

    /// Before every order of this server's.
    static final Count NONE = new Count(0);

    @Override
    public CookieOrder next() {
      return value < MAX ? new Count(value + 1) : Text.BEYOND_NUMBERS.next();
    }

    @Override
    public JsonValue toJson() {
      return JsonValue.of(value);
    }
  }

  /// A string.
  record Text(String value) implements CookieOrder {
    /// After every number, as the client compares them.
    static final Text BEYOND_NUMBERS = new Text("z");

    private static final Pattern COUNTED = Pattern.compile("(?s)(.*/)([0-9]{16})");

    /// How many UTF-16 units of a string are counted on: those of a timestamp, an id or a hash.
    static final int MAX_LENGTH = 512;

    private static final long MAX_COUNT = 9_999_999_999_999_999L;

    @Override
    public CookieOrder next() {
      if (value.length() > MAX_LENGTH) {
        return afterLong().next();
      }
      Matcher counted = COUNTED.matcher(value);
      long count = counted.matches() ? Long.parseLong(counted.group(2)) : MAX_COUNT;
      return count < MAX_COUNT
          ? new Text(counted.group(1) + String.format(Locale.ROOT, "%016d", count + 1))
          : new Text(value + "/0000000000000001");
    }

    private Text afterLong() {
      int same = 0;
      while (same < MAX_LENGTH - 1 && value.charAt(same) == '\uFFFF') {
        same++;
      }
      return new Text("\uFFFF".repeat(same + 1));
    }

    @Override
    public JsonValue toJson() {
      return JsonValue.of(value);
    }
  }

  /// The order of whatever a client sends as its cookie; {@link Count#NONE} where that has none,
  /// since the client does not take such a cookie from a server and so can't hold it.
  static CookieOrder of(JsonValue cookie) {
    JsonValue order =
        cookie instanceof JsonValue.Obj object
            ? object.find("order").orElse(JsonValue.ofNull())
            : cookie;
    return switch (order) {
      case JsonValue.Num(String text) -> ofNumber(Double.parseDouble(text));
      case JsonValue.Str(String text) -> new Text(text);
      case JsonValue.Null _, JsonValue.Bool _, JsonValue.Arr _, JsonValue.Obj _ -> Count.NONE;
    };
  }

  private static CookieOrder ofNumber(double order) {
    return order <= Count.MAX ? new Count((long) Math.max(order, 0)) : Text.BEYOND_NUMBERS;
  }

  /// The least order that the server gives after this one.
  CookieOrder next();

  /// An order `more` after the next one, where orders can be counted; else the next one.
  ///
  /// @param more 0 or more
  default CookieOrder next(long more) {
    return this instanceof Count(long value) && value < Count.MAX - more
        ? new Count(value + 1 + more)
        : next();
  }

  /// The order as it stands in a cookie.
  JsonValue toJson();
}
