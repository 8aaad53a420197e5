package dev.replistream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The rules of WHATWG HTML, section "Server-sent events", one by one and cut anywhere.
final class SseParserTest {
  private static final int HISTORIES = 500;

  private final List<ServerSentEvent> events = new ArrayList<>();
  private final SseParser parser = new SseParser("", events::add);

  private List<String> dataOf(String stream) throws IOException {
    feed(stream);
    return events.stream().map(ServerSentEvent::data).toList();
  }

  private void feed(String stream) throws IOException {
    byte[] bytes = stream.getBytes(StandardCharsets.UTF_8);
    parser.feed(bytes, 0, bytes.length);
  }

  @Test
  void linesOfDataAreJoinedByLineFeeds() throws IOException {
    assertThat(dataOf("data: YHOO\ndata: +2\ndata: 10\n\n")).containsExactly("YHOO\n+2\n10");
  }

  @Test
  void oneSpaceAfterTheColonIsLeftOutAndNoMore() throws IOException {
    assertThat(dataOf("data:a\n\ndata: b\n\ndata:  c\n\n")).containsExactly("a", "b", " c");
  }

  @Test
  void emptyDataIsAnEventAndNoDataIsNone() throws IOException {
    assertThat(dataOf("data\n\ndata\ndata\n\nevent: x\n\ndata:")).containsExactly("", "\n");
  }

  @Test
  void anEventWithoutItsEmptyLineIsDropped() throws IOException {
    assertThat(dataOf("id: 1\ndata: half\n")).isEmpty();
    assertThat(parser.lastEventId()).isEmpty();
  }

  @Test
  void commentsAndUnknownFieldsAreIgnored() throws IOException {
    assertThat(dataOf(": test\n:\nfoo: bar\nDATA: x\n data: y\ndata: z\n\n")).containsExactly("z");
  }

  @Test
  void oneByteOrderMarkAtTheStartIsLeftOut() throws IOException {
    assertThat(dataOf("\uFEFFdata: a\n\n\uFEFFdata: b\n\ndata: \uFEFFc\n\n"))
        .containsExactly("a", "\uFEFFc");
  }

  @ParameterizedTest
  @ValueSource(strings = {"\n", "\r", "\r\n"})
  void everyLineEndIsOne(String end) throws IOException {
    assertThat(dataOf("data: a%1$sdata: b%1$s%1$sdata: c%1$s%1$s".formatted(end)))
        .containsExactly("a\nb", "c");
  }

  @Test
  void aCarriageReturnDispatchesWithoutWaitingForTheLineFeed() throws IOException {
    assertThat(dataOf("data: a\r\n\r")).containsExactly("a");
    assertThat(dataOf("\ndata: b\r\n\r\n")).containsExactly("a", "b");
  }

  @Test
  void theTypeIsMessageUnlessTheEventSaysOtherwise() throws IOException {
    feed("event: add\ndata: 1\n\ndata: 2\n\nevent: x\nevent:\ndata: 3\n\n");
    assertThat(events)
        .extracting(ServerSentEvent::type)
        .containsExactly("add", "message", "message");
  }

  @Test
  void anIdStaysUntilAnotherComesAndAnEmptyOneClearsIt() throws IOException {
    feed("id: 1\ndata: a\n\ndata: b\n\n");
    assertThat(parser.lastEventId()).isEqualTo("1");
    assertThat(events)
        .extracting(ServerSentEvent::id)
        .containsExactly(Optional.of("1"), Optional.empty());

    feed("id\ndata: c\n\n");
    assertThat(parser.lastEventId()).isEmpty();
  }

  @Test
  void anIdCountsAlsoWhereNoEventComesWithIt() throws IOException {
    feed("id: 7\n\n");
    assertThat(events).isEmpty();
    assertThat(parser.lastEventId()).isEqualTo("7");
  }

  @Test
  void anIdWithNulIsIgnored() throws IOException {
    feed("id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n");
    assertThat(parser.lastEventId()).isEqualTo("1");
  }

  @Test
  void aNewStreamBeginsWithTheIdOfTheOldOne() {
    assertThat(new SseParser("old-1", events::add).lastEventId()).isEqualTo("old-1");
  }

  @Test
  void retryCountsAtOnceAndWithoutAnEvent() throws IOException {
    feed("retry: 1500\n");
    assertThat(parser.reconnectionTime()).contains(Duration.ofMillis(1500));
  }

