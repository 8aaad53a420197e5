package dev.replistream.inspector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.ServerSentEvent;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.WebSocketClient;
import dev.replistream.api.JsonValue;
import dev.replistream.api.Mutator;
import dev.replistream.api.Mutators;
import dev.replistream.api.RejectedException;
import dev.replistream.rules.MutatorFailedException;
import dev.replistream.sync.Replica;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Mutations as those see them who watch. Each test has users of its own.
class InspectorTest {
  private static final JsonValue ONE = JsonValue.of(1);

  private static final Mutators RULES =
      () ->
          Map.<String, Mutator>of(
              "refuse",
              (_, _) -> {
                throw new RejectedException("sold-out", "none is left");
              },
              "fail",
              (transaction, _) -> {
                transaction.put("half", ONE);
                throw new MutatorFailedException(
                    "TypeError: no such thing", Optional.of("rules.js:12:5"));
              });

  private static TestService keyed;
  private static TestService development;

  @BeforeAll
  static void start() {
    keyed = TestService.start(RULES, "SYNC_MAX_ARGS", "20000");
    development = TestService.startInDevelopment(RULES, "SYNC_MAX_ARGS", "20000");
  }

  @AfterAll
  static void close() {
    keyed.close();
    development.close();
  }

  private static StreamClient watching(TestService service, String userId, String whose) {
    ServiceClient client = service.client();
    StreamClient stream =
        client.open(HttpRequest.api("GET", "/stream?mutations=" + whose).by(client.token(userId)));
    stream.expect("connected");
    return stream;
  }

  /// The next mutation; pokes are passed over.
  private static JsonValue next(StreamClient stream) {
    ServerSentEvent event = Objects.requireNonNull(stream.next());
    while (event.data().equals("sync")) {
      event = Objects.requireNonNull(stream.next());
    }
    assertThat(event.type()).as(event.toString()).isEqualTo("mutation");
    return JsonValue.parse(event.data());
  }

  @Test
  void itsOwnUserSeesWhatBecameOfEach() {
    Replica alice = Replica.of(keyed.client(), "alice1");
    try (StreamClient stream = watching(keyed, "alice1", "own")) {
      Instant before = Instant.now().minusMillis(1);
      alice.push(
          alice.put("k", ONE),
          alice.mutation("refuse", JsonValue.parse("{\"id\":\"7\"}")),
          alice.mutation("fail", JsonValue.ofNull()),
          alice.mutation("unknown", JsonValue.array()));

      JsonValue applied = next(stream);
      assertThat(applied.asMembers().keySet())
          .containsExactly(
              "at",
              "userId",
              "clientGroupID",
              "clientID",
              "id",
              "name",
              "outcome",
              "millis",
              "args");
      assertThat(Instant.parse(applied.get("at").asText())).isBetween(before, Instant.now());
      assertThat(applied.get("userId").asText()).isEqualTo("alice1");
      assertThat(applied.get("clientGroupID").asText()).startsWith("group");
      assertThat(applied.get("clientID").asText()).isEqualTo(alice.clientId);
      assertThat(applied.get("id").asLong()).isEqualTo(1);
      assertThat(applied.get("name").asText()).isEqualTo("put");
      assertThat(applied.get("outcome").asText()).isEqualTo("applied");
      assertThat(applied.get("millis").asDouble()).isBetween(0.0, 60_000.0);
      assertThat(applied.get("args").toJson()).isEqualTo("{\"key\":\"k\",\"value\":1}");

      JsonValue rejected = next(stream);
      assertThat(rejected.get("outcome").asText()).isEqualTo("rejected");
      assertThat(rejected.get("code").asText()).isEqualTo("sold-out");
      assertThat(rejected.get("message").asText()).isEqualTo("none is left");
      assertThat(rejected.get("args").toJson()).isEqualTo("{\"id\":\"7\"}");
      JsonValue failed = next(stream);
      assertThat(failed.get("outcome").asText()).isEqualTo("failed");
      assertThat(failed.get("code").asText()).isEqualTo("failed");
      assertThat(failed.get("args").isNull()).isTrue();
      assertThat(next(stream).get("code").asText()).isEqualTo("unknown-mutator");
    }
  }

