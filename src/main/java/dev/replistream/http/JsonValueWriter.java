package dev.replistream.http;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import dev.replistream.http.JsonValue.Arr;
import dev.replistream.http.JsonValue.Bool;
import dev.replistream.http.JsonValue.Null;
import dev.replistream.http.JsonValue.Num;
import dev.replistream.http.JsonValue.Obj;
import dev.replistream.http.JsonValue.Str;
import java.io.IOException;
import java.util.Map;

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

  /// Writes the value at which `parser` is, without a tree in between.
  static void copy(JsonParser parser, JsonGenerator json) throws IOException {
    int depth = 0;
    while (true) {
      switch (parser.currentToken()) {
        case START_OBJECT -> {
          json.writeStartObject();
          depth++;
        }
        case START_ARRAY -> {
          json.writeStartArray();
          depth++;
        }
        case END_OBJECT -> {
          json.writeEndObject();
          depth--;
        }
        case END_ARRAY -> {
          json.writeEndArray();
          depth--;
        }
        case FIELD_NAME -> json.writeFieldName(parser.currentName());
        case VALUE_STRING -> json.writeString(parser.getText());
        case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> json.writeNumber(parser.getText());
        case VALUE_TRUE, VALUE_FALSE -> json.writeBoolean(parser.getBooleanValue());
        case VALUE_NULL -> json.writeNull();
        case NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT ->
            throw new IllegalStateException("the parser is not at the beginning of a value");
      }
      if (depth == 0) {
        return;
      }
      parser.nextToken();
    }
  }
}
