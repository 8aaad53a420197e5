package dev.replistream.json;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.StringWriter;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/// A value as text, without white space, and with only those characters escaped that must be: a
/// tenth of the memory of a tree. Immutable.
///
/// @param text empty where it is too long, nests deeper than 512, or was not wanted to its end
/// @param isTooLong whether that is why
public record JsonText(Optional<String> text, boolean isTooLong) {
  /// JSON null.
  public static final JsonText NULL = new JsonText(Optional.of("null"), false);

  /// Those of values that are one word.
  private static final Map<JsonToken, JsonText> WORDS =
      Map.of(
          JsonToken.VALUE_NULL, NULL,
          JsonToken.VALUE_TRUE, new JsonText(Optional.of("true"), false),
          JsonToken.VALUE_FALSE, new JsonText(Optional.of("false"), false));

  /// Reads the value whose first token is the parser's current one, and leaves the parser at its
  /// last.
  ///
  /// @param maxLength how many characters it may have; a longer one is skipped and not kept
  /// @param isWanted whether to go on; the rest of the value is skipped where not
  public static JsonText read(JsonParser parser, int maxLength, BooleanSupplier isWanted)
      throws IOException {
    JsonText word = WORDS.get(parser.currentToken());
    if (word != null) {
      return word;
    }
    StringWriter text = new StringWriter();
    // what the generator still holds back is little
    BooleanSupplier isShort = () -> text.getBuffer().length() <= maxLength;
    boolean isWhole;
    try (JsonGenerator json = Json.generator(text)) {
      isWhole = copy(parser, json, () -> isWanted.getAsBoolean() && isShort.getAsBoolean());
    }
    return isWhole && isShort.getAsBoolean()
        ? new JsonText(Optional.of(text.toString()), false)
        : new JsonText(Optional.empty(), !isShort.getAsBoolean());
  }

  /// Writes the value whose first token is the parser's current one.
  ///
  /// @return whether it was written to its end
  static boolean copy(JsonParser parser, JsonGenerator json, BooleanSupplier isWanted)
      throws IOException {
    int depth = 0;
    boolean isWritten = true;
    while (true) {
      JsonToken token = parser.currentToken();
      depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
      isWritten &= depth <= Json.MAX_DEPTH && isWanted.getAsBoolean();
      if (isWritten) {
        copyToken(parser, json, token);
      }
      if (depth == 0) {
        return isWritten && isWanted.getAsBoolean();
      }
      parser.nextToken();
    }
  }

  private static void copyToken(JsonParser parser, JsonGenerator json, JsonToken token)
      throws IOException {
    switch (token) {
      case START_OBJECT -> json.writeStartObject();
      case START_ARRAY -> json.writeStartArray();
      case END_OBJECT -> json.writeEndObject();
      case END_ARRAY -> json.writeEndArray();
      case FIELD_NAME -> json.writeFieldName(parser.currentName());
      case VALUE_STRING -> json.writeString(parser.getText());
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> json.writeNumber(parser.getText());
      case VALUE_TRUE, VALUE_FALSE -> json.writeBoolean(parser.getBooleanValue());
      case VALUE_NULL -> json.writeNull();
      case NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT ->
          throw new IllegalStateException("the parser is not at the beginning of a value");
    }
  }
}
