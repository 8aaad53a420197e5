package dev.replistream.json;

/// A text is not one JSON value in UTF-8, or nests too deep, or has too long a number. The message
/// is `not JSON: ` and where or why, in one line without anything of the text.
public final class JsonException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  JsonException(String why) {
    super("not JSON: " + why);
  }
}
