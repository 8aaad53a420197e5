package dev.replistream.api;

import java.util.LinkedHashMap;
import java.util.Map;

/// Fills a JSON object member by member, in the order of the calls; a name that comes again keeps
/// its place and takes the new value. Confined to one thread.
public final class JsonObjectBuilder {
  private final Map<String, JsonValue> members = new LinkedHashMap<>();

  JsonObjectBuilder() {}

  /// Adds a member.
  public JsonObjectBuilder with(String name, JsonValue value) {
    members.put(name, value);
    return this;
  }

  /// Adds a string.
  public JsonObjectBuilder with(String name, String value) {
    return with(name, JsonValue.of(value));
  }

  /// Adds a whole number.
  public JsonObjectBuilder with(String name, long value) {
    return with(name, JsonValue.of(value));
  }

  /// Adds a number, which has to be finite.
  public JsonObjectBuilder with(String name, double value) {
    return with(name, JsonValue.of(value));
  }

  /// Adds `true` or `false`.
  public JsonObjectBuilder with(String name, boolean value) {
    return with(name, JsonValue.of(value));
  }

  /// The object, with the members so far.
  public JsonValue.Obj build() {
    return new JsonValue.Obj(members);
  }
}