  @Test
  void ofABugNobodyButADeveloperSeesWhatItWasAndWhere() {
    Replica alice = Replica.of(keyed.client(), "alice2");
    Replica developer = Replica.of(development.client(), "alice2");
    try (StreamClient stream = watching(keyed, "alice2", "own");
        StreamClient own = watching(development, "alice2", "own");
        StreamClient all = watching(development, "bob2", "all")) {
      alice.push(alice.mutation("fail", ONE));
      developer.push(developer.mutation("fail", ONE));

      JsonValue failed = next(stream);
      assertThat(failed.get("message").asText()).isEqualTo("The mutator failed.");
      assertThat(failed.find("position")).isEmpty();
      for (StreamClient each : List.of(own, all)) {
        JsonValue explained = next(each);
        assertThat(explained.get("message").asText())
            .isEqualTo("TypeError: no such thing (rules.js:12:5)");
        assertThat(explained.get("position").asText()).isEqualTo("rules.js:12:5");
      }
    }
  }

  @Test
  void nobodySeesAnotherUsersUnlessInDevelopmentMode() {
    Replica alice = Replica.of(keyed.client(), "alice3");
    try (StreamClient bob = watching(keyed, "bob3", "own");
        StreamClient mine = watching(keyed, "alice3", "own")) {
      alice.push(alice.put("k", ONE));
      next(mine);
      keyed.client().poke("bob3");

      bob.expect("sync");
    }
    HttpRequest all = HttpRequest.api("GET", "/stream?mutations=all");
    for (HttpRequest each : List.of(all, WebSocketClient.handshake("?mutations=all"))) {
      String token = keyed.client().token("bob3", "replicache:write", "replicache:poke");
      assertThat(Problems.detail(keyed.client().send(each.by(token)), 403))
          .isEqualTo(
              "Mutations of all users are shown in development mode only: ask for mutations=own.");
    }
    Replica developer = Replica.of(development.client(), "alice3");
    try (StreamClient everybody = watching(development, "bob3", "all");
        StreamClient bob = watching(development, "bob3", "own")) {
      developer.push(developer.put("k", ONE));

      assertThat(next(everybody).get("userId").asText()).isEqualTo("alice3");
      development.client().poke("bob3");
      bob.expect("sync");
    }
  }

  @Test
  void aWebSocketSeesThemToo() {
    ServiceClient client = keyed.client();
    Replica alice = Replica.of(client, "alice4");
    try (WebSocketClient socket =
        client.openWebSocket(
            WebSocketClient.handshake("?mutations=own").by(client.token("alice4")))) {
      socket.expect("connected");
      alice.push(alice.put("k", ONE));

      String frame = socket.next().payload();
      while (frame.equals("sync")) {
        frame = socket.next().payload();
      }
      assertThat(frame).startsWith("mutation {\"at\":");
    }
  }

  @Test
  void whatAServerOfTheApplicationRunsForAUserOnlyDevelopersSee() {
    try (StreamClient user = watching(keyed, "alice9", "own");
        StreamClient own = watching(development, "alice9", "own");
        StreamClient all = watching(development, "bob9", "all")) {
      runForAlice(keyed);
      runForAlice(development);
      keyed.client().poke("alice9");

      user.expect("sync");
      for (StreamClient each : List.of(own, all)) {
        JsonValue seen = next(each);
        assertThat(seen.get("code").asText()).isEqualTo("sold-out");
        assertThat(seen.get("clientGroupID").asText()).isEmpty();
      }
    }
  }

