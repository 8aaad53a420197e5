package dev.replistream.rejection;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.ServerSentEvent;
import dev.replistream.ServiceClient;
import dev.replistream.SettableClock;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.WebSocketClient;
import dev.replistream.api.JsonValue;
import dev.replistream.api.Mutator;
import dev.replistream.api.Mutators;
import dev.replistream.api.RejectedException;
import dev.replistream.rules.MutatorFailedException;
import dev.replistream.sync.Replica;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What users hear of their mutations that were acknowledged without effect. Each test has users of
/// its own.
abstract class RejectionRules {
  private static final JsonValue ONE = JsonValue.of(1);
  private static final String NOTHING = "{\"rejections\":[]}";

  /// Rules that refuse, and rules with bugs.
  static final Mutators RULES =
      () ->
          Map.<String, Mutator>of(
              "sell",
              (_, args) -> {
                throw new RejectedException("sold-out", args.asText());
              },
              "refuse",
              (_, _) -> {
                throw new RejectedException("not today");
              },
              "fail",
              (_, _) -> {
                throw new IllegalStateException("the content of a user");
              },
              "script",
              (_, _) -> {
                throw new MutatorFailedException("no such thing", Optional.of("rules.js:12:5"));
              },
              "toil",
              (transaction, _) -> {
                JsonValue large = JsonValue.of("x".repeat(1 << 20));
                for (int i = 0; i < 1_000; i++) {
                  try {
                    transaction.put("k", large);
                  } catch (RejectedException _) {
                    // it goes on
                  }
                }
              });

  abstract TestService service();

  abstract SettableClock clock();

  private ServiceClient client() {
    return service().client();
  }

  private Replica replica(String userId) {
    return Replica.of(client(), userId);
  }

  private HttpReply rejections(String userId, String query) {
    return client().send(HttpRequest.api("GET", "/rejections" + query).by(client().token(userId)));
  }

  private List<JsonValue> kept(String userId, String query) {
    HttpReply reply = rejections(userId, query);
    assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
    return JsonValue.parse(reply.body()).get("rejections").asElements();
  }

  private List<String> messages(String userId) {
    return kept(userId, "").stream().map(each -> each.get("message").asText()).toList();
  }

  private JsonValue only(String userId) {
    List<JsonValue> kept = kept(userId, "");
    assertThat(kept).hasSize(1);
    return kept.getFirst();
  }

  private JsonValue rejectionOf(String userId, String name, JsonValue args) {
    Replica replica = replica(userId);
    replica.push(replica.mutation(name, args));
    return only(userId);
  }

  private StreamClient asking(String userId) {
    StreamClient stream =
        client().open(HttpRequest.api("GET", "/stream?rejections=1").by(client().token(userId)));
    stream.expect("connected");
    return stream;
  }

  /// The next rejection; pokes are passed over.
  static JsonValue rejected(StreamClient stream) {
    ServerSentEvent event = Objects.requireNonNull(stream.next());
    while (event.data().equals("sync")) {
      event = Objects.requireNonNull(stream.next());
    }
    assertThat(event.type()).as(event.toString()).isEqualTo("rejected");
    return JsonValue.parse(event.data());
  }

  @Test
  void aRuleTellsTheAuthorItsCodeAndItsMessage() {
    Replica alice = replica("alice1");
    try (StreamClient stream = asking("alice1")) {
      alice.push(
          alice.put("k", ONE),
          alice.mutation("sell", JsonValue.of("none is left")),
          alice.put("l", ONE));

      JsonValue told = rejected(stream);
      assertThat(told.get("code").asText()).isEqualTo("sold-out");
      assertThat(told.get("message").asText()).isEqualTo("none is left");
      assertThat(told.get("name").asText()).isEqualTo("sell");
      assertThat(told.get("id").asLong()).isEqualTo(2);
      assertThat(told.get("clientID").asText()).isNotEmpty();
      assertThat(told.asMembers().keySet())
          .containsExactly("seq", "clientID", "id", "name", "code", "message");
      assertThat(kept("alice1", "")).containsExactly(told);
    }
    alice.pull();
    assertThat(alice.view()).containsOnlyKeys("k", "l");
    assertThat(alice.acknowledged()).isEqualTo(3);
  }

