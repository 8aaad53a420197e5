package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpConnection;
import dev.replistream.LogCapture;
import dev.replistream.ServerSentEvent;
import dev.replistream.poke.EventId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What no network brings about on demand.
class SseSessionTest {
  private static final String NOTHING = "nothing";

  private final MemoryService service = new MemoryService();

  @AfterEach
  void close() {
    service.close();
  }

  private static List<String> rest(MemoryConnection client) {
    Eventually.holds("the end", client::hasEnded);
    List<String> events = new ArrayList<>();
    for (String event = next(client, Duration.ofMillis(1));
        !event.equals(NOTHING);
        event = next(client, Duration.ofMillis(1))) {
      events.add(event);
    }
    return events;
  }

  private static String next(MemoryConnection client) {
    return next(client, HttpConnection.PATIENCE);
  }

  private static String next(MemoryConnection client, Duration timeout) {
    ServerSentEvent event = client.poll(timeout);
    return event == null ? NOTHING : event.data() + " " + event.lastEventId();
  }

  @Test
  void aSyncThatIsPendingAtTheDrainGoesOutBeforeTheEnd() {
    MemoryConnection client = new MemoryConnection();
    Connection connection = service.register("alice");
    connection.end(CloseReason.DRAINED);
    service.poke("alice");

    service.serve(connection, null, client);

    assertThat(rest(client)).containsExactly("connected e-1", "sync e-1");
    assertThat(client.reconnectionMillis()).isBetween(2_000L, 8_000L);
  }

  @Test
  void howeverManyPokesComeWhileAWriteBlocksOneSyncTellsOfThemAll() {
    MemoryConnection client = new MemoryConnection();
    service.serve(service.register("alice"), null, client);
    assertThat(next(client)).isEqualTo("connected e-0");

    client.holdWrites();
    for (int i = 0; i < 1_000; i++) {
      assertThat(service.poke("alice")).isEqualTo(1);
    }
    client.releaseWrites();

    String first = next(client);
    assertThat(first.equals("sync e-1000") || next(client).equals("sync e-1000")).isTrue();
    service.poke("alice");
    assertThat(next(client)).isEqualTo("sync e-1001");
    client.close();
  }

  @Test
  void aPokeThatIsDeliveredAfterALaterOneWasSeenDoesNotTurnTheIdsBack() {
    service.poke("alice");
    service.poke("alice");
    MemoryConnection client = new MemoryConnection();
    Connection connection = service.register("alice");
    connection.offer(new SyncEvent(new EventId("e", 1), System.nanoTime()));
    service.serve(connection, null, client);
    assertThat(next(client)).isEqualTo("connected e-2");

    assertThat(next(client)).isEqualTo("sync e-2");

    connection.offer(new SyncEvent(new EventId("e", 2), System.nanoTime()));
    service.poke("alice");
    assertThat(next(client)).isEqualTo("sync e-3");
    client.close();
  }

  @Test
  void aTokenThatExpiredSaysNothingOfComingBack() {
    MemoryConnection client = new MemoryConnection();
    Connection connection = service.register("alice");
    service.serve(connection, null, client);
    assertThat(next(client)).isEqualTo("connected e-0");
    long retryMillis = client.reconnectionMillis();

    connection.end(CloseReason.TOKEN_EXPIRED);

    assertThat(rest(client)).isEmpty();
    assertThat(client.reconnectionMillis()).isEqualTo(retryMillis);
  }

  @Test
  void aTokenThatIsRevokedBetweenItsCheckAndItsRegistrationEndsItsStream() {
    MemoryService strict = new MemoryService(caller -> caller.userId().equals("alice"));
    MemoryConnection client = new MemoryConnection();
    MemoryConnection other = new MemoryConnection();
    Connection connection = strict.register("alice");
    Connection good = strict.register("bob");

    strict.serve(connection, null, client);
    strict.serve(good, null, other);

    assertThat(rest(client)).containsExactly("connected e-0");
    assertThat(connection.reason()).isEqualTo(CloseReason.REVOKED);
    assertThat(next(other)).isEqualTo("connected e-0");
    strict.poke("bob");
    assertThat(next(other)).isEqualTo("sync e-1");
    other.close();
    strict.close();
  }

  @ParameterizedTest
  @CsvSource({
    "Connection reset, client-closed",
    "Socket closed, client-closed",
    "Connection timed out, vanished",
    "Read timed out, vanished",
    "No route to host, vanished",
    "Network is unreachable, vanished",
  })
  void anEndIsNamedByWhatTheNetworkSays(String message, String reason) {
    try (LogCapture log = new LogCapture()) {
      MemoryConnection client = new MemoryConnection(MemoryConnection.socketFailure(message));
      service.serve(service.register("alice"), null, client);
      assertThat(next(client)).isEqualTo("connected e-0");

      client.close();

      Eventually.holds("gone", () -> log.lines("disconnected").size() == 1);
      assertThat(log.lines("disconnected").getFirst()).contains(" reason=" + reason + " ");
      assertThat(log.warnings()).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "Broken pipe, client-closed",
    "Connection timed out, vanished",
  })
  void anEndThatAWriteNoticesFirstIsNamedTheSame(String message, String reason) {
    try (LogCapture log = new LogCapture()) {
      MemoryConnection client = service.open("alice", null);
      assertThat(next(client)).isEqualTo("connected e-0");

      client.failWritesWith(MemoryConnection.socketFailure(message));
      service.poke("alice");

      Eventually.holds("gone", () -> log.lines("disconnected").size() == 1);
      assertThat(log.lines("disconnected").getFirst()).contains(" reason=" + reason + " ");
      assertThat(log.warnings()).isEmpty();
    }
  }

  @Test
  void aBugEndsItsOwnStreamAndStandsInTheLog() {
    try (LogCapture log = new LogCapture();
        MemoryConnection other = service.open("alice", null)) {
      MemoryConnection client = service.open("alice", null);
      assertThat(next(client)).isEqualTo("connected e-0");
      assertThat(next(other)).isEqualTo("connected e-0");

      client.failWritesWith(new IllegalStateException("a bug"));
      service.poke("alice");

      Eventually.holds("gone", () -> log.lines("disconnected").size() == 1);
      assertThat(log.lines("disconnected").getFirst()).contains(" reason=failed ");
      assertThat(log.warnings()).containsExactly("event=error where=stream");
      assertThat(next(other)).isEqualTo("sync e-1");
    }
  }

  @Test
  void theFirstReasonIsTheOneThatCounts() {
    Connection connection = service.register("alice");

    assertThat(connection.reason()).isNull();
    assertThat(connection.end(CloseReason.TOKEN_EXPIRED)).isTrue();
    assertThat(connection.end(CloseReason.DRAINED)).isFalse();
    assertThat(connection.reason()).isEqualTo(CloseReason.TOKEN_EXPIRED);
    service.serve(connection, null, new MemoryConnection());
  }
}
