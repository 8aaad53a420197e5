package dev.replistream.backend;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.ServerSentEvent;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import dev.replistream.auth.Caller;
import dev.replistream.sync.Replica;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The journal of a service that keeps one, over raw HTTP.
abstract class JournalRules {
  private static final AtomicInteger TESTS = new AtomicInteger();
  private static final JsonValue ONE = JsonValue.of(1);

  private final ServiceClient client;
  private final String alice = "alice-j" + TESTS.incrementAndGet();

  JournalRules(TestService service) {
    client = service.client();
  }

  private String backend() {
    return client.token("backend", Caller.WRITE_SCOPE);
  }

  private HttpReply get(String query) {
    return client.send(HttpRequest.api("GET", "/journal" + query).by(backend()));
  }

  private static List<JsonValue> lines(HttpReply reply) {
    assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
    assertThat(reply.header("Content-Type")).isEqualTo("application/x-ndjson");
    return reply.body().lines().map(JsonValue::parse).toList();
  }

  private static long seq(JsonValue line) {
    return line.get("seq").asLong();
  }

  /// Where the journal ends now.
  private long end() {
    long last = 0;
    List<JsonValue> page = lines(get("?limit=10000"));
    while (!page.isEmpty()) {
      last = seq(page.getLast());
      page = lines(get("?limit=10000&after=" + last));
    }
    return last;
  }

  @Test
  void aLongAnswerIsSentWhileItIsRead() {
    long before = end();
    Replica replica = Replica.of(client, alice);
    JsonValue value = JsonValue.of("x".repeat(50_000));
    replica.push(replica.put("a", value), replica.put("b", value), replica.put("c", value));

    HttpReply reply = get("?after=" + before);

    assertThat(reply.header("Transfer-Encoding")).isEqualTo("chunked");
    assertThat(
            lines(reply).stream()
                .filter(line -> line.get("userId").equals(JsonValue.of(alice)))
                .map(line -> line.get("args").get("key")))
        .containsExactly(JsonValue.of("a"), JsonValue.of("b"), JsonValue.of("c"));
  }

  @Test
  void halvesOfSurrogatePairsAndWhatNestsDeepStandInItAsTheyCame() {
    long before = end();
    String value = "[".repeat(500) + "\"half \\uD800 of a pair\"" + "]".repeat(500);
    Replica replica = Replica.of(client, alice);
    replica.push(replica.put("a", JsonValue.parse(value)));
    HttpReply transaction =
        client.send(
            HttpRequest.api("POST", "/transactions")
                .by(backend())
                .with(
                    "{\"ops\":[{\"op\":\"put\",\"user\":\"%s\",\"key\":\"b\",\"value\":%s}]}"
                        .formatted(alice, value)));
    assertThat(transaction.status()).as(transaction.toString()).isEqualTo(200);

    HttpReply journal = get("?after=" + before);

    assertThat(journal.body().lines())
        .hasSize(2)
        .allSatisfy(line -> assertThat(line).contains("\"value\":" + value));
  }

