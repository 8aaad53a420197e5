package dev.replistream.api;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import dev.replistream.api.JsonValue.Arr;
import dev.replistream.api.JsonValue.Bool;
import dev.replistream.api.JsonValue.Null;
import dev.replistream.api.JsonValue.Num;
import dev.replistream.api.JsonValue.Obj;
import dev.replistream.api.JsonValue.Str;
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
}
