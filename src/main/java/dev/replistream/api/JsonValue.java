package dev.replistream.api;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import dev.replistream.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// A JSON value (RFC 8259) that keeps what the sender wrote: numbers as their text, strings as
/// their characters, half surrogate pairs among them, and the members of objects in their order.
/// Two values are equal if they are written alike, apart from the order of members; so `1` and
/// `1.0` are not equal. Immutable.
///
/// The accessors are for code that expects one type; for any other they throw {@link
/// JsonValueException}, which in a mutator rejects the mutation. Other code matches the records.
public sealed interface JsonValue {
  /// JSON null.
  record Null() implements JsonValue {}

  /// `true` or `false`.
  record Bool(boolean value) implements JsonValue {}

  /// A number as it was written, such as `1.0` or `1e400`.
  record Num(String text) implements JsonValue {
    /// @throws IllegalArgumentException when it is not a number as RFC 8259, section 6, has it
    public Num {
      if (!JsonNumber.isNumber(text)) {
        throw new IllegalArgumentException("not a JSON number");
      }
    }
  }

  /// A string.
  record Str(String value) implements JsonValue {
    /// Refuses null.
    public Str {
      Objects.requireNonNull(value);
    }
  }

  /// An array.
  record Arr(List<JsonValue> elements) implements JsonValue {
    /// Copies the elements.
    public Arr {
      elements = List.copyOf(elements);
    }
  }

  /// An object, its members in the order in which they came.
  record Obj(Map<String, JsonValue> members) implements JsonValue {
    /// Copies the members.
    public Obj {
      Map<String, JsonValue> copy = LinkedHashMap.newLinkedHashMap(members.size());
      members.forEach(
          (name, value) -> copy.put(Objects.requireNonNull(name), Objects.requireNonNull(value)));
      members = copy.isEmpty() ? Map.of() : Collections.unmodifiableMap(copy);
    }

    /// This object with one member set: in its place if it is there already, else at the end.
    public Obj with(String name, JsonValue value) {
      Map<String, JsonValue> changed = new LinkedHashMap<>(members);
      changed.put(name, value);
      return new Obj(changed);
    }
  }

  /// JSON null.
  static JsonValue ofNull() {
    return new Null();
  }

  /// A string.
  static JsonValue of(String value) {
    return new Str(value);
  }

  /// A whole number. JavaScript rounds those of 2^53 and beyond: send them as strings.
  static JsonValue of(long value) {
    return new Num(Long.toString(value));
  }

  /// A number; written as JavaScript does where it is whole and below 2^53.
  ///
  /// @throws IllegalArgumentException when it is not finite, which JSON can't express
  static JsonValue of(double value) {
    return new Num(JsonNumber.text(value));
  }

  /// `true` or `false`.
  static JsonValue of(boolean value) {
    return new Bool(value);
  }

  /// An array of `elements`.
  static Arr array(JsonValue... elements) {
    return new Arr(Arrays.asList(elements));
  }

  /// An array of `elements`.
  static Arr array(List<JsonValue> elements) {
    return new Arr(elements);
  }

  /// An object of `members`, in the order of the map.
  static Obj object(Map<String, JsonValue> members) {
    return new Obj(members);
  }

  /// An object to be filled member by member.
  static JsonObjectBuilder object() {
    return new JsonObjectBuilder();
  }

  /// Parses one JSON value. Of members with the same name the last one counts, as in JavaScript.
  ///
  /// @throws IllegalArgumentException when `text` is not one JSON value, nests deeper than 512, or
  ///   has a number of more than 1,000 digits
  static JsonValue parse(String text) {
    return Json.read(text, JsonValue::read);
  }

  /// Parses one JSON value in UTF-8, as {@link #parse(String)} does.
  ///
  /// @throws IllegalArgumentException as that does, and when `text` is not UTF-8
  static JsonValue parse(byte[] text) {
    return Json.read(text, JsonValue::read);
  }