  @Test
  void whatIsAppliedRejectedAndWrittenStandsInIt() {
    long before = end();
    Replica replica = Replica.of(client, alice);
    replica.push(
        replica.put("a", ONE),
        replica.mutation("refuse", JsonValue.ofNull()),
        replica.mutation("fail", ONE),
        replica.put("none-" + alice, "b", ONE));
    client.send(
        HttpRequest.api("POST", "/mutations")
            .by(client.token(alice))
            .with("{\"name\":\"count\",\"args\":{\"key\":\"c\"}}"));
    client.send(HttpRequest.api("PUT", "/users/" + alice + "/entries/d").by(backend()).with("2"));
    client.send(
        HttpRequest.api("POST", "/transactions")
            .by(backend())
            .with(
                "{\"ops\":[{\"op\":\"createRoom\",\"room\":\"r-%1$s\",\"owner\":\"%1$s\"}]}"
                    .formatted(alice)));

    List<JsonValue> lines = lines(get("?after=" + before));

    assertThat(lines.stream().map(line -> line.get("outcome").asText()))
        .containsExactly(
            "applied", "rejected", "failed", "rejected", "applied", "applied", "applied");
    JsonValue first = lines.getFirst();
    assertThat(first.get("userId").asText()).isEqualTo(alice);
    assertThat(first.get("clientID").asText()).isEqualTo(replica.clientId);
    assertThat(first.get("id").asLong()).isOne();
    assertThat(first.get("name").asText()).isEqualTo("put");
    assertThat(first.get("args").toJson()).isEqualTo("{\"key\":\"a\",\"value\":1}");
    assertThat(first.get("spaces").toJson())
        .isEqualTo("[{\"user\":\"%s\",\"version\":1}]".formatted(alice));
    assertThat(lines.get(1).get("code").asText()).isEqualTo("too-early");
    assertThat(lines.get(1).get("message").asText()).isEqualTo("come again tomorrow");
    assertThat(lines.get(1).find("spaces")).isEmpty();
    assertThat(lines.get(3).get("code").asText()).isEqualTo("not-a-member");
    assertThat(lines.get(4).find("clientID")).isEmpty();
    assertThat(lines.get(5).get("kind").asText()).isEqualTo("transaction");
    assertThat(lines.get(5).get("ops").toJson())
        .isEqualTo("[{\"op\":\"put\",\"user\":\"%s\",\"key\":\"d\",\"value\":2}]".formatted(alice));
    assertThat(lines.get(6).get("spaces").toJson()).contains("\"room\":\"r-" + alice + "\"");
    for (int i = 1; i < lines.size(); i++) {
      assertThat(seq(lines.get(i))).isGreaterThan(seq(lines.get(i - 1)));
    }
    assertThat(lines(get("?limit=2&after=" + seq(first)))).isEqualTo(lines.subList(1, 3));
  }

  @Test
  void whatWasRolledBackOrRepeatedStandsNotInIt() {
    long before = end();
    HttpRequest once =
        HttpRequest.api("POST", "/mutations")
            .by(client.token(alice))
            .with("Idempotency-Key", "\"once\"")
            .with("{\"name\":\"count\",\"args\":{\"key\":\"c\"}}");
    client.send(once);
    client.send(once);
    HttpReply refused =
        client.send(
            HttpRequest.api("POST", "/transactions")
                .by(backend())
                .with("Idempotency-Key", "\"refused-" + alice + "\"")
                .with(
                    "{\"ops\":[{\"op\":\"put\",\"user\":\"%s\",\"key\":\"k\",\"value\":1},{\"op\":\"deleteRoom\",\"room\":\"none\"}]}"
                        .formatted(alice)));
    assertThat(refused.status()).isEqualTo(404);

    assertThat(lines(get("?after=" + before))).hasSize(1);
  }

  @Test
  void aStreamTellsWhatComesAndGoesOnWhereItsReaderWas() {
    Replica replica = Replica.of(client, alice);
    long before = end();
    ServerSentEvent second;
    try (StreamClient stream = follow(HttpRequest.api("GET", "/journal?after=" + before))) {
      replica.push(replica.put("a", ONE));
      replica.push(replica.put("b", ONE), replica.put("c", ONE));
      assertThat(name(requireNonNull(stream.next()))).isEqualTo("a");
      second = requireNonNull(stream.next());
      assertThat(name(second)).isEqualTo("b");
    }
    try (StreamClient stream =
        follow(
            HttpRequest.api("GET", "/journal?after=0")
                .with("Last-Event-ID", second.lastEventId()))) {
      assertThat(name(requireNonNull(stream.next()))).isEqualTo("c");
    }
  }

  private StreamClient follow(HttpRequest request) {
    return client.open(request.by(backend()).with("Accept", "text/event-stream"));
  }

  private static String name(ServerSentEvent event) {
    return JsonValue.parse(event.data()).get("args").get("key").asText();
  }

