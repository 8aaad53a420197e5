package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The parser that the tests trust, by the examples and rules of the WHATWG HTML standard, section
/// "Server-sent events".
class EventStreamParserTest {
  private final EventStreamParser parser = new EventStreamParser();

  private List<ServerSentEvent> parse(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return parser.feed(bytes, 0, bytes.length);
  }

  private static ServerSentEvent message(String data, String lastEventId) {
    return new ServerSentEvent("message", data, lastEventId);
  }

  @Test
  void linesOfDataAreJoined() {
    assertThat(parse("data: YHOO\ndata: +2\ndata: 10\n\n"))
        .containsExactly(message("YHOO\n+2\n10", ""));
  }

  @Test
  void anIdHoldsUntilTheNextAndAnEmptyOneResetsIt() {
    String stream =
        """
        : test stream

        data: first event
        id: 1

        data:second event
        id

        data:  third event

        """;

    assertThat(parse(stream))
        .containsExactly(
            message("first event", "1"), message("second event", ""), message(" third event", ""));
  }

  @Test
  void emptyDataIsAnEventAndNoDataIsNone() {
    assertThat(parse("data\n\ndata\ndata\n\ndata:"))
        .containsExactly(message("", ""), message("\n", ""));
  }

  @Test
  void oneSpaceAfterTheColonIsLeftOut() {
    assertThat(parse("data:test\n\ndata: test\n\n"))
        .containsExactly(message("test", ""), message("test", ""));
  }

  @Test
  void anEventWithoutItsEmptyLineIsNone() {
    assertThat(parse("data: sync\n")).isEmpty();
  }

  @Test
  void anyLineEndAndAByteOrderMarkWillDo() {
    assertThat(parse("\uFEFFdata: a\r\n\r\ndata: b\r\rdata: c\n\n"))
        .containsExactly(message("a", ""), message("b", ""), message("c", ""));
  }

  @Test
  void aTypeHoldsForOneEvent() {
    assertThat(parse("event: add\ndata: 1\n\ndata: 2\n\n"))
        .containsExactly(new ServerSentEvent("add", "1", ""), message("2", ""));
  }

  @Test
  void anIdWithNulIsIgnored() {
    assertThat(parse("id: 1\n\nid: 2\0\ndata: x\n\n")).containsExactly(message("x", "1"));
  }

  @Test
  void aTimeToReconnectIsDigitsOnly() {
    parse("retry: 2000\n\nretry: -1\n\nretry: 3e3\n\n");

    assertThat(parser.reconnectionMillis()).isEqualTo(2_000);
  }
}
