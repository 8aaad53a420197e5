package dev.replistream.stream;

import static dev.replistream.WebSocketClient.BINARY;
import static dev.replistream.WebSocketClient.CLOSE;
import static dev.replistream.WebSocketClient.CONTINUATION;
import static dev.replistream.WebSocketClient.PING;
import static dev.replistream.WebSocketClient.PONG;
import static dev.replistream.WebSocketClient.TEXT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import dev.replistream.Eventually;
import dev.replistream.ServiceClient;
import dev.replistream.TestService;
import dev.replistream.WebSocketClient;
import java.io.ByteArrayOutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What a client may send over a WebSocket, and with which code it is closed when it sends
/// something else (RFC 6455).
class WebSocketRulesTest {
  private static final Duration SOON = Duration.ofSeconds(2);
  private static final int FINAL = 0x80;
  private static final TestService SERVICE = TestService.start();

  private final ServiceClient client = SERVICE.client();

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  private static byte[] hex(String digits) {
    return HexFormat.of().parseHex(digits.replace(" ", ""));
  }

  private static byte[] frame(int kind, String hex) {
    return WebSocketClient.frame(kind, hex(hex));
  }

  private static byte[] frames(byte[]... frames) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] each : frames) {
      all.writeBytes(each);
    }
    return all.toByteArray();
  }

  private static byte[] closeFrame(int code) {
    return WebSocketClient.frame(
        FINAL | CLOSE, ByteBuffer.allocate(2).putShort((short) code).array());
  }

  private double closed(String reason) {
    return client
        .metrics()
        .getOrDefault("replistream_connections_closed_total{reason=\"" + reason + "\"}", -1.0);
  }

  static Stream<Arguments> brokenRules() {
    byte[] kilobyte = new byte[1024];
    return Stream.of(
        argumentSet("a frame without a mask", hex("81 02 68 69"), 1002),
        argumentSet("a ping without a mask", hex("89 00"), 1002),
        argumentSet("the first reserved bit", frame(FINAL | 0x40 | TEXT, "68"), 1002),
        argumentSet("the second reserved bit", frame(FINAL | 0x20 | PING, ""), 1002),
        argumentSet("the third reserved bit", frame(FINAL | 0x10 | CLOSE, ""), 1002),
        argumentSet("a reserved opcode", frame(FINAL | 0x3, "68"), 1002),
        argumentSet("another reserved opcode", frame(FINAL | 0x7, ""), 1002),
        argumentSet("a reserved control opcode", frame(FINAL | 0xb, ""), 1002),
        argumentSet("another reserved control opcode", frame(FINAL | 0xf, ""), 1002),
        argumentSet("a ping in fragments", frame(PING, "68"), 1002),
        argumentSet("a close in fragments", frame(CLOSE, "03e8"), 1002),
        argumentSet("a ping of 126 bytes", frame(FINAL | PING, "00".repeat(126)), 1002),
        argumentSet("a pong of 126 bytes", frame(FINAL | PONG, "00".repeat(126)), 1002),
        argumentSet("a ping of 70,000 bytes", frame(FINAL | PING, "00".repeat(70_000)), 1002),
        argumentSet("a continuation of nothing", frame(FINAL | CONTINUATION, "68"), 1002),
        argumentSet(
            "a continuation of what has ended",
            frames(frame(FINAL | TEXT, "68"), frame(CONTINUATION, "68")),
            1002),
        argumentSet(
            "a message within a message",
            frames(frame(TEXT, "68"), frame(FINAL | TEXT, "69")),
            1002),
        argumentSet(
            "a binary message within a message",
            frames(frame(TEXT, "68"), frame(FINAL | BINARY, "69")),
            1002),
        argumentSet("a short length in two bytes", hex("81 fe 007d 00000000"), 1002),
        argumentSet("a short length in eight bytes", hex("81 ff 000000000000ffff"), 1002),
        argumentSet("a length below zero", hex("81 ff 8000000000000000"), 1002),
        argumentSet("a binary message", frame(FINAL | BINARY, "00"), 1003),
        argumentSet("the beginning of a binary message", frame(BINARY, "00"), 1003),
        argumentSet("an empty binary message", frame(FINAL | BINARY, ""), 1003),
        argumentSet("a message of 1,025 bytes", frame(FINAL | TEXT, "61".repeat(1025)), 1009),
        argumentSet("one of 2^63 - 1, of which nothing comes", hex("81 ff 7fffffffffffffff"), 1009),
        argumentSet(
            "1,025 bytes in fragments",
            frames(WebSocketClient.frame(TEXT, kilobyte), frame(FINAL | CONTINUATION, "61")),
            1009),
        argumentSet(
            "1,025 bytes in fragments without an end",
            frames(
                frame(TEXT, "61".repeat(512)),
                frame(CONTINUATION, "61".repeat(512)),
                frame(CONTINUATION, "61")),
            1009),
        argumentSet("a lone continuation byte", frame(FINAL | TEXT, "80"), 1007),
        argumentSet("a character without its end", frame(FINAL | TEXT, "e282"), 1007),
        argumentSet("a character of another encoding", frame(FINAL | TEXT, "e4"), 1007),
        argumentSet("a longer form of a slash", frame(FINAL | TEXT, "c0af"), 1007),
        argumentSet("a longer form in three bytes", frame(FINAL | TEXT, "e09f80"), 1007),
        argumentSet("a longer form in four bytes", frame(FINAL | TEXT, "f08fbfbf"), 1007),
        argumentSet("a surrogate", frame(FINAL | TEXT, "eda080"), 1007),
        argumentSet("beyond U+10FFFF", frame(FINAL | TEXT, "f4908080"), 1007),
        argumentSet("a byte that is in no UTF-8", frame(FINAL | TEXT, "f5"), 1007),
        argumentSet(
            "a bad byte in the middle of a message that goes on",
            frames(frame(TEXT, "61ff61")),
            1007),
        argumentSet(
            "a bad second half in the next fragment",
            frames(frame(TEXT, "c3"), frame(FINAL | CONTINUATION, "28")),
            1007),
        argumentSet("a close with one byte", frame(FINAL | CLOSE, "03"), 1002),
        argumentSet("a reason that is not UTF-8", frame(FINAL | CLOSE, "03e8 ff"), 1007),
        argumentSet("a reason without its end", frame(FINAL | CLOSE, "03e8 e282"), 1007),
        argumentSet("a close with 126 bytes", frame(FINAL | CLOSE, "03e8".repeat(63)), 1002));
  }

  @ParameterizedTest
  @MethodSource("brokenRules")
  void whoBreaksARuleIsClosedWithItsCode(byte[] bytes, int code) {
    double before = closed("protocol-error");
    try (WebSocketClient socket = client.connectedWebSocket("rules")) {
      socket.send(bytes);

      assertThat(socket.expectClose(code)).isEmpty();
      Eventually.holdsWithin(SOON, "gone", () -> client.connections("rules") == 0);
      Eventually.holdsWithin(SOON, "counted", () -> closed("protocol-error") == before + 1);
    }
  }

  @ParameterizedTest
  @MethodSource("brokenRules")
  void inWhateverPiecesItComes(byte[] bytes, int code) {
    try (WebSocketClient socket = client.connectedWebSocket("pieces")) {
      try {
        for (byte each : bytes.length > 2_000 ? new byte[0] : bytes) {
          socket.send(new byte[] {each});
        }
        socket.send(bytes.length > 2_000 ? bytes : new byte[0]);
      } catch (UncheckedIOException _) {
        // closed before it was all sent
      }

      socket.expectClose(code);
    }
  }

  @ParameterizedTest
  @ValueSource(
      ints = {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 32_768, 65_535})
  void aCodeThatNobodyMaySendIsAnError(int code) {
    try (WebSocketClient socket = client.connectedWebSocket("codes")) {
      socket.send(closeFrame(code));

      socket.expectClose(1002);
    }
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000,
        4401, 4999
      })
  void aCloseIsAnsweredWithItsCodeAndTheEnd(int code) {
    double before = closed("client-closed");
    try (WebSocketClient socket = client.connectedWebSocket("codes")) {
      socket.sendClose(code, "a reason – with a dash");

      assertThat(socket.expectClose(code)).isEmpty();
      socket.expectEnd(SOON);
      Eventually.holdsWithin(SOON, "gone", () -> client.connections("codes") == 0);
      Eventually.holdsWithin(SOON, "counted", () -> closed("client-closed") == before + 1);
    }
  }

  @Test
  void aCloseWithoutACodeIsAnsweredWithoutOne() {
    try (WebSocketClient socket = client.connectedWebSocket("codes")) {
      socket.send(CLOSE, "");

      socket.expect(CLOSE, "");
      socket.expectEnd(SOON);
    }
  }

  @Test
  void whatFollowsACloseIsNotRead() {
    try (WebSocketClient socket = client.connectedWebSocket("codes")) {
      socket.send(frames(closeFrame(1000), hex("ff ff ff"), frame(FINAL | PING, "61")));

      socket.expectClose(1000);
      socket.expectEnd(SOON);
    }
  }

  @Test
  void whoBrokeARuleIsCutOffEvenIfItNeverCloses() {
    try (TestService service = TestService.start("STREAM_WRITE_TIMEOUT", "PT0.5S");
        WebSocketClient socket = service.client().connectedWebSocket("rules")) {
      socket.send(hex("81 00"));

      socket.expectClose(1002);
      socket.expectEnd(SOON);
    }
  }

  @Test
  void aPingIsAnsweredWithItsPayload() {
    try (WebSocketClient socket = client.connectedWebSocket("pings")) {
      socket.send(PING, "").expect(PONG, "");
      socket.send(PING, "x".repeat(125)).expect(PONG, "x".repeat(125));
      for (int i = 0; i < 100; i++) {
        socket.send(PING, "ping " + i).expect(PONG, "ping " + i);
      }
      socket.send(PONG, "nobody asked").send(PONG, "").send(PING, "last").expect(PONG, "last");
    }
  }

  @Test
  void aPingWithinAMessageIsAnsweredAtOnce() {
    try (WebSocketClient socket = client.connectedWebSocket("pings")) {
      socket.send(frame(TEXT, "61")).send(PING, "between").expect(PONG, "between");
      socket.send(frame(FINAL | CONTINUATION, "62")).send(PING, "after").expect(PONG, "after");
    }
  }

  static Stream<Arguments> goodText() {
    return Stream.of(
        argumentSet("nothing", frame(FINAL | TEXT, "")),
        argumentSet("1,024 bytes", frame(FINAL | TEXT, "61".repeat(1024))),
        argumentSet(
            "1,024 bytes in fragments, some of them empty",
            frames(
                frame(TEXT, "61".repeat(1000)),
                frame(CONTINUATION, ""),
                frame(CONTINUATION, "61".repeat(24)),
                frame(FINAL | CONTINUATION, ""))),
        argumentSet(
            "characters of all lengths",
            WebSocketClient.frame(
                FINAL | TEXT, "aä€😀\u07ff\u0800\ud7ff\uffff".getBytes(StandardCharsets.UTF_8))),
        argumentSet("the last character", frame(FINAL | TEXT, "f48fbfbf f0908080 ee8080")),
        argumentSet(
            "a character in three fragments",
            frames(
                frame(TEXT, "e2"), frame(CONTINUATION, "82"), frame(FINAL | CONTINUATION, "ac"))));
  }

  @ParameterizedTest
  @MethodSource("goodText")
  void textIsDroppedHoweverOftenItComes(byte[] text) {
    try (WebSocketClient socket = client.connectedWebSocket("text")) {
      for (int i = 0; i < 50; i++) {
        socket.send(text);
      }
      socket.send(PING, "still there").expect(PONG, "still there");
      client.poke("text");
      socket.expect("sync");
      assertThat(client.connections("text")).isEqualTo(1);
    }
  }
}
