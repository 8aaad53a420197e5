package dev.replistream.http;

import java.util.List;
import java.util.Map;

/// A JSON value that keeps what the sender wrote: numbers as their text, strings as their
/// characters, the members of objects in their order. Immutable.
public sealed interface JsonValue {
  /// JSON null.
  record Null() implements JsonValue {}

  /// `true` or `false`.
  record Bool(boolean value) implements JsonValue {}

  /// A number as it was written, such as `1.0` or `1e400`.
  record Num(String text) implements JsonValue {}

  /// A string.
  record Str(String value) implements JsonValue {}

  /// An array.
  record Arr(List<JsonValue> elements) implements JsonValue {}

  /// An object, its members in the order in which they came.
  record Obj(Map<String, JsonValue> members) implements JsonValue {}
}
