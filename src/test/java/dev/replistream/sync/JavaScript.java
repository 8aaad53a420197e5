package dev.replistream.sync;

import dev.replistream.api.JsonValue;

/// How Replicache's client sees cookies.
final class JavaScript {
  private JavaScript() {}

  /// Compares two cookies as the client does (its `compareCookies`).
  static int compareCookies(JsonValue one, JsonValue other) {
    if (one.isNull() || other.isNull()) {
      return Boolean.compare(!one.isNull(), !other.isNull());
    }
    JsonValue a = order(one);
    JsonValue b = order(other);
    return a instanceof JsonValue.Num(String x) && b instanceof JsonValue.Num(String y)
        ? Double.compare(Double.parseDouble(x), Double.parseDouble(y))
        : string(a).compareTo(string(b));
  }

  private static JsonValue order(JsonValue cookie) {
    return cookie instanceof JsonValue.Obj ? cookie.get("order") : cookie;
  }

  /// A number that JavaScript wrote is its own text.
  private static String string(JsonValue order) {
    return order instanceof JsonValue.Num(String text) ? text : order.asText();
  }
}
