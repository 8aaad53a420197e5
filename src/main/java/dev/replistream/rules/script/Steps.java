package dev.replistream.rules.script;

import com.oracle.truffle.api.exception.AbstractTruffleException;
import com.oracle.truffle.api.strings.TruffleString;
import com.oracle.truffle.js.runtime.BigInt;
import com.oracle.truffle.js.runtime.Errors;
import com.oracle.truffle.js.runtime.JSArguments;
import com.oracle.truffle.js.runtime.JSRuntime;
import com.oracle.truffle.js.runtime.Strings;
import com.oracle.truffle.js.runtime.Symbol;
import com.oracle.truffle.js.runtime.builtins.JSArrayBufferView;
import com.oracle.truffle.js.runtime.builtins.JSArrayObject;
import com.oracle.truffle.js.runtime.builtins.JSProxyObject;
import com.oracle.truffle.js.runtime.builtins.JSStringObject;
import com.oracle.truffle.js.runtime.builtins.JSTypedArrayObject;
import com.oracle.truffle.js.runtime.objects.JSObject;
import com.oracle.truffle.js.runtime.objects.Undefined;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// How much the engine may do in one step, where it does not look up before the end. What is more
/// throws a `RangeError`, which a mutator may catch.
final class Steps {
  /// How many characters a string may have, and elements a real array that a function goes through.
  static final int MAX_LENGTH = 1 << 22;

  /// How many elements a typed array may have, and an object that is only like an array. These are
  /// a hundred times slower, and have keys that are made when somebody asks for them.
  static final int MAX_LIKE = 1 << 20;

  /// How many bits a `BigInt` may have; as many as in Safari.
  private static final int MAX_BITS = 1 << 20;

  /// How many decimal digits may become a `BigInt`.
  private static final int MAX_DIGITS = MAX_BITS / 4;

  /// How many characters a search may have to compare.
  private static final long MAX_COMPARED = 1L << 30;

  /// How many characters the second argument of `replace` may have where it has a dollar sign.
  private static final int MAX_TEMPLATE = 1 << 16;

  /// How many properties are made of the elements of a list.
  private static final int MAX_KEYS = 1 << 16;

  /// How many characters a regular expression may have that is made of a text.
  private static final int MAX_PATTERN = 1 << 12;

  /// How many characters a text may have that is normalized.
  private static final int MAX_NORMALIZED = 1 << 19;

  /// How many characters may be copied in all by the change of a text's case.
  private static final long MAX_COPIED = 1L << 31;

  /// In the messages of the limits here, and of those that the engine sees to.
  private static final Pattern OWN =
      Pattern.compile(
          " at most here| here$|BigInt size exceeded|Invalid (string|typed array|array buffer|array) length");

  private static final String ARRAY = "Array.prototype.";

  /// The functions of arrays that take as long however long the array is, or look up themselves.
  private static final Set<String> QUICK =
      Set.of("push", "pop", "at", "keys", "values", "entries", "[Symbol.iterator]");

  private static final Check KEYS = (name, arguments) -> each(name, arguments, 1, true);
  private static final Check SEARCH = Steps::search;
  private static final Check BIG_INT = Steps::bigInt;

  private static final Map<String, Check> CHECKS =
      Map.ofEntries(
          Map.entry("Array.from", Steps::arrayFrom),
          Map.entry("Array.prototype.concat", Steps::concat),
          Map.entry("Object.assign", Steps::copies),
          Map.entry("Object.defineProperties", Steps::copies),
          Map.entry("Object.entries", KEYS),
          Map.entry("Object.getOwnPropertyDescriptors", Steps::copies),
          Map.entry("Object.getOwnPropertyNames", KEYS),
          Map.entry("Object.keys", KEYS),
          Map.entry("Object.values", KEYS),
          Map.entry("Reflect.ownKeys", KEYS),
          Map.entry("String.prototype.includes", SEARCH),
          Map.entry("String.prototype.indexOf", SEARCH),
          Map.entry("String.prototype.lastIndexOf", SEARCH),
          Map.entry("String.prototype.replace", Steps::replace),
          Map.entry("String.prototype.replaceAll", Steps::replace),
          Map.entry("String.prototype.split", SEARCH),
          Map.entry("RegExp", Steps::regExp),
          Map.entry("RegExp.prototype.compile", Steps::regExp),
          Map.entry("String.prototype.match", Steps::regExp),
          Map.entry("String.prototype.matchAll", Steps::regExp),
          Map.entry("String.prototype.search", Steps::regExp),
          Map.entry("String.prototype.normalize", Steps::normalize),
          Map.entry("String.prototype.toLowerCase", Steps::changeCase),
          Map.entry("String.prototype.toLocaleLowerCase", Steps::changeCase),
          Map.entry("String.prototype.toUpperCase", Steps::changeCase),
          Map.entry("String.prototype.toLocaleUpperCase", Steps::changeCase),
          Map.entry("Number", Steps::number),
          Map.entry("BigInt", BIG_INT),
          Map.entry("BigInt.asIntN", BIG_INT),
          Map.entry("BigInt.asUintN", BIG_INT));

