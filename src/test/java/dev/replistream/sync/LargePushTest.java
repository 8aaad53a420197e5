package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.LogCapture;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/// Pushes that are too large to be read as a whole, from a client that can't send less than all it
/// has.
class LargePushTest {
  private static final int LIMIT = 4_000;
  private static final TestService SERVICE =
      TestService.start(new TestMutators(), "SYNC_MAX_BODY", Integer.toString(LIMIT));
  private static final JsonValue ONE = JsonValue.of(1);

  private final ServiceClient client = SERVICE.client();

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  private static List<JsonValue> increments(Replica replica, int count) {
    List<JsonValue> mutations = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      mutations.add(replica.mutation("increment", JsonValue.of("n")));
    }
    return mutations;
  }

  private static HttpReply send(Replica replica, List<JsonValue> mutations) {
    return replica.send(mutations.toArray(JsonValue[]::new));
  }

  /// What the client does: it sends what it has until that succeeds, and pulls when it is poked.
  private static int pushAll(Replica replica, List<JsonValue> mutations) {
    List<JsonValue> pending = new ArrayList<>(mutations);
    for (int pushes = 1; ; pushes++) {
      HttpReply reply = send(replica, pending);
      replica.pull();
      pending.removeIf(mutation -> mutation.get("id").asLong() <= replica.acknowledged());
      if (reply.status() == 200) {
        assertThat(pending).isEmpty();
        return pushes;
      }
      assertThat(Problems.detail(reply, 413)).contains("send the rest again");
      assertThat(reply.header("Retry-After")).isEqualTo("1");
      assertThat(pushes).isLessThan(100);
    }
  }

  @Test
  void ofAPushBeyondTheLimitIsAppliedWhatComesBeforeItAndThenTheRest() {
    Replica replica = Replica.of(client, "alice");
    List<JsonValue> mutations = increments(replica, 200);

    assertThat(pushAll(replica, mutations)).isBetween(4, 10);

    assertThat(replica.view()).containsEntry("n", JsonValue.of(200));
    assertThat(replica.acknowledged()).isEqualTo(200);
  }

  /// The limit is one of megabytes, as the default one is. A client that is still sending when it
  /// is answered may not see the answer, as the rest is not read.
  @Test
  void ofAPushBeyondALargeLimitIsAppliedWhatComesBeforeItToo() {
    int limit = 2 << 20;
    try (TestService service = TestService.start("SYNC_MAX_BODY", Integer.toString(limit))) {
      Replica replica = Replica.of(service.client(), "anna");
      List<JsonValue> mutations = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        mutations.add(replica.put("key" + i, JsonValue.of("v".repeat(limit / 4))));
      }

      try {
        Problems.detail(send(replica, mutations), 413);
      } catch (UncheckedIOException _) {
        // it was sending
      }
      replica.pull();

      assertThat(replica.acknowledged()).isEqualTo(3);
    }
  }

  @Test
  void thePusherIsPokedForWhatWasApplied() {
    Replica replica = Replica.of(client, "paul");
    try (StreamClient stream = client.connected("paul")) {
      Problems.detail(send(replica, increments(replica, 200)), 413);
      stream.expect("sync");
    }
  }

  @Test
  void whatWasAppliedBeforeIsNotAppliedAgainAndIsNoSuccessEither() {
    Replica replica = Replica.of(client, "dora");
    List<JsonValue> mutations = increments(replica, 200);

    Problems.detail(send(replica, mutations), 413);
    replica.pull();
    long first = replica.acknowledged();
    Problems.detail(send(replica, mutations), 413);
    replica.pull();

    assertThat(replica.acknowledged()).isEqualTo(first).isPositive();
    assertThat(replica.view()).containsEntry("n", JsonValue.of(first));
  }

  @Test
  void aPushInChunksIsReadUpToTheLimitToo() {
    Replica replica = Replica.of(client, "carl");
    String body = replica.pushBody(increments(replica, 200)).toJson();
    HttpRequest request =
        HttpRequest.api("POST", "/push")
            .by(client.token("carl"))
            .with("Transfer-Encoding", "chunked");

    try (HttpConnection connection = client.connect()) {
      connection.send(request.toBytes());
      connection.send(Integer.toHexString(body.length()) + "\r\n" + body + "\r\n0\r\n\r\n");
      Problems.detail(connection.reply(), 413);
    }
    replica.pull();

    assertThat(replica.acknowledged()).isPositive();
  }

  @Test
  void aMutationThatIsLargerThanTheLimitFailsAloneAndIsCounted() {
    Replica replica = Replica.of(client, "lara");
    List<JsonValue> mutations = new ArrayList<>(increments(replica, 3));
    mutations.add(replica.put("large", JsonValue.of("v".repeat(5 * LIMIT))));
    mutations.addAll(increments(replica, 3));
    double failedBefore = failed();

    try (LogCapture log = new LogCapture()) {
      pushAll(replica, mutations);

      assertThat(log.lines("mutation-failed"))
          .singleElement()
          .asString()
          .contains("name=\"put\"", "larger than the limit");
    }

    assertThat(replica.view()).containsOnlyKeys("n").containsEntry("n", JsonValue.of(6));
    assertThat(replica.acknowledged()).isEqualTo(7);
    assertThat(failed()).isEqualTo(failedBefore + 1);
  }

  private double failed() {
    return client.metrics().getOrDefault("replistream_mutations_total{outcome=\"failed\"}", 0.0);
  }

  @Test
  void aMutationThatIsLargerThanWhatIsSkippedIsRefusedAndNotAcknowledged() {
    Replica replica = Replica.of(client, "mona");

    HttpReply reply = send(replica, List.of(replica.put("a", JsonValue.of("v".repeat(9 * LIMIT)))));

    assertThat(Problems.detail(reply, 413)).contains(LIMIT + " bytes");
    replica.pull();
    assertThat(replica.acknowledged()).isZero();
  }

  @Test
  void aMutationThatNestsTooDeepOrHasALongNameFailsAlone() {
    Replica replica = Replica.of(client, "nina");
    JsonValue deep = JsonValue.parse("[".repeat(400) + "]".repeat(400));
    JsonValue args = JsonValue.object().with("key", "deep").with("value", deep).build();
    List<JsonValue> mutations =
        List.of(
            replica.mutation("put", args),
            replica.mutation("x".repeat(129), JsonValue.ofNull()),
            replica.mutation("", JsonValue.ofNull()),
            replica.put("a", ONE));
    String body =
        replica
            .pushBody(mutations)
            .toJson()
            .replace("[".repeat(400), "[".repeat(700))
            .replace("]".repeat(400), "]".repeat(700));

    try (LogCapture log = new LogCapture()) {
      HttpReply reply =
          client.send(HttpRequest.api("POST", "/push").by(client.token("nina")).with(body));

      assertThat(reply.status()).isEqualTo(200);
      assertThat(log.lines("mutation-failed"))
          .extracting(line -> line.substring(line.indexOf(" reason=")))
          .containsExactly(
              " reason=\"its arguments nest too deep\"",
              " reason=\"its name is too long\"",
              " reason=\"no such mutator\"");
    }
    replica.pull();
    assertThat(replica.view()).containsOnlyKeys("a");
    assertThat(replica.acknowledged()).isEqualTo(4);
  }
}
