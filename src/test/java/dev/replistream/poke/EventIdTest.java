package dev.replistream.poke;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventIdTest {
  @Test
  void whatWasWrittenIsReadAgain() {
    EventId id = new EventId("7f3a5c01", 999_999_999_999_999_999L);

    assertThat(id).hasToString("7f3a5c01-999999999999999999");
    assertThat(EventId.parse(id.toString())).contains(id);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-",
        "a",
        "a-",
        "-1",
        "a-b",
        "a--1",
        "a-1-1",
        "A-1",
        "a-1 ",
        " a-1",
        "a-1\n",
        "a-+1",
        "a-٣",
        "a-1000000000000000000",
        "0123456789abcdef0123456789abcdef0-1",
      })
  void anythingElseIsNoId(String text) {
    assertThat(EventId.parse(text)).isEmpty();
  }
}
