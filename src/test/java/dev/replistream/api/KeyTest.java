package dev.replistream.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KeyTest {
  private static String json(Key key) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    key.writeJson(out);
    return out.toString(StandardCharsets.UTF_8);
  }

  private static Key ofJson(String json) {
    return Key.of(JsonValue.parse(json).asText());
  }

  @ParameterizedTest
  @CsvSource({
    "'\"\"', ''",
    "'\"a\"', 61",
    "'\"\\u0000\"', 00",
    "'\"é\"', c3a9",
    "'\"e\\u0301\"', 65cc81",
    "'\"\\uffff\"', efbfbf",
    "'\"\\ud83d\\ude00\"', f09f9880",
    "'\"\\ud800\"', eda080",
    "'\"a\\udfffb\"', 61edbfbf62",
    "'\"\\udc00\\ud800\"', edb080eda080",
    "'\"\\ud7ff\\ue000\"', ed9fbfee8080",
  })
  void aKeyIsItsUtf8WithHalfPairsOfTheirOwn(String json, String hex) {
    Key key = ofJson(json);

    assertThat(HexFormat.of().formatHex(key.bytes())).isEqualTo(hex);
    assertThat(Key.ofBytes(key.bytes()).text()).isEqualTo(JsonValue.parse(json).asText());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"\"",
        "\"list/1\"",
        "\" !~\"",
        "\"\\u0000\\u001f\u007f\"",
        "\"\\\"\\\\/\"",
        "\"\uD83D\uDE00\u2028\"",
        "\"\\ud800\"",
        "\"a\\udfffb\\ud834\"",
        "\"\uD7FF\uE000\"",
      })
  void aKeyGoesOutAsTheClientWouldWriteIt(String json) throws IOException {
    assertThat(json(ofJson(json))).isEqualTo(json);
  }

  @Test
  void keysAreOrderedAsBytesWhichIsNotTheOrderOfJava() {
    List<Key> ordered =
        List.of(
            Key.of(""),
            Key.of("\0"),
            Key.of("a"),
            Key.of("a\0"),
            Key.of("b"),
            Key.of("é"),
            Key.of("\uD800"),
            Key.of("\uE000"),
            Key.of("\uFFFF"),
            Key.of("\uD83D\uDE00"));

    assertThat(ordered.reversed().stream().sorted()).containsExactlyElementsOf(ordered);
  }

  @Test
  void composedAndDecomposedLettersAreTwoKeys() {
    assertThat(Key.of("é")).isNotEqualTo(Key.of("e\u0301"));
  }

  @Test
  void equalTextsAreEqualKeys() {
    assertThat(Key.of("\uD800x")).isEqualTo(Key.of("\uD800x")).hasSameHashCodeAs(Key.of("\uD800x"));
    assertThat(Key.of("a")).isNotEqualTo("a");
  }

  @Test
  void aKeyOf1024BytesCanBeStored() {
    Key key = Key.of("é".repeat(512));

    assertThat(key.storable()).isSameAs(key);
  }

  @Test
  void aLongerKeyIsRejectedWithoutBeingNamed() {
    Key key = Key.of("é".repeat(512) + "a");

    assertThatThrownBy(key::storable)
        .isInstanceOf(RejectedException.class)
        .hasMessage("the key has more than 1024 bytes");
  }

  @Test
  void aPrefixCoversWhatBeginsWithItAndNothingElse() {
    Key prefix = Key.of("list/");

    assertThat(Key.of("list/").startsWith(prefix)).isTrue();
    assertThat(Key.of("list/1").startsWith(prefix)).isTrue();
    assertThat(Key.of("list").startsWith(prefix)).isFalse();
    assertThat(Key.of("lisu/").startsWith(prefix)).isFalse();
    assertThat(Key.of("x").startsWith(Key.of(""))).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"61, 62", "6162, 6163", "61ff, 62", "61ffff, 62", "7f, 80", "f4, f5"})
  void theKeyAfterAPrefixIsTheLeastBeyond(String prefix, String after) {
    assertThat(Key.ofBytes(HexFormat.of().parseHex(prefix)).afterPrefix())
        .contains(Key.ofBytes(HexFormat.of().parseHex(after)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "ff", "ffff"})
  void beyondSomePrefixesThereIsNothing(String prefix) {
    assertThat(Key.ofBytes(HexFormat.of().parseHex(prefix)).afterPrefix()).isEmpty();
  }
}