  @Test
  void theAnswerIsJsonThatNobodyCaches() {
    HttpReply reply = rejections("nobody", "");

    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.body()).isEqualTo(NOTHING);
    assertThat(reply.header("Content-Type")).isEqualTo("application/json");
    assertThat(reply.header("Cache-Control")).isEqualTo("no-store");
    assertThat(client().send(HttpRequest.api("GET", "/rejections")).status()).isEqualTo(401);
  }

  @Test
  void aRuleWithoutACodeHasTheCodeRejected() {
    assertThat(rejectionOf("alice2", "refuse", ONE))
        .matches(each -> each.get("code").asText().equals("rejected"))
        .matches(each -> each.get("message").asText().equals("not today"));
  }

  @Test
  void ofABugTheAuthorIsToldNoMoreThanThatThereIsOne() {
    for (String name : List.of("fail", "script")) {
      JsonValue told = rejectionOf("alice3" + name, name, ONE);

      assertThat(told.get("code").asText()).isEqualTo("failed");
      assertThat(told.get("message").asText()).isEqualTo("The mutator failed.");
    }
  }

  @Test
  void whatTheServiceItselfRefusesHasItsCode() {
    Replica alice = replica("alice4");
    JsonValue where = JsonValue.object().with("room", "nowhere").with("key", "k").build();
    String deep = "[".repeat(600) + "]".repeat(600);

    alice.push(
        alice.mutation("unknown", ONE),
        alice.mutation("n".repeat(129), ONE),
        alice.mutation("put", ONE),
        alice.mutation("put", JsonValue.object().build()),
        alice.put("nowhere", "k", ONE),
        alice.mutation("del", where),
        alice.put("k".repeat(1_025), ONE),
        alice.put("k", JsonValue.of("x".repeat(1_001))),
        alice.put("k", JsonValue.of("x".repeat(30_000))),
        alice.put("k", JsonValue.parse("1e400")),
        alice.mutation("sell", JsonValue.of("x".repeat(50_000))));
    alice.pull(); // the next one is not written by a JsonValue
    HttpReply reply =
        client()
            .send(
                HttpRequest.api("POST", "/push")
                    .by(client().token("alice4"))
                    .with("Content-Type", "application/json")
                    .with(
                        alice
                            .pushBody(List.of(alice.mutation("sell", JsonValue.of("DEEP"))))
                            .toJson()
                            .replace("\"DEEP\"", deep)));
    assertThat(reply.status()).isEqualTo(200);

    assertThat(kept("alice4", "").stream().map(each -> each.get("code").asText()))
        .containsExactly(
            "unknown-mutator",
            "unknown-mutator",
            "bad-arguments",
            "bad-arguments",
            "not-a-member",
            "not-a-member",
            "key-too-long",
            "value-too-large",
            "value-too-large",
            "bad-value",
            "arguments-too-large",
            "bad-arguments");
  }

  @Test
  void aMutationThatDoesTooMuchSaysSo() {
    assertThat(rejectionOf("alice5", "toil", ONE).get("code").asText()).isEqualTo("too-much-work");
  }

  @Test
  void anotherUserNeverHearsOfIt() {
    Replica alice = replica("alice6");
    try (StreamClient mine = asking("alice6");
        StreamClient others = asking("bob6")) {
      alice.push(alice.mutation("refuse", ONE));
      rejected(mine);
      client().poke("bob6");

      others.expect("sync");
    }
    assertThat(kept("alice6", "")).hasSize(1);
    assertThat(kept("bob6", "")).isEmpty();
    // nor does a backend that may do all else
    HttpReply reply =
        client()
            .send(
                HttpRequest.api("GET", "/rejections?userId=alice6")
                    .by(client().token("backend", "replicache:write", "replicache:poke")));
    assertThat(reply.body()).isEqualTo(NOTHING);
  }

  @Test
  void aStreamThatDidNotAskHearsNothing() {
    Replica alice = replica("alice7");
    try (StreamClient plain = client().connected("alice7");
        StreamClient zero =
            client()
                .open(HttpRequest.api("GET", "/stream?rejections=0").by(client().token("alice7")));
        StreamClient asking = asking("alice7")) {
      zero.expect("connected");
      alice.push(alice.mutation("refuse", ONE));
      rejected(asking);
      client().poke("alice7");

      plain.expect("sync");
      plain.expect("sync");
      zero.expect("sync");
      zero.expect("sync");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "2", "yes", "%00"})
  void aStreamAsksWithOne(String value) {
    String query = "?rejections=" + value;
    for (HttpRequest each :
        List.of(HttpRequest.api("GET", "/stream" + query), WebSocketClient.handshake(query))) {
      assertThat(Problems.detail(client().send(each.by(client().token("alice"))), 400))
          .isEqualTo("rejections is 1, or 0 as when it is left out.");
    }
  }

  @Test
  void aWebSocketHearsTheSameAlsoWhereItIsLong() {
    Replica alice = replica("alice8");
    try (WebSocketClient socket =
            client()
                .openWebSocket(
                    WebSocketClient.handshake("?rejections=1").by(client().token("alice8")));
        WebSocketClient plain =
            client().openWebSocket(WebSocketClient.handshake("").by(client().token("alice8")))) {
      socket.expect("connected");
      plain.expect("connected");
      String message = "\u00fc".repeat(900);
      alice.push(alice.mutation("sell", JsonValue.of(message)));

      socket.expect("sync");
      WebSocketClient.Frame frame = socket.next();
      assertThat(frame.payload()).startsWith("rejected {");
      String text =
          new String(frame.payload().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
      assertThat(JsonValue.parse(text.substring("rejected ".length())))
          .isEqualTo(only("alice8"))
          .matches(each -> each.get("message").asText().equals(message));
      plain.expect("sync");
      client().poke("alice8");
      plain.expect("sync");
    }
  }

  @Test
  void whoComesBackAsksForWhatCameMeanwhile() {
    Replica alice = replica("alice9");
    alice.push(alice.mutation("sell", JsonValue.of("one")));
    long seen = only("alice9").get("seq").asLong();
    alice.push(
        alice.mutation("sell", JsonValue.of("two")), alice.mutation("sell", JsonValue.of("three")));

    assertThat(kept("alice9", "?after=" + seen).stream().map(each -> each.get("message").asText()))
        .containsExactly("two", "three");
    long last = kept("alice9", "").getLast().get("seq").asLong();
    assertThat(kept("alice9", "?after=" + last)).isEmpty();
    assertThat(kept("alice9", "?after=9007199254740991")).isEmpty();
    assertThat(kept("alice9", "?after=0")).hasSize(3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-1", "1.5", "x", "12345678901234567", "1%20", "%00"})
  void anAfterThatIsNoNumberIsRefused(String after) {
    assertThat(Problems.detail(rejections("alice", "?after=" + after), 400))
        .isEqualTo("after is the seq of the last rejection that you have.");
  }

  @Test
  void aMutationThatIsSentAgainIsRejectedOnce() {
    Replica alice = replica("alice10");
    JsonValue push = alice.pushBody(List.of(alice.mutation("refuse", ONE)));
    for (int i = 0; i < 3; i++) {
      HttpReply reply =
          client()
              .send(
                  HttpRequest.api("POST", "/push")
                      .by(client().token("alice10"))
                      .with("Content-Type", "application/json")
                      .with(push.toJson()));
      assertThat(reply.status()).isEqualTo(200);
    }

    assertThat(kept("alice10", "")).hasSize(1);
  }

  @Test
  void ofAFloodTheLastHundredAreKeptAndToldOf() {
    Replica alice = replica("alice11");
    List<JsonValue> flood = new ArrayList<>();
    for (int i = 1; i <= 1_250; i++) {
      flood.add(alice.mutation("sell", JsonValue.of("" + i)));
    }
    List<String> last = IntStream.rangeClosed(1_151, 1_250).mapToObj(i -> "" + i).toList();
    try (StreamClient stream = asking("alice11")) {
      alice.push(flood.toArray(JsonValue[]::new));

      List<String> told = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        told.add(rejected(stream).get("message").asText());
      }
      assertThat(told).isEqualTo(last);
    }
    assertThat(messages("alice11")).isEqualTo(last);
    alice.push(alice.mutation("sell", JsonValue.of("more")));
    assertThat(messages("alice11")).hasSize(100).endsWith("1250", "more");
    alice.pull();
    assertThat(alice.view()).isEmpty();
    assertThat(alice.acknowledged()).isEqualTo(1_251);
  }

  @Test
  void whateverAMutationIsCalledItIsToldOf() {
    for (String name :
        List.of("", "a\0b", "\n\r\n", "\uD800", "n".repeat(127) + "\uD83D\uDE00x", "\u2028\"\\")) {
      String user = "alice12" + name.hashCode();
      Replica alice = replica(user);
      try (StreamClient stream = asking(user)) {
        alice.push(alice.mutation(name, ONE));

        JsonValue told = rejected(stream);
        assertThat(told).isEqualTo(only(user));
        String shown = told.get("name").asText();
        assertThat(name).startsWith(shown);
        assertThat(shown.length()).isEqualTo(Math.min(name.length(), 127));
      }
    }
  }

  @Test
  void aLongMessageAndCodeAreCut() {
    Replica alice = replica("alice13");
    alice.push(alice.mutation("sell", JsonValue.of("m".repeat(1_023) + "\uD83D\uDE00")));

    assertThat(messages("alice13")).containsExactly("m".repeat(1_023));
  }

  @Test
  void oneIsKeptForADay() {
    Replica alice = replica("alice14");
    alice.push(alice.mutation("sell", JsonValue.of("old")));
    clock().advance(Duration.ofHours(23).plusMinutes(59));
    alice.push(alice.mutation("sell", JsonValue.of("young")));
    assertThat(messages("alice14")).containsExactly("old", "young");

    clock().advance(Duration.ofMinutes(2));

    assertThat(messages("alice14")).containsExactly("young");
  }

  /// A clock may be set back, and that of another node may be behind.
  @Test
  void numbersGoOnWhereTheClockGoesBack() {
    Replica alice = replica("alice15");
    alice.push(alice.mutation("sell", JsonValue.of("one")));
    clock().advance(Duration.ofMinutes(-5));
    alice.push(
        alice.mutation("sell", JsonValue.of("two")), alice.mutation("sell", JsonValue.of("three")));
    clock().advance(Duration.ofMinutes(5));

    assertThat(messages("alice15")).containsExactly("one", "two", "three");
  }

  @Test
  void theyOutliveTheirStreamsAndGoToAllOfTheUsersStreams() {
    Replica alice = replica("alice16");
    try (StreamClient one = asking("alice16");
        StreamClient two = asking("alice16")) {
      asking("alice16").close();
      alice.push(alice.mutation("refuse", ONE), alice.mutation("fail", ONE));

      for (StreamClient each : List.of(one, two)) {
        assertThat(rejected(each).get("code").asText()).isEqualTo("rejected");
        assertThat(rejected(each).get("code").asText()).isEqualTo("failed");
      }
    }
  }
}