  private static void runForAlice(TestService service) {
    HttpRequest run =
        HttpRequest.api("POST", "/mutations")
            .by(service.client().token("backend", "replicache:write"))
            .with("Content-Type", "application/json")
            .with("{\"userId\":\"alice9\",\"name\":\"refuse\",\"args\":\"secret\"}");
    assertThat(service.client().send(run).status()).isEqualTo(422);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1", "0", "Own", "all%20", "own,all"})
  void whoAsksForSomethingElseIsToldWhatThereIs(String value) {
    String query = "?mutations=" + value;
    for (HttpRequest each :
        List.of(HttpRequest.api("GET", "/stream" + query), WebSocketClient.handshake(query))) {
      assertThat(Problems.detail(keyed.client().send(each.by(keyed.client().token("alice"))), 400))
          .isEqualTo("mutations is own, or all in development mode.");
    }
  }

  @Test
  void aMutationThatIsSentAgainIsSeenOnceAndOneThatIsNotTakenNever() {
    Replica alice = Replica.of(keyed.client(), "alice5");
    try (StreamClient stream = watching(keyed, "alice5", "own")) {
      JsonValue first = alice.put("k", ONE);
      alice.push(first);
      alice.mutation("put", ONE); // is lost
      HttpRequest push =
          HttpRequest.api("POST", "/push")
              .by(keyed.client().token("alice5"))
              .with("Content-Type", "application/json")
              .with(alice.pushBody(List.of(first, alice.mutation("refuse", ONE))).toJson());
      assertThat(keyed.client().send(push).status()).isEqualTo(409);

      assertThat(next(stream).get("id").asLong()).isEqualTo(1);
      keyed.client().poke("alice5");
      stream.expect("sync");
    }
  }

  @Test
  void longArgumentsAreCutAndThoseThatAreTooLongAreNotThere() {
    Replica alice = Replica.of(keyed.client(), "alice6");
    try (StreamClient stream = watching(keyed, "alice6", "own")) {
      alice.push(
          alice.mutation("refuse", JsonValue.of("\u00fc".repeat(4_094))),
          alice.mutation("refuse", JsonValue.of("x".repeat(4_095))),
          alice.mutation("refuse", JsonValue.of("x".repeat(30_000))));

      assertThat(next(stream).get("args").asText()).isEqualTo("\u00fc".repeat(4_094));
      JsonValue cut = next(stream);
      assertThat(cut.find("args")).isEmpty();
      assertThat(cut.get("argsCut").asText()).isEqualTo('"' + "x".repeat(4_095));
      assertThat(cut.get("argsLength").asLong()).isEqualTo(4_097);
      JsonValue none = next(stream);
      assertThat(none.get("code").asText()).isEqualTo("arguments-too-large");
      assertThat(none.asMembers()).doesNotContainKeys("args", "argsCut");
    }
  }

  @Test
  void whateverTheArgumentsAreTheyAreOnOneLine() {
    Replica alice = Replica.of(keyed.client(), "alice7");
    JsonValue odd = JsonValue.of("\n\r\u2028\0\"\\\uD800");
    String deep = "[".repeat(500) + "]".repeat(500);
    try (StreamClient stream = watching(keyed, "alice7", "own")) {
      alice.push(
          alice.mutation("refuse", odd),
          alice.mutation("refuse", JsonValue.parse("1e400")),
          alice.mutation("\n\0\u2028", ONE));
      HttpRequest push =
          HttpRequest.api("POST", "/push")
              .by(keyed.client().token("alice7"))
              .with("Content-Type", "application/json")
              .with(
                  alice
                      .pushBody(List.of(alice.mutation("refuse", JsonValue.of("DEEP"))))
                      .toJson()
                      .replace("\"DEEP\"", deep));
      assertThat(keyed.client().send(push).status()).isEqualTo(200);

      assertThat(next(stream).get("args")).isEqualTo(odd);
      assertThat(next(stream).get("args").toJson()).isEqualTo("1e400");
      assertThat(next(stream).get("name").asText()).isEqualTo("\n\0\u2028");
      assertThat(next(stream).get("args").toJson()).isEqualTo(deep);
    }
  }

  @Test
  void aStreamThatDidNotAskSeesNothingAndOneThatEndedCostsNothing() {
    Replica alice = Replica.of(development.client(), "alice8");
    try (StreamClient plain = development.client().connected("alice8");
        StreamClient all = watching(development, "alice8", "all")) {
      watching(development, "alice8", "own").close();
      alice.push(alice.put("k", ONE));
      next(all);
      development.client().poke("alice8");

      plain.expect("sync");
      plain.expect("sync");
    }
    Eventually.holds("they are gone", () -> development.client().connections("alice8") == 0);
    double before = written();
    alice.push(alice.put("k", ONE));
    assertThat(written()).isEqualTo(before);
  }

  private static double written() {
    return development
        .client()
        .metrics()
        .getOrDefault("replistream_mutation_events_written_total", -1.0);
  }
}
