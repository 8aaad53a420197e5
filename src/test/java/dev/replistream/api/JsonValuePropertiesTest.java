package dev.replistream.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.json.Json;
import dev.replistream.json.JsonText;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class JsonValuePropertiesTest {
  @Provide
  Arbitrary<JsonValue> values() {
    return JsonValues.values();
  }

  @Property(tries = 2000)
  void aValueComesBackAsItWentOut(@ForAll("values") JsonValue value) {
    byte[] bytes = value.toBytes();

    JsonValue back = JsonValue.parse(bytes);

    assertThat(back).isEqualTo(value);
    assertThat(back.toBytes()).isEqualTo(bytes);
    assertThat(back.hashCode()).isEqualTo(value.hashCode());
  }

  @Property(tries = 500)
  void whatGoesOutIsUtf8(@ForAll("values") JsonValue value) throws CharacterCodingException {
    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(value.toBytes()));
  }

  @Property(tries = 500)
  void theOrderOfMembersIsKept(@ForAll("values") JsonValue value) {
    assertThat(JsonValue.parse(value.toJson()).toJson()).isEqualTo(value.toJson());
  }

  @Property(tries = 1000)
  void theTextOfAValueIsTheSameWithoutATree(@ForAll("values") JsonValue value) {
    Optional<String> text =
        Json.read(
            value.toBytes(), parser -> JsonText.read(parser, Integer.MAX_VALUE, () -> true).text());

    assertThat(text.map(JsonValue::parse)).contains(value);
  }
}
