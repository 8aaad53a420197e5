package dev.replistream.stream;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.LogCapture;
import dev.replistream.WebSocketClient;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What no network brings about on demand.
class WebSocketSessionTest {
  private final MemoryService service = new MemoryService();
  private final MemoryConnection client = new MemoryConnection();
  private final Connection connection = service.register("alice", Transport.WEBSOCKET);

  @AfterEach
  void close() {
    client.close();
    service.close();
  }

  /// The server's next write, without the two bytes that say what it is.
  private String next(int opcode) {
    byte[] frame = client.nextWrite();
    assertThat(frame[0]).isEqualTo((byte) (0x80 | opcode));
    assertThat(frame[1]).isEqualTo((byte) (frame.length - 2));
    return new String(frame, 2, frame.length - 2, ISO_8859_1);
  }

  private void connect() {
    service.serveWebSocket(connection, client);
    assertThat(next(WebSocketClient.TEXT)).isEqualTo("connected");
  }

  private void ping(int number) {
    client.send(
        WebSocketClient.frame(
            0x80 | WebSocketClient.PING, Integer.toString(number).getBytes(ISO_8859_1)));
  }

  @Test
  void ofAFloodOfPingsWhileAWriteBlocksTheNewestIsAnsweredAndNothingPilesUp() {
    connect();
    client.holdWrites();
    for (int i = 1; i <= 10_000; i++) {
      ping(i);
    }
    Eventually.holds("all were read", client::isReadToItsEnd);
    assertThat(connection)
        .extracting("queue")
        .asInstanceOf(InstanceOfAssertFactories.COLLECTION)
        .hasSizeLessThan(2);
    client.releaseWrites();

    List<String> pongs = new ArrayList<>();
    do {
      pongs.add(next(WebSocketClient.PONG));
    } while (!pongs.getLast().equals("10000"));
    assertThat(pongs).hasSizeLessThan(4);
    service.poke("alice");
    assertThat(next(WebSocketClient.TEXT)).isEqualTo("sync");
    ping(0);
    assertThat(next(WebSocketClient.PONG)).isEqualTo("0");
  }

  @Test
  void aFloodOfPingsHoldsNoSyncUp() {
    connect();
    client.holdWrites();
    ping(1);
    Eventually.holds("it was read", client::isReadToItsEnd);
    service.poke("alice");
    ping(2);
    Eventually.holds("it was read", client::isReadToItsEnd);
    client.releaseWrites();

    List<String> writes = new ArrayList<>();
    while (!writes.contains("\u0081\u0004sync")) {
      writes.add(new String(client.nextWrite(), ISO_8859_1));
    }
    assertThat(writes).hasSizeLessThan(4);
  }

  @Test
  void whatIsPendingAtTheDrainGoesOutBeforeTheClose() {
    connection.end(CloseReason.DRAINED);
    service.poke("alice");

    connect();

    assertThat(next(WebSocketClient.TEXT)).isEqualTo("sync");
    assertThat(next(WebSocketClient.CLOSE)).matches("(?s)\u0003\u00e9retry: \\d+"); // 1001
  }

  @Test
  void aPingThatComesBeforeTheFirstEventIsAnsweredAfterIt() {
    ping(7);

    connect();

    assertThat(next(WebSocketClient.PONG)).isEqualTo("7");
  }

  @ParameterizedTest
  @CsvSource({
    "Connection reset, client-closed",
    "Connection timed out, vanished",
    "No route to host, vanished",
  })
  void anEndWithoutACloseIsNamedByWhatTheNetworkSays(String message, String reason) {
    try (LogCapture log = new LogCapture()) {
      MemoryConnection other = new MemoryConnection(MemoryConnection.socketFailure(message));
      service.serveWebSocket(connection, other);
      other.nextWrite();

      other.close();

      Eventually.holds("gone", () -> log.lines("disconnected").size() == 1);
      assertThat(log.lines("disconnected").getFirst())
          .contains("transport=websocket reason=" + reason + " ");
      assertThat(log.warnings()).isEmpty();
    }
  }
}
