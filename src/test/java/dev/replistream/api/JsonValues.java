package dev.replistream.api;

import java.util.LinkedHashMap;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.arbitraries.StringArbitrary;

/// Any JSON values, for property tests.
public final class JsonValues {
  private JsonValues() {}

  /// Any value, of up to some forty values within.
  public static Arbitrary<JsonValue> values() {
    return Arbitraries.recursive(JsonValues::scalars, JsonValues::containers, 0, 3)
        .withoutEdgeCases();
  }

  /// Any sequence of UTF-16 units, with those that JSON, UTF-8 and JavaScript treat apart among
  /// them more often than chance has them.
  public static StringArbitrary texts() {
    return Arbitraries.strings()
        .ofMaxLength(12)
        .withCharRange('\0', '\uffff')
        .withChars('"', '\\', '/', '\0', '\n', '\u007f', '\u0080', '\u2028', '\ufeff', '\uffff')
        .withCharRange('\ud800', '\udfff')
        .withCharRange('a', 'c');
  }

  private static Arbitrary<JsonValue> scalars() {
    return Arbitraries.oneOf(
        Arbitraries.of(true, false).map(JsonValue::of),
        Arbitraries.create(JsonValue::ofNull),
        texts().map(JsonValue::of),
        numbers());
  }

  private static Arbitrary<JsonValue> numbers() {
    Arbitrary<String> digits = Arbitraries.strings().numeric().ofMinLength(1).ofMaxLength(20);
    Arbitrary<String> whole = digits.map(d -> d.replaceFirst("^0+(?=.)", ""));
    Arbitrary<String> fraction = digits.map(d -> "." + d);
    Arbitrary<String> exponent =
        Combinators.combine(Arbitraries.of("e", "E", "e+", "E-"), digits).as(String::concat);
    return Combinators.combine(
            Arbitraries.of("", "-"),
            whole,
            Arbitraries.oneOf(Arbitraries.just(""), fraction),
            Arbitraries.oneOf(Arbitraries.just(""), exponent))
        .as((sign, w, f, e) -> new JsonValue.Num(sign + w + f + e));
  }

  private static Arbitrary<JsonValue> containers(Arbitrary<JsonValue> inner) {
    Arbitrary<Map<String, JsonValue>> members =
        Arbitraries.maps(texts(), inner).ofMaxSize(4).map(LinkedHashMap::new);
    return Arbitraries.oneOf(
        inner.list().ofMaxSize(4).map(JsonValue::array), members.map(JsonValue::object));
  }
}