  @Test
  void itIsForBackendsOnly() {
    assertThat(
            Problems.detail(
                client.send(HttpRequest.api("GET", "/journal").by(client.token(alice))), 403))
        .isEqualTo("Reading the journal needs a token with the scope replicache:read.");
  }

  @ParameterizedTest
  @ValueSource(strings = {"?after=-1", "?after=x", "?limit=0", "?limit=10001", "?since=1"})
  void aBadQueryIsRefused(String query) {
    Problems.detail(get(query), 400);
  }

  @Test
  void whoIsAheadOfItIsToldToBeginAnew() {
    assertThat(Problems.detail(get("?after=" + (end() + 1_000_000)), 410))
        .contains("begin without");
  }

  @Test
  void whatAnErasedUserDidAndHadIsTakenOutOfIt() {
    long before = end();
    Replica replica = Replica.of(client, alice);
    replica.push(replica.put("a", ONE));
    client.send(
        HttpRequest.api("PUT", "/users/" + alice + "/entries/secret").by(backend()).with("1"));
    Replica other = Replica.of(client, "other-" + alice);
    other.push(other.put("b", ONE));
    assertThat(lines(get("?after=" + before))).hasSize(3);

    HttpReply erased = client.send(HttpRequest.api("DELETE", "/users/" + alice).by(backend()));

    assertThat(erased.status()).isEqualTo(204);
    List<JsonValue> left = lines(get("?after=" + before));
    assertThat(left).hasSize(1);
    assertThat(left.getFirst().get("userId").asText()).isEqualTo("other-" + alice);
  }

  /// Writers of private spaces and of one room that all write in, whose values say what they have
  /// seen there.
  @Test
  void manyWritersMissNothingDoubleNothingAndComeInTheOrderOfTheirWork() throws Exception {
    int writers = 16;
    int rounds = 12;
    String shared = "shared-" + alice;
    long before = end();
    client.send(
        HttpRequest.api("POST", "/transactions")
            .by(backend())
            .with(
                "{\"ops\":[{\"op\":\"createRoom\",\"room\":\"%s\",\"owner\":\"%s\"}]}"
                    .formatted(shared, alice)));
    AtomicBoolean isOver = new AtomicBoolean();
    List<JsonValue> seen = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> reader =
          threads.submit(() -> {
            long last = before;
            while (true) {
              boolean isLast = isOver.get();
              List<JsonValue> page = lines(get("?limit=50&after=" + last));
              seen.addAll(page);
              last = page.isEmpty() ? last : seq(page.getLast());
              if (isLast && page.isEmpty()) {
                return seen;
              }
            }
          });
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < writers; i++) {
        boolean isShared = i % 2 == 0;
        String user = isShared ? alice : alice + "-" + i;
        Replica replica = Replica.of(client, user);
        all.add(
            threads.submit(() -> {
              for (int round = 0; round < rounds; round++) {
                replica.push(
                    isShared
                        ? replica.mutation(
                            "countIn",
                            JsonValue.object().with("room", shared).with("key", "n").build())
                        : replica.put("k", JsonValue.of(round)));
              }
              return user;
            }));
      }
      for (Future<?> each : all) {
        each.get();
      }
      isOver.set(true);
      reader.get();
    }

    List<JsonValue> mine =
        seen.stream()
            .filter(line -> line.find("userId").orElseThrow().asText().startsWith(alice))
            .toList();
    assertThat(mine).hasSize(writers * rounds);
    Set<String> each = new HashSet<>();
    Map<String, Long> ids = new HashMap<>();
    long version = 0;
    for (JsonValue line : mine) {
      String who = line.get("clientID").asText();
      assertThat(each.add(who + " " + line.get("id").asLong())).isTrue();
      assertThat(line.get("id").asLong()).isEqualTo(ids.merge(who, 1L, Long::sum));
      for (JsonValue space : line.get("spaces").asElements()) {
        if (space.find("room").isPresent()) {
          assertThat(space.get("version").asLong()).isGreaterThanOrEqualTo(version);
          version = space.get("version").asLong();
        }
      }
    }
  }
}