  private Steps() {}

  /// The limit that a mutator has exceeded which failed with this.
  ///
  /// @param failure the name and the message of an error
  static Optional<Watchdog.Limit> limit(String failure) {
    if (!failure.startsWith("RangeError: ")) {
      return Optional.empty();
    }
    if (failure.endsWith("call stack size exceeded")) {
      return Optional.of(Watchdog.Limit.DEPTH);
    }
    return OWN.matcher(failure).find() ? Optional.of(Watchdog.Limit.STEP) : Optional.empty();
  }

  /// Looks at what a function of the engine is called with.
  @FunctionalInterface
  interface Check {
    /// Throws a `RangeError` where that is too much.
    ///
    /// @param arguments as the engine has them: `this`, the function, and the arguments
    void requireSmall(String name, Object... arguments);
  }

  /// What is to be seen to before a function of the engine runs, if anything is.
  ///
  /// @param name such as `Array.prototype.sort`
  static @Nullable Check of(String name) {
    Check own = CHECKS.get(name);
    if (own != null) {
      return own;
    }
    if (name.startsWith("Intl.") || name.contains(".toLocale") || name.endsWith(".localeCompare")) {
      return Steps::locales;
    }
    return name.startsWith(ARRAY) && !QUICK.contains(name.substring(ARRAY.length()))
        ? Steps::goesThrough
        : null;
  }

  private static void goesThrough(String name, Object... arguments) {
    require(name, JSArguments.getThisObject(arguments), false);
  }

  private static void concat(String name, Object... arguments) {
    long sum = length(JSArguments.getThisObject(arguments));
    for (int i = 0; i < JSArguments.getUserArgumentCount(arguments); i++) {
      sum += length(JSArguments.getUserArgument(arguments, i));
    }
    if (sum > MAX_LENGTH) {
      throw tooLong(name, sum, MAX_LENGTH);
    }
    each(name, arguments, 0, false);
  }

  private static void arrayFrom(String name, Object... arguments) {
    if (JSArguments.getUserArgumentCount(arguments) > 0
        && JSArguments.getUserArgument(arguments, 0) instanceof JSObject object
        && JSRuntime.isNullOrUndefined(get(object, Symbol.SYMBOL_ITERATOR))) {
      require(name, object, false);
    }
  }

  /// @param first 0 for `this` too, 1 for the arguments alone
  private static void each(String name, Object[] arguments, int first, boolean hasKeys) {
    if (first == 0) {
      require(name, JSArguments.getThisObject(arguments), hasKeys);
    }
    for (int i = 0; i < JSArguments.getUserArgumentCount(arguments); i++) {
      require(name, JSArguments.getUserArgument(arguments, i), hasKeys);
    }
  }

  /// @param hasKeys whether a key is made of each index
  private static void require(String name, Object value, boolean hasKeys) {
    long length = hasKeys && isPlain(value) ? 0 : length(value);
    int most = value instanceof JSArrayObject && !hasKeys ? MAX_LENGTH : MAX_LIKE;
    if (length > most) {
      throw tooLong(name, length, most);
    }
  }

  /// Whether an object has the keys alone that it was given.
  private static boolean isPlain(Object value) {
    return value instanceof JSObject
        && !(value instanceof JSArrayObject
            || value instanceof JSTypedArrayObject
            || value instanceof JSStringObject
            || value instanceof JSProxyObject);
  }

  private static RuntimeException tooLong(String name, long length, long most) {
    return Errors.createRangeError(
        "%s takes %s elements at most here, not %s".formatted(name, most, length));
  }

  /// How many elements a value says that it has.
  private static long length(Object value) {
    return switch (value) {
      case TruffleString text -> Strings.length(text);
      case JSStringObject text -> Strings.length(text.getString());
      case JSTypedArrayObject typed -> JSArrayBufferView.typedArrayGetLength(typed);
      case JSObject object -> {
        Object length = get(object, Strings.LENGTH);
        yield length instanceof Number number ? JSRuntime.toLength(number) : 0;
      }
      default -> 0;
    };
  }

  /// A property, undefined where it can't be read, as the function is about to find out.
  private static Object get(JSObject object, Object key) {
    try {
      return JSObject.get(object, key);
    } catch (AbstractTruffleException _) {
      return Undefined.instance;
    }
  }

  private static void search(String name, Object... arguments) {
    long sought =
        JSArguments.getUserArgumentCount(arguments) == 0
            ? 0
            : text(JSArguments.getUserArgument(arguments, 0));
    long length = text(JSArguments.getThisObject(arguments));
    if (sought < length && sought * (length - sought) > MAX_COMPARED) {
      throw Errors.createRangeError(
          "%s can't look for %s characters among %s here".formatted(name, sought, length));
    }
  }