  /// Reads the value whose first token is the parser's current one, and leaves the parser at its
  /// last.
  static JsonValue read(JsonParser parser) throws IOException {
    return JsonValueReader.read(parser);
  }

  /// Writes this value as it was read.
  ///
  /// @throws JsonValueException when it nests deeper than `json` takes
  default void write(JsonGenerator json) throws IOException {
    JsonValueWriter.write(json, this);
  }

  /// Whether no number in this value is beyond the range of a double, where JavaScript would read
  /// infinity (RFC 8259, section 6, on interoperability).
  default boolean isInRange() {
    return switch (this) {
      case Num(String text) -> JsonNumber.isInRange(text);
      case Arr(List<JsonValue> elements) -> elements.stream().allMatch(JsonValue::isInRange);
      case Obj(Map<String, JsonValue> members) ->
          members.values().stream().allMatch(JsonValue::isInRange);
      case Null _, Bool _, Str _ -> true;
    };
  }

  /// This value in UTF-8, which {@link #parse(byte[])} turns into an equal one: without white
  /// space, and with nothing escaped but what must be, such as half a surrogate pair.
  ///
  /// @throws JsonValueException when it nests deeper than 512
  default byte[] toBytes() {
    return Json.write(this::write);
  }

  /// This value as text, of the same form as {@link #toBytes}.
  ///
  /// @throws JsonValueException when it nests deeper than 512
  default String toJson() {
    return new String(toBytes(), StandardCharsets.UTF_8);
  }

  /// Whether this is JSON null.
  default boolean isNull() {
    return this instanceof Null;
  }

  /// The member `name` of this object, if it has one; it may be JSON null.
  ///
  /// @throws JsonValueException when this is not an object
  default Optional<JsonValue> find(String name) {
    return Optional.ofNullable(asMembers().get(name));
  }

  /// The member `name` of this object; it may be JSON null.
  ///
  /// @throws JsonValueException when this is not an object or has no such member
  default JsonValue get(String name) {
    return find(name)
        .orElseThrow(
            () -> new JsonValueException("the member " + Json.quoted(name) + " is missing"));
  }

  /// The characters of this string.
  ///
  /// @throws JsonValueException when this is not a string
  default String asText() {
    if (this instanceof Str(String value)) {
      return value;
    }
    throw JsonValueException.expected("a string", this);
  }

  /// This number, which has to be whole; `1.0` and `1e2` are.
  ///
  /// @throws JsonValueException when this is not a whole number of 64 bits
  default long asLong() {
    if (this instanceof Num(String text)) {
      return JsonNumber.whole(text)
          .orElseThrow(() -> new JsonValueException("a whole number of 64 bits is needed"));
    }
    throw JsonValueException.expected("a number", this);
  }

  /// This number as JavaScript sees it, except that what is too large for it is refused.
  ///
  /// @throws JsonValueException when this is not a number or beyond the range of a double
  default double asDouble() {
    if (this instanceof Num(String text)) {
      double value = Double.parseDouble(text);
      if (Double.isFinite(value)) {
        return value;
      }
      throw new JsonValueException("a number below 1.8e308 is needed");
    }
    throw JsonValueException.expected("a number", this);
  }

  /// This truth value.
  ///
  /// @throws JsonValueException when this is neither `true` nor `false`
  default boolean asBoolean() {
    if (this instanceof Bool(boolean value)) {
      return value;
    }
    throw JsonValueException.expected("true or false", this);
  }

  /// The elements of this array.
  ///
  /// @throws JsonValueException when this is not an array
  default List<JsonValue> asElements() {
    if (this instanceof Arr(List<JsonValue> elements)) {
      return elements;
    }
    throw JsonValueException.expected("an array", this);
  }

  /// The members of this object.
  ///
  /// @throws JsonValueException when this is not an object
  default Map<String, JsonValue> asMembers() {
    if (this instanceof Obj(Map<String, JsonValue> members)) {
      return members;
    }
    throw JsonValueException.expected("an object", this);
  }
}
