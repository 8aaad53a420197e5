package dev.replistream.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.api.JsonValue.Num;
import dev.replistream.api.JsonValue.Obj;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonValueTest {
  private static final JsonValue SAMPLE =
      JsonValue.parse(
          "{\"text\":\"t\",\"whole\":-7,\"half\":2.5,\"truth\":true,\"nothing\":null,\"list\":[1]}");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0",
        "-0",
        "1.0",
        "1e5",
        "1E+5",
        "-1.5e-10",
        "1e400",
        "12345678901234567890",
        "0.1000000000000000055511151231257827021181583404541015625",
        "1e99999999999",
      })
  void aNumberGoesOutAsItCame(String number) {
    assertThat(JsonValue.parse("[" + number + "]").toJson()).isEqualTo("[" + number + "]");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"\"",
        "\"\\ud800\"",
        "\"a\\udc00b\"",
        "\"\\ud83d\\ud83d\"",
        "\"\\udc00\\ud800\"",
        "{\"\\udfff\":1}",
      })
  void halfASurrogatePairGoesOutAsAnEscape(String text) {
    assertThat(JsonValue.parse(text).toJson()).isEqualToIgnoringCase(text);
  }

  @ParameterizedTest
  @CsvSource({
    "'\"\\ud83d\\ude00\"', '\"\uD83D\uDE00\"'",
    "'\"\\u0041\\/\"', '\"A/\"'",
    "'\"\\u2028\\u2029\"', '\"\u2028\u2029\"'",
    "'\"\\u0000\\u001f\\u007f\"', '\"\\u0000\\u001F\u007f\"'",
    "'\"\\b\\f\\n\\r\\t\\\"\\\\\"', '\"\\b\\f\\n\\r\\t\\\"\\\\\"'",
  })
  void aStringGoesOutWithTheSameCharacters(String text, String written) {
    assertThat(JsonValue.parse(text).toJson()).isEqualTo(written);
    assertThat(JsonValue.parse(written)).isEqualTo(JsonValue.parse(text));
  }

  @Test
  void membersKeepTheirOrderAndTheLastOfANameCounts() {
    JsonValue value = JsonValue.parse("{\"b\":1,\"a\":2,\"__proto__\":3,\"b\":4,\"\":5}");

    assertThat(value.toJson()).isEqualTo("{\"b\":4,\"a\":2,\"__proto__\":3,\"\":5}");
  }

  @ParameterizedTest
  @ValueSource(ints = {500, 512})
  void valuesMayNestThisDeep(int depth) {
    String text = "[".repeat(depth) + "]".repeat(depth);

    assertThat(JsonValue.parse(text).toJson()).isEqualTo(text);
  }

  @Test
  void deeperValuesAreRefusedOnTheirWayIn() {
    assertThatThrownBy(() -> JsonValue.parse("[".repeat(513) + "]".repeat(513)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("512");
  }

  @Test
  void deeperValuesAreRefusedOnTheirWayOut() {
    JsonValue array = JsonValue.array();
    JsonValue object = JsonValue.object().build();
    for (int depth = 1; depth <= 512; depth++) {
      array = JsonValue.array(array);
      object = JsonValue.object().with("", object).build();
    }

    assertThatThrownBy(array::toBytes).isInstanceOf(JsonValueException.class);
    assertThatThrownBy(object::toBytes).isInstanceOf(JsonValueException.class);
  }

  @Test
  void aLongNameIsAsGoodAsALongString() {
    String text = "{\"" + "n".repeat(200_000) + "\":\"" + "v".repeat(200_000) + "\"}";

    assertThat(JsonValue.parse(text).toJson()).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", " ", "[", "{\"a\"}", "[1,]", "01", "+1", ".5", "1.", "NaN", "'a'", "1 2", "\uFEFF1",
        "\"\t\""
      })
  void whatIsNotJsonIsRefused(String text) {
    assertThatThrownBy(() -> JsonValue.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("not JSON: ");
  }

  /// 97 * 33 + 66 is 98 * 33 + 33, so these names have one hash in a table that Jackson would keep.
  @Test
  void namesWhoseHashesCollideAreReadLikeOthers() {
    JsonObjectBuilder object = JsonValue.object();
    for (int i = 0; i < 1024; i++) {
      String bits = Integer.toBinaryString(1024 + i).substring(1);
      object.with(bits.replace("0", "aB").replace("1", "b!"), i);
    }
    JsonValue value = object.build();

    assertThat(JsonValue.parse(value.toJson())).isEqualTo(value);
  }

  @Test
  void aNumberOfAThousandAndOneDigitsIsRefused() {
    assertThatThrownBy(() -> JsonValue.parse("1".repeat(1001)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1000 digits");
  }

  @Test
  void overlongUtf8IsRefused() {
    assertThatThrownBy(() -> JsonValue.parse(new byte[] {'"', (byte) 0xc0, (byte) 0xaf, '"'}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("UTF-8");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-",
        "01",
        "1.",
        ".1",
        "1e",
        "1e+",
        "+1",
        "0x1",
        "1 ",
        "1,2",
        "NaN",
        "Infinity",
        "١"
      })
  void whatIsNoNumberCantBeOne(String text) {
    assertThatThrownBy(() -> new Num(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "-0.0, 0",
    "3, 3",
    "-2.5, -2.5",
    "9007199254740991, 9007199254740991",
    "9007199254740992, 9.007199254740992E15",
    "1e300, 1.0E300",
  })
  void aDoubleIsWrittenAsANumber(double value, String text) {
    assertThat(JsonValue.of(value)).isEqualTo(new Num(text));
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
  void whatJsonCantSayIsRefused(double value) {
    assertThatThrownBy(() -> JsonValue.of(value)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void accessorsGiveWhatIsThere() {
    assertThat(SAMPLE.get("text").asText()).isEqualTo("t");
    assertThat(SAMPLE.get("whole").asLong()).isEqualTo(-7);
    assertThat(SAMPLE.get("half").asDouble()).isEqualTo(2.5);
    assertThat(SAMPLE.get("truth").asBoolean()).isTrue();
    assertThat(SAMPLE.get("nothing").isNull()).isTrue();
    assertThat(SAMPLE.get("list").asElements()).containsExactly(JsonValue.of(1));
    assertThat(SAMPLE.find("absent")).isEmpty();
    assertThat(SAMPLE.isNull()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"1.0, 1", "1e2, 100", "-0, 0", "9223372036854775807, 9223372036854775807"})
  void aWholeNumberMayBeWrittenInAnyWay(String text, long value) {
    assertThat(new Num(text).asLong()).isEqualTo(value);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"1.5", "9223372036854775808", "1e400", "1e-400", "1e1000000000", "1e99999999999"})
  void otherNumbersAreNotWhole(String text) {
    assertThatThrownBy(() -> new Num(text).asLong())
        .isInstanceOf(JsonValueException.class)
        .hasMessage("a whole number of 64 bits is needed");
  }

  @Test
  void aNumberBeyondADoubleIsRefused() {
    assertThatThrownBy(() -> new Num("1e400").asDouble()).isInstanceOf(JsonValueException.class);
  }

  static List<Runnable> wrongAccesses() {
    return List.of(
        () -> SAMPLE.asText(),
        () -> SAMPLE.get("text").asLong(),
        () -> SAMPLE.get("text").asDouble(),
        () -> SAMPLE.get("whole").asBoolean(),
        () -> SAMPLE.get("nothing").asMembers(),
        () -> SAMPLE.get("truth").asElements(),
        () -> SAMPLE.get("list").get("text"),
        () -> SAMPLE.get("absent"));
  }

  @ParameterizedTest
  @MethodSource("wrongAccesses")
  void aWrongAccessSaysWhatIsNeeded(Runnable access) {
    assertThatThrownBy(access::run)
        .isInstanceOf(JsonValueException.class)
        .hasMessageMatching(
            "(an?|true or false) .*is needed, not .*|the member \"absent\" is missing");
  }

  @Test
  void aValueDoesNotChangeWithWhatItWasMadeOf() {
    Map<String, JsonValue> members = new LinkedHashMap<>(Map.of("a", JsonValue.of(1)));
    List<JsonValue> elements = new ArrayList<>(List.of(JsonValue.of(1)));
    JsonValue object = JsonValue.object(members);
    JsonValue array = JsonValue.array(elements);

    members.clear();
    elements.clear();

    assertThat(object.toJson()).isEqualTo("{\"a\":1}");
    assertThat(array.toJson()).isEqualTo("[1]");
    assertThatThrownBy(() -> object.asMembers().clear())
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void anObjectIsBuiltMemberByMember() {
    Obj built =
        JsonValue.object()
            .with("s", "x")
            .with("l", 1)
            .with("d", 0.5)
            .with("b", false)
            .with("n", JsonValue.ofNull())
            .with("s", "y")
            .build();

    assertThat(built.with("l", JsonValue.of(2)).with("z", JsonValue.array()).toJson())
        .isEqualTo("{\"s\":\"y\",\"l\":2,\"d\":0.5,\"b\":false,\"n\":null,\"z\":[]}");
    assertThat(built.get("l")).isEqualTo(JsonValue.of(1));
  }

  @Test
  void bytesAreTheTextInUtf8() {
    JsonValue value = JsonValue.of("é\uD83D\uDE00");

    assertThat(value.toBytes()).isEqualTo("\"é\uD83D\uDE00\"".getBytes(StandardCharsets.UTF_8));
    assertThat(JsonValue.parse(value.toBytes())).isEqualTo(value);
  }
}
