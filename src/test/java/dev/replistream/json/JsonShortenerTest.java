package dev.replistream.json;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.api.JsonValue;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class JsonShortenerTest {
  private static final int MAX = JsonShortener.MAX_LENGTH;

  /// Passes a text by in parts, and cuts from one of its characters on.
  private static String shorten(String text, int cutFrom, Random random) {
    JsonShortener shortener =
        new JsonShortener(InputStream.nullInputStream(), Integer.MAX_VALUE, () -> false);
    StringBuilder out = new StringBuilder();
    int start = 0;
    while (start < text.length()) {
      boolean isCutting = start >= cutFrom;
      int most = isCutting ? text.length() - start : cutFrom - start;
      int count = 1 + random.nextInt(Math.min(most, 50));
      char[] part = ("--" + text.substring(start, start + count)).toCharArray();
      out.append(part, 2, shortener.shorten(part, 2, count, isCutting));
      start += count;
    }
    return out.toString();
  }

  private static String string(Random random, int length) {
    String[] units = {
      "a", "\u00e9", "\uD83D\uDE00", "\\\"", "\\\\", "\\u00e9", "\\uD83D", "[", "}", ",", ":", " "
    };
    StringBuilder text = new StringBuilder("\"");
    for (int i = 0; i < length; i++) {
      text.append(units[random.nextInt(units.length)]);
    }
    return text.append('"').toString();
  }

  private static String value(Random random, int depth) {
    return switch (random.nextInt(depth == 0 ? 3 : 5)) {
      case 0 -> string(random, random.nextInt(10));
      case 1 -> string(random, random.nextInt(2 * MAX));
      case 2 -> "-12.5e7";
      case 3 -> "[" + value(random, depth - 1) + ", " + value(random, depth - 1) + "]";
      default ->
          "{"
              + string(random, 4)
              + "\n:"
              + value(random, depth - 1)
              + ",\"b\":"
              + value(random, depth - 1)
              + "}";
    };
  }

  /// A value with the contents of its strings left out.
  private static String structure(JsonValue value) {
    return switch (value) {
      case JsonValue.Str _ -> "s";
      case JsonValue.Arr(List<JsonValue> elements) ->
          elements.stream().map(JsonShortenerTest::structure).toList().toString();
      case JsonValue.Obj(Map<String, JsonValue> members) ->
          members.values().stream().map(JsonShortenerTest::structure).toList().toString();
      case JsonValue.Num _, JsonValue.Null _, JsonValue.Bool _ -> value.toJson();
    };
  }

  @Test
  void whatIsCutStaysJsonOfTheSameStructureWhereverItIsCut() {
    for (int seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      String json = value(random, 4);
      String cut = shorten(json, random.nextInt(json.length()), random);

      assertThat(structure(JsonValue.parse(cut)))
          .as("seed %d", seed)
          .isEqualTo(structure(JsonValue.parse(json)));
    }
  }

  @Test
  void longStringsAndNumbersAreCutAndShortOnesAreNot() {
    String longest = "x".repeat(MAX);
    Random random = new Random(1);

    assertThat(shorten("[\"" + longest + "xx\",\"" + longest + "\"]", 0, random))
        .isEqualTo("[\"" + longest + "\",\"" + longest + "\"]");
    assertThat(shorten("[" + "1".repeat(MAX + 9) + ",2]", 0, random))
        .isEqualTo("[" + "1".repeat(MAX) + ",2]");
  }

  @Test
  void nothingIsCutUntilItIsToBe() {
    String json =
        IntStream.range(0, 3 * MAX).mapToObj(_ -> "\\u00e9").reduce("\"", String::concat) + "\"";

    assertThat(shorten(json, json.length(), new Random(1))).isEqualTo(json);
  }
}
