package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.api.JsonValue;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class CookieOrderTest {
  @ParameterizedTest
  @CsvSource({
    "null, 1",
    "0, 1",
    "41, 42",
    "1.5, 2",
    "-3, 1",
    "-1e+300, 1",
    "9007199254740990, 9007199254740991",
    "9007199254740991, '\"z/0000000000000001\"'",
    "1e+300, '\"z/0000000000000001\"'",
    "1e400, '\"z/0000000000000001\"'",
    "'\"\"', '\"/0000000000000001\"'",
    "'\"10\"', '\"10/0000000000000001\"'",
    "'\"10/0000000000000009\"', '\"10/0000000000000010\"'",
    "'\"a/9999999999999998\"', '\"a/9999999999999999\"'",
    "'\"a/9999999999999999\"', '\"a/9999999999999999/0000000000000001\"'",
    "'\"a/٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠\"', '\"a/٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠/0000000000000001\"'",
    "'{\"order\":7,\"id\":1}', 8",
    "'{\"order\":\"x\"}', '\"x/0000000000000001\"'",
    "'{\"order\":null}', 1",
    "'{\"order\":{\"order\":5}}', 1",
    "{}, 1",
    "true, 1",
    "'[5]', 1",
  })
  void theNextOrderComesAfterWhatAClientHolds(String cookie, String next) {
    assertThat(CookieOrder.of(JsonValue.parse(cookie)).next().toJson().toJson()).isEqualTo(next);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "null",
        "0",
        "1.5",
        "9007199254740980",
        "9007199254740992",
        "1e+300",
        "\"\"",
        "\"9\"",
        "\"abc\"",
        "\"z\"",
        "\"\uFFFF\"",
        "\"\\ud800\"",
        "\"a/9999999999999990\"",
      })
  void eachOrderComesAfterTheOneBeforeForTheClientToo(String cookie) {
    JsonValue held = JsonValue.parse(cookie);
    for (int i = 0; i < 25; i++) {
      JsonValue next = CookieOrder.of(held).next().toJson();

      assertThat(JavaScript.compareCookies(next, held)).as("%s after %s", next, held).isPositive();
      held = next;
    }
  }

  private static final int LONG = 900_000;

  static List<String> longOrders() {
    return List.of(
        "a".repeat(LONG),
        "\ud83d\ude00".repeat(LONG),
        "\uFFFF".repeat(300) + "\uFFFE".repeat(LONG),
        "/0000000000000001".repeat(LONG / 17),
        "z".repeat(CookieOrder.Text.MAX_LENGTH + 1));
  }

  @ParameterizedTest
  @MethodSource("longOrders")
  void aLongOrderIsFollowedByAShortOneForTheClientToo(String order) {
    JsonValue held = JsonValue.of(order);
    for (int i = 0; i < 3; i++) {
      JsonValue next = CookieOrder.of(held).next().toJson();

      assertThat(next.asText()).hasSizeLessThan(CookieOrder.Text.MAX_LENGTH + 20);
      assertThat(JavaScript.compareCookies(next, held)).isPositive();
      held = next;
    }
  }

  @Test
  void anOrderThatNoShortOneFollowsIsAnsweredShortAllTheSame() {
    JsonValue held = JsonValue.of("\uFFFF".repeat(LONG / 3));

    assertThat(CookieOrder.of(held).next().toJson().asText())
        .hasSizeLessThan(CookieOrder.Text.MAX_LENGTH + 20);
  }
}