  @Test
  void anEventKnowsTheRetryThatItGave() throws IOException {
    feed("retry: 10\ndata: a\n\ndata: b\n\n");
    assertThat(events)
        .extracting(ServerSentEvent::retry)
        .containsExactly(Optional.of(Duration.ofMillis(10)), Optional.empty());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-1", "1.5", "2s", " 3", "+4", "\u0665", "0x6"})
  void aRetryOfAnythingButDigitsIsIgnored(String value) throws IOException {
    feed("retry: 9\nretry: " + value + "\n\n");
    assertThat(parser.reconnectionTime()).contains(Duration.ofMillis(9));
  }

  @Test
  void aRetryMayHaveAnyNumberOfDigits() throws IOException {
    feed("retry: 0000000000000000000000012\n");
    assertThat(parser.reconnectionTime()).contains(Duration.ofMillis(12));
    feed("retry: 99999999999999999999999999\n");
    assertThat(parser.reconnectionTime()).contains(Duration.ofMillis(Long.MAX_VALUE));
  }

  @Test
  void bytesThatAreNotUtf8BecomeReplacementCharacters() throws IOException {
    byte[] stream = {'d', 'a', 't', 'a', ':', (byte) 0xe2, (byte) 0x82, '\n', '\n'};
    parser.feed(stream, 0, stream.length);
    assertThat(events).extracting(ServerSentEvent::data).containsExactly("\uFFFD");
  }

  @Test
  void anEndlessLineIsRefused() throws IOException {
    byte[] much = new byte[SseParser.MAX_EVENT_BYTES];
    parser.feed(much, 0, much.length);
    assertThatThrownBy(() -> parser.feed(new byte[] {1}, 0, 1)).isInstanceOf(IOException.class);
  }

  @Test
  void endlessDataIsRefused() {
    String line = "data: " + "x".repeat(100_000) + "\n";
    assertThatThrownBy(() -> feed(line.repeat(11))).isInstanceOf(IOException.class);
  }

  @Test
  void commentsWithoutEndAreNoEvent() throws IOException {
    feed((": " + "x".repeat(100_000) + "\n").repeat(20));
    assertThat(dataOf("data: a\n\n")).containsExactly("a");
  }

  @Test
  void whatWasWrittenIsReadHoweverItIsCut() throws IOException {
    for (int seed = 0; seed < HISTORIES; seed++) {
      Random random = new Random(seed);
      RandomStream stream = RandomStream.of(random);
      List<ServerSentEvent> read = new ArrayList<>();
      SseParser cut = new SseParser("", read::add);
      feedCut(cut, stream.bytes(), random);
      assertThat(read).as("seed %d", seed).isEqualTo(stream.events());
      assertThat(cut.lastEventId()).as("seed %d", seed).isEqualTo(stream.lastEventId());
    }
  }

  @Test
  void anyBytesMeanTheSameHoweverTheyAreCut() throws IOException {
    byte[][] words = {
      bytes("data"), bytes("id"), bytes("retry"), bytes("event"), bytes(":"), bytes(" "),
      bytes("\r"), bytes("\n"), bytes("\r\n"), bytes("\uFEFF"), bytes("\0"), bytes("7"),
      bytes("€"), bytes("😀"), {(byte) 0xff}, {(byte) 0xf0, (byte) 0x9f}
    };
    for (int seed = 0; seed < HISTORIES; seed++) {
      Random random = new Random(seed);
      ByteArrayOutputStream noise = new ByteArrayOutputStream();
      for (int i = 0; i < 200; i++) {
        noise.write(words[random.nextInt(words.length)]);
      }
      List<ServerSentEvent> atOnce = new ArrayList<>();
      List<ServerSentEvent> inParts = new ArrayList<>();
      SseParser whole = new SseParser("", atOnce::add);
      SseParser cut = new SseParser("", inParts::add);
      whole.feed(noise.toByteArray(), 0, noise.size());
      feedCut(cut, noise.toByteArray(), random);
      assertThat(inParts).as("seed %d", seed).isEqualTo(atOnce);
      assertThat(cut.lastEventId()).as("seed %d", seed).isEqualTo(whole.lastEventId());
      assertThat(cut.reconnectionTime()).as("seed %d", seed).isEqualTo(whole.reconnectionTime());
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static void feedCut(SseParser parser, byte[] bytes, Random random) throws IOException {
    int offset = 0;
    while (offset < bytes.length) {
      int length = Math.min(bytes.length - offset, random.nextInt(5)); // 0 is a cut as well
      parser.feed(bytes, offset, length);
      offset += length;
    }
  }
}
