package dev.replistream.http;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import dev.replistream.http.JsonValue.Arr;
import dev.replistream.http.JsonValue.Bool;
import dev.replistream.http.JsonValue.Null;
import dev.replistream.http.JsonValue.Num;
import dev.replistream.http.JsonValue.Obj;
import dev.replistream.http.JsonValue.Str;
import java.io.IOException;
import java.util.Map;
import java.util.function.BooleanSupplier;

/// Writes {@link JsonValue}s. Stateless; how deep values nest is the generator's limit.
final class JsonValueWriter {
  private JsonValueWriter() {}

  static void write(JsonGenerator json, JsonValue value) throws IOException {
    try {
      writeNested(json, value);
    } catch (StreamConstraintsException _) {
      throw new JsonValueException("the value nests too deep");
    }
  }

  private static void writeNested(JsonGenerator json, JsonValue value) throws IOException {
    switch (value) {
      case Null _ -> json.writeNull();
      case Bool(boolean truth) -> json.writeBoolean(truth);
      case Num(String text) -> json.writeNumber(text);
      case Str(String text) -> json.writeString(text);
      case Arr(var elements) -> {
        json.writeStartArray();
        for (JsonValue element : elements) {
          writeNested(json, element);
        }
        json.writeEndArray();
      }
      case Obj(var members) -> {
        json.writeStartObject();
        for (Map.Entry<String, JsonValue> member : members.entrySet()) {
          json.writeFieldName(member.getKey());
          writeNested(json, member.getValue());
        }
        json.writeEndObject();
      }
    }
  }

  /// Writes the value at which `parser` is, without a tree in between, and leaves the parser at its
  /// end.
  ///
  /// @param maxDepth how deep it may nest
  /// @param isWanted whether to go on writing; the rest of the value is skipped where not
  /// @return whether it was written to its end
  static boolean copy(JsonParser parser, JsonGenerator json, int maxDepth, BooleanSupplier isWanted)
      throws IOException {
    int depth = 0;
    boolean isWritten = true;
    while (true) {
      JsonToken token = parser.currentToken();
      depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
      isWritten &= depth <= maxDepth && isWanted.getAsBoolean();
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
