package dev.replistream.api;

/// A JSON value is not what a piece of code needs: it is of another type, lacks a member, is out of
/// range, or nests too deep to be written.
///
/// If a mutator lets it through, the mutation is rejected with this message as the reason. The
/// message names types, and the members that the code asked for, but never what a client sent.
public final class JsonValueException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /// @param message what is needed and what is there instead; no user content
  public JsonValueException(String message) {
    super(message);
  }

  static JsonValueException expected(String what, JsonValue found) {
    String kind =
        switch (found) {
          case JsonValue.Null _ -> "null";
          case JsonValue.Bool _ -> "true or false";
          case JsonValue.Num _ -> "a number";
          case JsonValue.Str _ -> "a string";
          case JsonValue.Arr _ -> "an array";
          case JsonValue.Obj _ -> "an object";
        };
    return new JsonValueException(what + " is needed, not " + kind);
  }
}
