package dev.replistream.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.api.JsonValue;
import java.math.BigInteger;
import java.time.Instant;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
  private static JsonValue parse(String text) {
    return Json.readStrict(text, JsonValue::read);
  }

  @ParameterizedTest
  @CsvSource({
    "2026-11-23T12:34:56Z, 2026-11-23T12:34:56.000Z",
    "2026-11-23T12:34:56.100Z, 2026-11-23T12:34:56.100Z",
    "2026-11-23T12:34:56.789999999Z, 2026-11-23T12:34:56.789Z",
    "1970-01-01T00:00:00.001Z, 1970-01-01T00:00:00.001Z",
  })
  void aTimestampAlwaysHasThreeDigitsOfMilliseconds(Instant instant, String text) {
    assertThat(Json.timestamp(instant)).isEqualTo(text);
  }

  @Test
  void valuesMayNestAsDeepAsReplicacheLets() {
    String text = "[".repeat(512) + "]".repeat(512);

    assertThat(parse(text).toJson()).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{} {}",
        "{}x",
        "nul",
        "NaN",
        "01",
        "{\"a\":1,\"a\":2}",
        "{\"a\":{\"b\":1,\"\\u0062\":2}}",
        "\"\\ud800",
        "// no comment\n{}",
      })
  void whatIsNotOneValueIsRefused(String text) {
    assertThatThrownBy(() -> parse(text))
        .isInstanceOf(JsonException.class)
        .hasMessageStartingWith("not JSON: ")
        .hasMessageNotContaining("Exception");
  }

  @Test
  void deeperValuesAreRefused() {
    assertThatThrownBy(() -> parse("[".repeat(513) + "]".repeat(513)))
        .isInstanceOf(JsonException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "22ff22",
        "22c022",
        "22c0af22",
        "22eda08022",
        "22f490808022",
        "fffe22",
        "2200610022"
      })
  void bytesThatAreNotUtf8AreRefused(String hex) {
    byte[] bytes = new BigInteger(hex, 16).toByteArray();
    byte[] text = bytes[0] == 0 ? Arrays.copyOfRange(bytes, 1, bytes.length) : bytes;

    assertThatThrownBy(() -> Json.readStrict(text, JsonValue::read))
        .isInstanceOf(JsonException.class);
  }

  @Test
  void quotedTextIsOneLineAndOneWord() {
    assertThat(Json.quoted("a \"b\" \\ \n\r\t\0 é \u2028\u2029"))
        .isEqualTo("\"a \\\"b\\\" \\\\ \\n\\r\\t\\u0000 é \\u2028\\u2029\"");
  }
}
