package dev.replistream.rules;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.api.JsonValue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MergePatchTest {
  private static String merge(String target, String patch) {
    return MergePatch.apply(JsonValue.parse(target), JsonValue.parse(patch)).toJson();
  }

  /// RFC 7396, appendix A.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"a\":\"b\"}|{\"a\":\"c\"}|{\"a\":\"c\"}",
        "{\"a\":\"b\"}|{\"b\":\"c\"}|{\"a\":\"b\",\"b\":\"c\"}",
        "{\"a\":\"b\"}|{\"a\":null}|{}",
        "{\"a\":\"b\",\"b\":\"c\"}|{\"a\":null}|{\"b\":\"c\"}",
        "{\"a\":[\"b\"]}|{\"a\":\"c\"}|{\"a\":\"c\"}",
        "{\"a\":\"c\"}|{\"a\":[\"b\"]}|{\"a\":[\"b\"]}",
        "{\"a\":{\"b\":\"c\"}}|{\"a\":{\"b\":\"d\",\"c\":null}}|{\"a\":{\"b\":\"d\"}}",
        "{\"a\":[{\"b\":\"c\"}]}|{\"a\":[1]}|{\"a\":[1]}",
        "[\"a\",\"b\"]|[\"c\",\"d\"]|[\"c\",\"d\"]",
        "{\"a\":\"b\"}|[\"c\"]|[\"c\"]",
        "{\"a\":\"foo\"}|null|null",
        "{\"a\":\"foo\"}|\"bar\"|\"bar\"",
        "{\"e\":null}|{\"a\":1}|{\"e\":null,\"a\":1}",
        "[1,2]|{\"a\":\"b\",\"c\":null}|{\"a\":\"b\"}",
        "{}|{\"a\":{\"bb\":{\"ccc\":null}}}|{\"a\":{\"bb\":{}}}",
      })
  void theExamplesOfTheRfc(String target, String patch, String result) {
    assertThat(merge(target, patch)).isEqualTo(result);
  }

  @Test
  void aChangedMemberKeepsItsPlaceAndItsNumbersTheirText() {
    assertThat(merge("{\"a\":1.0,\"b\":2,\"c\":1e400}", "{\"b\":3.0,\"d\":-0}"))
        .isEqualTo("{\"a\":1.0,\"b\":3.0,\"c\":1e400,\"d\":-0}");
  }

  @Test
  void aPatchAsDeepAsAValueMayBeIsMerged() {
    String deep = "{\"a\":".repeat(511) + "{}" + "}".repeat(511);

    assertThat(merge(deep, deep)).isEqualTo(deep);
  }
}