  private static void replace(String name, Object... arguments) {
    search(name, arguments);
    if (JSArguments.getUserArgumentCount(arguments) > 1) {
      Object template = JSArguments.getUserArgument(arguments, 1);
      if (text(template) > MAX_TEMPLATE && template.toString().indexOf('$') >= 0) {
        throw tooLong(name + " with $", text(template), MAX_TEMPLATE);
      }
    }
  }

  private static long text(Object value) {
    return value instanceof TruffleString || value instanceof JSStringObject ? length(value) : 0;
  }

  private static void bigInt(String name, Object... arguments) {
    for (int i = 0; i < JSArguments.getUserArgumentCount(arguments); i++) {
      Object value = JSArguments.getUserArgument(arguments, i);
      boolean isLarge = value instanceof Number bits && bits.doubleValue() > MAX_BITS;
      if (text(value) > MAX_DIGITS || (isLarge && !name.equals("BigInt"))) {
        throw Errors.createRangeErrorBigIntMaxSizeExceeded();
      }
    }
  }

  /// Throws a `RangeError` where a power has too many bits.
  static void requirePower(Object base, Object exponent) {
    if (base instanceof BigInt one && exponent instanceof BigInt other) {
      requireBits(one.bitLength() * other.doubleValue());
    }
  }

  /// Throws a `RangeError` where what is shifted has too many bits.
  ///
  /// @param sign 1 to the left, -1 to the right
  static void requireShift(Object shifted, Object by, int sign) {
    if (shifted instanceof BigInt one && by instanceof BigInt other) {
      requireBits(one.bitLength() + sign * other.doubleValue());
    }
  }

  private static void requireBits(double bits) {
    if (bits > MAX_BITS) {
      throw Errors.createRangeErrorBigIntMaxSizeExceeded();
    }
  }

  /// Throws a `RangeError` where a value has too many elements to make a key of each.
  ///
  /// @param name of what would
  static void requireFewKeys(String name, Object value) {
    long length = isPlain(value) ? 0 : length(value);
    if (length > MAX_KEYS) {
      throw tooLong(name, length, MAX_KEYS);
    }
  }

  private static void copies(String name, Object... arguments) {
    for (int i = 0; i < JSArguments.getUserArgumentCount(arguments); i++) {
      requireFewKeys(name, JSArguments.getUserArgument(arguments, i));
    }
  }

  /// What takes a list of locales takes no list that is as long as any of an array is here.
  private static void locales(String name, Object... arguments) {
    for (int i = 0; i < JSArguments.getUserArgumentCount(arguments); i++) {
      if (JSArguments.getUserArgument(arguments, i) instanceof JSObject list) {
        long length = length(list);
        if (length > MAX_KEYS) {
          throw tooLong(name, length, MAX_KEYS);
        }
      }
    }
    if (name.startsWith(ARRAY)) {
      goesThrough(name, arguments);
    }
  }

  /// The digits of a hexadecimal number are added up one by one.
  private static void number(String name, Object... arguments) {
    if (JSArguments.getUserArgumentCount(arguments) > 0) {
      long length = text(JSArguments.getUserArgument(arguments, 0));
      if (length > MAX_DIGITS) {
        throw tooLong(name, length, MAX_DIGITS);
      }
    }
  }

  /// A character may become eighteen.
  private static void normalize(String name, Object... arguments) {
    long length = text(JSArguments.getThisObject(arguments));
    if (length > MAX_NORMALIZED) {
      throw tooLong(name, length, MAX_NORMALIZED);
    }
  }

  /// Each character that becomes two or three is paid for with a copy of the whole.
  private static void changeCase(String name, Object... arguments) {
    locales(name, arguments);
    long length = text(JSArguments.getThisObject(arguments));
    if (length <= MAX_KEYS) {
      return;
    }
    String text = JSArguments.getThisObject(arguments).toString();
    long copied = 0;
    for (int i = 0; i < text.length() && copied <= MAX_COPIED; i++) {
      copied += grows(text.charAt(i)) ? length : 0;
    }
    if (copied > MAX_COPIED) {
      throw tooLong(name, length, MAX_KEYS);
    }
  }

  private static boolean grows(char each) {
    return each == 0x130
        || (each >= 0x80 && String.valueOf(each).toUpperCase(Locale.ROOT).length() > 1);
  }

  private static void regExp(String name, Object... arguments) {
    if (JSArguments.getUserArgumentCount(arguments) > 0) {
      long length = text(JSArguments.getUserArgument(arguments, 0));
      if (length > MAX_PATTERN) {
        throw tooLong(name, length, MAX_PATTERN);
      }
    }
  }
}
