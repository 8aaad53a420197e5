package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpRequest;
import dev.replistream.ServerSentEvent;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a client that comes back is told: exactly one `sync` after a gap, and none without one.
class ResumeTest {
  private static final TestService SERVICE = TestService.start();

  private final ServiceClient client = SERVICE.client();
  private String epoch = "";
  private long first;

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  @BeforeEach
  void alicePokesTwiceAndThenBob() {
    client.poke("alice");
    client.poke("alice");
    try (StreamClient stream = client.open(client.stream("alice"))) {
      ServerSentEvent connected = stream.expect("connected");
      epoch = connected.lastEventId().replaceAll("-.*", "");
      first = connected.stamp() - 1;
    }
    client.poke("bob");
  }

  private void expectNoSync(StreamClient stream) {
    assertThat(stream.expect("connected").lastEventId()).isEqualTo(epoch + "-" + (first + 1));
    client.poke("alice");
    assertThat(stream.expect("sync").lastEventId()).isEqualTo(epoch + "-" + (first + 3));
  }

  private void expectOneSync(StreamClient stream) {
    assertThat(stream.expect("connected").lastEventId()).isNotEqualTo(epoch + "-" + (first + 1));
    assertThat(stream.expect("sync").lastEventId()).isEqualTo(epoch + "-" + (first + 1));
    client.poke("alice");
    assertThat(stream.expect("sync").lastEventId()).isEqualTo(epoch + "-" + (first + 3));
  }

  @Test
  void whoComesForTheFirstTimeIsToldNothing() {
    try (StreamClient stream = client.open(client.stream("alice"))) {
      expectNoSync(stream);
    }
  }

  @Test
  void anEmptyIdIsNone() {
    try (StreamClient stream = client.open(client.stream("alice").with("Last-Event-ID", ""))) {
      expectNoSync(stream);
    }
  }

  @Test
  void whoSawTheLatestIsToldNothing() {
    String id = epoch + "-" + (first + 1);
    try (StreamClient stream = client.open(client.stream("alice").with("Last-Event-ID", id))) {
      expectNoSync(stream);
    }
  }

  @Test
  void whoSawAnOlderOneIsToldOnce() {
    String id = epoch + "-" + first;
    try (StreamClient stream = client.open(client.stream("alice").with("last-event-id", id))) {
      expectOneSync(stream);
    }
  }

  @Test
  void whoIsToldMayLoseTheConnectionOnceMoreBeforeThat() {
    String id = epoch + "-" + first;
    String connected;
    try (StreamClient stream = client.open(client.stream("alice").with("Last-Event-ID", id))) {
      connected = stream.expect("connected").lastEventId();
    }
    try (StreamClient stream =
        client.open(client.stream("alice").with("Last-Event-ID", connected))) {
      expectOneSync(stream);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"EPOCH-999999", "7f3a-0", "garbage"})
  void soMayWhoCameWithAnIdThatIsNoneOfOurs(String pattern) {
    String id = pattern.replace("EPOCH", epoch);
    for (String user : new String[] {"alice", "nobody has poked"}) {
      String connected;
      try (StreamClient stream = client.open(client.stream(user).with("Last-Event-ID", id))) {
        connected = stream.expect("connected").lastEventId();
      }
      try (StreamClient stream = client.resumed(user, connected)) {
        stream.expect("sync");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "EPOCH-0",
        "EPOCH-00",
        "EPOCH-999999",
        "EPOCH-999999999999999999999999",
        "EPOCH--1",
        "EPOCH-",
        "EPOCH",
        "EPOCHx-1",
        "0-1",
        "1",
        "-",
        "garbage",
        "id: x",
        "\u00e9",
      })
  void anIdThatIsNoneOfOursMeansThatAnythingMayHaveBeenMissed(String pattern) {
    String id = pattern.replace("EPOCH", epoch);
    try (StreamClient stream = client.open(client.stream("alice").with("Last-Event-ID", id))) {
      expectOneSync(stream);
    }
  }

  @Test
  void anIdOfAnotherCaseIsAnotherId() {
    String id = "X" + epoch.substring(1) + "-" + (first + 1);
    try (StreamClient stream = client.open(client.stream("alice").with("Last-Event-ID", id))) {
      expectOneSync(stream);
    }
  }

  @Test
  void aLongIdIsLikeAnyUnknownOne() {
    String id = "7".repeat(8_000);
    try (StreamClient stream = client.open(client.stream("alice").with("Last-Event-ID", id))) {
      expectOneSync(stream);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"garbage", "%00", "a%00-1", "%0Adata:%20x%0A%0A", "EPOCH-0", "EPOCH-9999"})
  void theIdMayComeInTheUrlWhereAPageCanSendNoHeader(String pattern) {
    String ticket = client.ticket("alice");
    String id = pattern.replace("EPOCH", epoch);
    try (StreamClient stream =
        client.open(HttpRequest.api("GET", "/stream?ticket=" + ticket + "&lastEventId=" + id))) {
      expectOneSync(stream);
    }
  }

  @Test
  void theLatestIdInTheUrlIsAsGood() {
    String id = epoch + "-" + (first + 1);
    try (StreamClient stream =
        client.open(
            HttpRequest.api("GET", "/stream?lastEventId=" + id).by(client.token("alice")))) {
      expectNoSync(stream);
    }
  }

  @Test
  void theHeaderOfABrowserThatReconnectsIsNewerThanItsUrl() {
    String old = epoch + "-0";
    String latest = epoch + "-" + (first + 1);
    try (StreamClient stream =
        client.open(
            HttpRequest.api("GET", "/stream?lastEventId=" + old)
                .by(client.token("alice"))
                .with("Last-Event-ID", latest))) {
      expectNoSync(stream);
    }
  }

  @Test
  void aRestartIsAGapForEverybody() {
    String id = epoch + "-" + (first + 1);
    try (TestService other = TestService.start();
        StreamClient stream =
            other.client().open(other.client().stream("alice").with("Last-Event-ID", id))) {
      ServerSentEvent connected = stream.expect("connected");
      ServerSentEvent sync = stream.expect("sync");
      other.client().poke("alice");

      assertThat(connected.lastEventId()).doesNotStartWith(epoch);
      assertThat(sync.stamp()).isZero();
      assertThat(stream.expect("sync").stamp()).isEqualTo(1);
    }
  }

  @Test
  void aPokeThatWasAnsweredAfterAClientReadConnectedReachesIt() {
    for (int i = 0; i < 200; i++) {
      try (StreamClient stream = client.connected("d")) {
        client.poke("d");
        stream.expect("sync");
      }
    }
  }
}
