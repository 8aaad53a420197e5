package dev.replistream.rules.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.AtOnce;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.ServerSentEvent;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import dev.replistream.api.Mutators;
import dev.replistream.api.RejectedException;
import dev.replistream.auth.Caller;
import dev.replistream.sync.Replica;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Rules over HTTP, by real pushes. Each test has users and rules of its own.
abstract class HttpRulesRules {
  static final String[] SETTINGS = {"SYNC_MAX_VALUE", "3000"};

  /// Mutators beside those of the application.
  static final Mutators JAVA =
      () ->
          Map.of(
              "java",
              (transaction, args) -> {
                long before = transaction.get("log").map(JsonValue::asLong).orElse(0L);
                transaction.put("log", JsonValue.of(before * 10 + args.asLong()));
              },
              "refuse",
              (_, _) -> {
                throw new RejectedException("not-today", "come tomorrow");
              });

  private static final AtomicInteger TESTS = new AtomicInteger();

  private final TestRules application;
  private final ServiceClient client;
  private final int test = TESTS.incrementAndGet();
  private final String alice = "alice-h" + test;
  private final String bob = "bob-h" + test;
  private final String room = "room-h" + test;
  private final String rule = "rule" + test;

  HttpRulesRules(TestRules application, TestService service) {
    this.application = application;
    client = service.client();
  }

  private Replica replica(String userId) {
    return Replica.of(client, userId);
  }

  private static JsonValue json(String text) {
    return JsonValue.parse(text.replace('\'', '"'));
  }

  private JsonValue run(Replica replica, String args) {
    return replica.mutation(rule, json(args));
  }

  private static String put(String key, String value) {
    return "{'ops':[{'op':'put','key':'%s','value':%s}]}".formatted(key, value);
  }

  private HttpReply transact(String body) {
    HttpReply reply =
        client.send(
            HttpRequest.api("POST", "/transactions")
                .by(client.token("backend", Caller.WRITE_SCOPE))
                .with(body.replace('\'', '"')));
    assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
    return reply;
  }

  private List<String> rejections(String userId) {
    return client
        .send(HttpRequest.api("GET", "/rejections").by(client.token(userId)))
        .json()
        .getJsonArray("rejections")
        .stream()
        .map(each -> each.asJsonObject())
        .map(each ->
            "%s %s: %s"
                .formatted(
                    each.getString("name"), each.getString("code"), each.getString("message")))
        .toList();
  }

  @Test
  void whatARuleAnswersIsDone() {
    application.on(rule, (_, mutation) -> put("a", mutation.get("args").toJson()));
    Replica replica = replica(alice);

    replica.push(run(replica, "{'b':[1,'ü \\ud800']}"));
    replica.pull();

    assertThat(replica.view()).containsEntry("a", json("{'b':[1,'ü \\ud800']}"));
    assertThat(replica.acknowledged()).isEqualTo(1);
    JsonValue request = application.requests(rule).getFirst();
    assertThat(request.get("userId").asText()).isEqualTo(alice);
    assertThat(request.get("claims").get("sub").asText()).isEqualTo(alice);
    assertThat(request.get("clientGroupID").asText()).isNotEmpty();
    assertThat(request.get("schemaVersion").asText()).isEqualTo("7");
    JsonValue mutation = request.get("mutations").asElements().getFirst();
    assertThat(mutation.get("clientID").asText()).isEqualTo(replica.clientId);
    assertThat(mutation.get("id").asLong()).isEqualTo(1);
    assertThat(mutation.get("name").asText()).isEqualTo(rule);
  }

  @Test
  void allOpsAreThereAndOneThatIsRefusedUndoesTheOthers() {
    application.on(
        rule,
        (_, mutation) ->
            switch (mutation.get("args").asText()) {
              case "make" ->
                  """
                  {'ops':[{'op':'createRoom','room':'%1$s'},
                  {'op':'put','room':'%1$s','key':'k','value':{'a':1,'b':2}},
                  {'op':'patch','room':'%1$s','key':'k','merge':{'a':null,'c':3}},
                  {'op':'patch','key':'absent','merge':{'a':1}},
                  {'op':'patch','key':'made','merge':{'a':1},'create':true},
                  {'op':'put','key':'gone','value':1},{'op':'del','key':'gone'}]}\
                  """
                      .formatted(room);
              case "half" ->
                  "{'ops':[{'op':'put','key':'half','value':1},{'op':'put','room':'%s','key':'x','value':1}]}"
                      .formatted("none" + room);
              default -> "{'ops':[{'op':'deleteRoom','room':'%s'}]}".formatted(room);
            });
    Replica replica = replica(alice);

    replica.push(run(replica, "'make'"), run(replica, "'half'"));
    replica.pull();

    assertThat(replica.view())
        .containsOnlyKeys("k", "made")
        .containsEntry("k", json("{'b':2,'c':3}"));
    assertThat(rejections(alice)).hasSize(1).first().asString().startsWith(rule + " not-a-member");
    replica.push(run(replica, "'end'"));
    replica.pull();
    assertThat(replica.view()).containsOnlyKeys("made");
  }

  @ParameterizedTest
  @CsvSource({"false, forbidden", "true, ''"})
  void onlyARuleThatSaysSoGoesBeyondTheRightsOfTheUser(boolean isUnrestricted, String code) {
    transact(
        """
        {'ops':[{'op':'createRoom','room':'%1$s','owner':'%2$s'},
        {'op':'putMember','room':'%1$s','userId':'%3$s','role':'reader'}]}\
        """
            .formatted(room, bob, alice));
    application.on(
        rule,
        (_, _) ->
            """
            {'ops':[{'op':'put','room':'%s','key':'k','value':1},
            {'op':'putMember','room':'%s','userId':'eve','role':'reader'}],'unrestricted':%s}\
            """
                .formatted(room, room, isUnrestricted));
    Replica replica = replica(alice);

    replica.push(run(replica, "null"));

    assertThat(rejections(alice))
        .allMatch(each -> each.contains(code))
        .hasSize(code.isEmpty() ? 0 : 1);
    replica.pull();
    assertThat(replica.view()).hasSize(code.isEmpty() ? 1 : 0);
  }

  @Test
  void whatARuleRejectsIsToldToItsAuthorAndTheNextOnesRun() {
    application.on(
        rule,
        (_, mutation) ->
            mutation.get("id").asLong() == 1
                ? "{'error':{'code':'sold-out','message':'none is left'}}"
                : put("next", "1"));
    Replica replica = replica(alice);

    replica.push(run(replica, "1"), run(replica, "2"));
    replica.pull();

    assertThat(rejections(alice)).containsExactly(rule + " sold-out: none is left");
    assertThat(replica.view()).containsOnlyKeys("next");
    assertThat(replica.acknowledged()).isEqualTo(2);
    assertThat(application.requests(rule)).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({
    "'{\"op\":\"put\",\"key\":\"k\",\"value\":\"LONG\"}', value-too-large",
    "'{\"op\":\"put\",\"key\":\"LONG\",\"value\":1}', key-too-long",
    "'{\"op\":\"put\",\"key\":\"k\",\"value\":1e999}', bad-value",
    "'{\"op\":\"createRoom\",\"room\":\"\"}', bad-id",
  })
  void theLimitsOfAnyMutatorHold(String op, String code) {
    application.on(rule, (_, _) -> "{'ops':[" + op.replace("LONG", "x".repeat(5_000)) + "]}");
    Replica replica = replica(alice);

    replica.push(run(replica, "1"));

    assertThat(rejections(alice)).hasSize(1).first().asString().startsWith(rule + " " + code);
  }

  @Test
  void mutationsOfAllKindsAreAppliedInTheirOrder() {
    application.on(
        rule,
        (_, mutation) -> {
          // it reads what those before it have done, and so answers one at a time
          JsonValue args = mutation.get("args");
          return args.get("first").asBoolean()
              ? "{'ops':[{'op':'put','key':'log','value':%s}]}".formatted(args.get("log").toJson())
              : "";
        });
    Replica replica = replica(alice);

    replica.push(
        replica.mutation("java", json("1")),
        run(replica, "{'first':true,'log':12}"),
        replica.mutation("java", json("3")),
        run(replica, "{'first':true,'log':1234}"),
        replica.mutation("java", json("5")));
    replica.pull();

    assertThat(replica.view()).containsEntry("log", json("12345"));
    assertThat(application.requests(rule)).hasSize(2);
  }

  @Test
  void severalInARowAreAskedAboutTogetherAndTheRestAgainWhereOnlyTheFirstAreAnswered() {
    application.on(
        rule,
        (request, mutation) ->
            request.get("mutations").asElements().indexOf(mutation) < 60
                ? put("k" + mutation.get("id").asLong(), "1")
                : "");
    Replica replica = replica(alice);
    List<JsonValue> many = new ArrayList<>();
    for (int i = 0; i < 150; i++) {
      many.add(run(replica, "" + i));
    }

    replica.push(many.toArray(JsonValue[]::new));
    replica.pull();

    assertThat(replica.view()).hasSize(150);
    assertThat(application.requests(rule).stream().map(each -> TestRules.names(each).size()))
        .containsExactly(100, 90, 30);
  }

  @Test
  void largeOnesAreNotAskedAboutTogether() {
    application.on(rule, (_, mutation) -> put("k" + mutation.get("id").asLong(), "1"));
    Replica replica = replica(alice);
    String large = "\"" + "x".repeat(700_000) + "\"";

    replica.push(run(replica, large), run(replica, large), run(replica, "1"));
    replica.pull();

    assertThat(replica.view()).hasSize(3);
    assertThat(application.requests(rule).stream().map(each -> TestRules.names(each).size()))
        .containsExactly(1, 2);
  }

  @Test
  void whatAServiceRefusesMakesTheRuleDecideAnewAboutThoseBehindIt() {
    application.on(
        rule,
        (request, mutation) ->
            mutation.get("id").asLong() == 1
                ? "{'ops':[{'op':'put','room':'none-of-hers','key':'k','value':1}]}"
                : put("rounds", "" + TestRules.names(request).size()));
    Replica replica = replica(alice);

    replica.push(run(replica, "1"), run(replica, "2"));
    replica.pull();

    assertThat(replica.view()).containsEntry("rounds", json("1"));
  }

  @Test
  void aMutationThatWasAppliedIsNotAskedAboutAgain() {
    application.on(rule, (_, mutation) -> put("k" + mutation.get("id").asLong(), "1"));
    Replica replica = replica(alice);
    JsonValue first = run(replica, "1");
    replica.push(first);

    replica.push(first, run(replica, "2"), first);
    replica.pull();

    assertThat(replica.view()).containsOnlyKeys("k1", "k2");
    assertThat(application.requests(rule).stream().map(each -> TestRules.names(each).size()))
        .containsExactly(1, 1);
  }

  @Test
  void eachMutationIsAppliedOnceHoweverManyPushesOfItAreAnsweredAtOnce() throws Exception {
    int pushes = 8;
    CountDownLatch all = new CountDownLatch(pushes);
    application.on(
        rule,
        (_, mutation) -> {
          if (mutation.get("id").asLong() == 1) {
            all.countDown(); // all have been asked before any is answered
            all.await(20, TimeUnit.SECONDS);
          }
          String key = "k" + mutation.get("id").asLong();
          return "{'ops':[{'op':'createRoom','room':'%s'},{'op':'put','key':'%s','value':1}]}"
              .formatted(room + key, key); // a second time it is taken
        });
    Replica replica = replica(alice);
    List<JsonValue> body = List.of(run(replica, "1"), run(replica, "2"));

    List<HttpReply> replies = AtOnce.send(pushes, _ -> replica.send(body));

    assertThat(replies).allSatisfy(reply -> assertThat(reply.status()).isEqualTo(200));
    replica.pull();
    assertThat(replica.view()).containsOnlyKeys("k1", "k2");
    assertThat(replica.acknowledged()).isEqualTo(2);
    assertThat(rejections(alice)).isEmpty();
  }

  // conditions

  /// An entry of alice's.
  private record Stored(String version, long number) {}

  private Stored stored(String key) {
    HttpReply reply =
        client.send(
            HttpRequest.api("GET", "/users/" + alice + "/entries/" + key)
                .by(client.token("backend", Caller.READ_SCOPE)));
    return reply.status() == 404
        ? new Stored("null", 0)
        : new Stored(
            Objects.requireNonNull(reply.header("ETag")).replace("\"", ""),
            Long.parseLong(reply.body()));
  }

  private String increment(Runnable meanwhile) {
    Stored before = stored("n");
    meanwhile.run();
    return "{'if':[{'key':'n','version':%s}],'ops':[{'op':'put','key':'n','value':%d}]}"
        .formatted(before.version, before.number + 1);
  }

  private void addTen() {
    transact(
        "{'ops':[{'op':'put','user':'%s','key':'n','value':%d}]}"
            .formatted(alice, stored("n").number + 10));
  }

  @Test
  void aRuleIsAskedAgainWhereWhatItHasReadHasChanged() {
    AtomicInteger asked = new AtomicInteger();
    application.on(
        rule,
        (_, _) ->
            increment(() -> {
              if (asked.getAndIncrement() < 5) {
                addTen();
              }
            }));
    Replica replica = replica(alice);
    double before = client.metrics().getOrDefault("replistream_rules_asked_again_total", 0.0);

    replica.push(run(replica, "1"));
    replica.pull();

    assertThat(replica.view()).containsEntry("n", json("51"));
    assertThat(asked).hasValue(6);
    assertThat(client.metrics().get("replistream_rules_asked_again_total"))
        .isGreaterThanOrEqualTo(before + 5);
  }

  @Test
  void aRuleThatIsOvertakenEachTimeKeepsThePushWaitingAndLosesNothing() {
    AtomicInteger asked = new AtomicInteger();
    application.on(
        rule,
        (_, _) ->
            increment(() -> {
              if (asked.getAndIncrement() < 6) {
                addTen();
              }
            }));
    Replica replica = replica(alice);
    List<JsonValue> body = List.of(replica.mutation("java", json("7")), run(replica, "1"));

    HttpReply reply = replica.send(body);

    assertThat(Problems.detail(reply, 503))
        .isEqualTo(
            "What the application's rules have read changes faster than they answer; come again.");
    assertThat(reply.header("Retry-After")).isEqualTo("1");
    assertThat(asked).hasValue(6);
    assertThat(replica.send(body).status()).isEqualTo(200);
    replica.pull();
    assertThat(replica.view()).containsEntry("n", json("61")).containsEntry("log", json("7"));
  }

  @Test
  void aConditionOnARoomHoldsThere() {
    transact(
        "{'ops':[{'op':'createRoom','room':'%1$s','owner':'%2$s'},{'op':'put','room':'%1$s','key':'k','value':1}]}"
            .formatted(room, bob));
    application.on(
        rule,
        (_, mutation) ->
            """
            {'if':[{'room':'%1$s','key':'k','version':1},{'room':'%1$s','key':'none','version':null},
            {'room':'no-such-room','key':'k','version':null}],
            'ops':[{'op':'put','key':'done','value':1}]}\
            """
                .formatted(room));
    Replica replica = replica(alice);

    replica.push(run(replica, "1"));
    replica.pull();

    assertThat(replica.view()).containsOnlyKeys("done");
  }

  /// Each does what all three kinds of writers do to one counter: none of it is lost or doubled.
  @Test
  void incrementsByRulesAndByABackendAtTheSameTimeAreEachAppliedOnce() throws Exception {
    application.on(rule, (_, _) -> increment(() -> {}));
    int each = 6;
    List<Replica> replicas = List.of(replica(alice), replica(alice), replica(alice));
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> running = new ArrayList<>();
      for (Replica replica : replicas) {
        running.add(
            threads.submit(() -> {
              for (int i = 0; i < each; i++) {
                List<JsonValue> body = List.of(run(replica, "1"));
                repeat(1, () -> replica.send(body));
              }
            }));
      }
      running.add(threads.submit(() -> repeat(each, this::incrementByRule)));
      running.add(threads.submit(() -> repeat(each, this::incrementByEntry)));
      for (Future<?> future : running) {
        future.get(60, TimeUnit.SECONDS);
      }
    }

    assertThat(stored("n").number).isEqualTo(each * (replicas.size() + 2L));
  }

  private static void repeat(int times, Supplier<HttpReply> step) {
    for (int i = 0; i < times; i++) {
      HttpReply reply = step.get();
      while (reply.status() == 503 || reply.status() == 412) {
        reply = step.get();
      }
      assertThat(reply.status()).as(reply.toString()).isIn(200, 201, 204);
    }
  }

  private HttpReply incrementByRule() {
    return mutate("", "{'userId':'%s','name':'%s','args':1}".formatted(alice, rule));
  }

  private HttpReply incrementByEntry() {
    Stored before = stored("n");
    HttpRequest request =
        HttpRequest.api("PUT", "/users/" + alice + "/entries/n")
            .by(client.token("backend", Caller.WRITE_SCOPE));
    return client.send(
        (before.version.equals("null")
                ? request.with("If-None-Match", "*")
                : request.with("If-Match", '"' + before.version + '"'))
            .with("" + (before.number + 1)));
  }

  // later

  @Test
  void aRuleThatWantsItLaterKeepsTheRestOfThePushWaiting() {
    AtomicInteger asked = new AtomicInteger();
    application.on(
        rule,
        (_, mutation) ->
            mutation.get("id").asLong() == 2 && asked.getAndIncrement() == 0
                ? "{'retry':true}"
                : put("k" + mutation.get("id").asLong(), "1"));
    Replica replica = replica(alice);
    List<JsonValue> body = List.of(run(replica, "1"), run(replica, "2"), run(replica, "3"));

    HttpReply reply = replica.send(body);

    assertThat(Problems.detail(reply, 503))
        .isEqualTo("The application's rules want it later; come again.");
    assertThat(reply.header("Retry-After")).isEqualTo("1");
    replica.pull();
    assertThat(replica.view()).containsOnlyKeys("k1");
    assertThat(replica.send(body).status()).isEqualTo(200);
    replica.pull();
    assertThat(replica.view()).containsOnlyKeys("k1", "k2", "k3");
  }

  // names

  @Test
  void aNameThatIsDefinedHereIsNotAskedAboutAndABuiltInOneOnlyWhereThereIsNoRule() {
    application.on("patch", (_, _) -> put("patched", "'by the rule'"));
    application.on("java", (_, _) -> put("never", "1"));
    Replica replica = replica(alice);

    replica.push(
        replica.mutation("java", json("1")),
        replica.put("a", json("1")),
        replica.mutation("patch", json("{'key':'a','merge':{'b':1}}")),
        replica.mutation("nobody-has-it", json("null")));
    replica.pull();

    assertThat(replica.view()).containsOnlyKeys("log", "a", "patched");
    assertThat(rejections(alice))
        .hasSize(1)
        .first()
        .asString()
        .startsWith("nobody-has-it unknown-mutator");
  }

  // POST /mutations

  private HttpReply mutate(String key, String body) {
    HttpRequest request =
        HttpRequest.api("POST", "/mutations").by(client.token("backend", Caller.WRITE_SCOPE));
    return client.send(
        (key.isEmpty() ? request : request.with("Idempotency-Key", key))
            .with(body.replace('\'', '"')));
  }

  @Test
  void aBackendRunsARuleForAUserOnceHoweverOftenItIsSent() throws Exception {
    application.on(rule, (_, _) -> increment(() -> {}));
    String body = "{'userId':'%s','name':'%s','args':[1]}".formatted(alice, rule);

    List<HttpReply> replies = AtOnce.send(6, _ -> mutate("\"" + rule + alice + "\"", body));

    assertThat(replies)
        .allSatisfy(reply -> assertThat(reply.body()).isEqualTo("{\"applied\":true}"));
    assertThat(stored("n").number).isEqualTo(1);
    int asked = application.requests(rule).size();
    assertThat(mutate("\"" + rule + alice + "\"", body).status()).isEqualTo(200);
    assertThat(application.requests(rule)).hasSize(asked);
    assertThat(application.requests(rule).getFirst().get("userId").asText()).isEqualTo(alice);
    assertThat(mutate("", body).status()).isEqualTo(200);
    assertThat(stored("n").number).isEqualTo(2);
  }

  @Test
  void aRuleThatRefusesABackendSaysWhyAndOneThatCannotDecideIsTriedAgain() {
    AtomicInteger asked = new AtomicInteger();
    application.on(
        rule,
        (_, mutation) ->
            mutation.get("args").asBoolean()
                ? "{'error':{'code':'sold-out','message':'none is left'}}"
                : asked.getAndIncrement() == 0 ? "{'retry':true}" : put("n", "1"));

    HttpReply refused =
        mutate("", "{'userId':'%s','name':'%s','args':true}".formatted(alice, rule));
    String later = "{'userId':'%s','name':'%s','args':false}".formatted(alice, rule);

    assertThat(refused.status()).isEqualTo(422);
    assertThat(refused.json().getString("code")).isEqualTo("sold-out");
    assertThat(Problems.detail(mutate("later" + rule + alice, later), 503)).contains("come again");
    assertThat(mutate("later" + rule + alice, later).status()).isEqualTo(200);
    assertThat(stored("n").number).isEqualTo(1);
  }

  // those who watch

  @Test
  void theInspectorShowsThemAsAnyOther() {
    application.on(
        rule,
        (_, mutation) ->
            mutation.get("id").asLong() == 1
                ? put("a", "1")
                : "{'error':{'code':'sold-out','message':'none is left'}}");
    Replica replica = replica(alice);
    try (StreamClient stream =
        client.open(HttpRequest.api("GET", "/stream?mutations=own").by(client.token(alice)))) {
      stream.expect("connected");

      replica.push(run(replica, "1"), run(replica, "2"));

      List<JsonValue> seen = new ArrayList<>();
      while (seen.size() < 2) {
        ServerSentEvent event = Objects.requireNonNull(stream.next());
        if (event.type().equals("mutation")) {
          seen.add(JsonValue.parse(event.data()));
        }
      }
      assertThat(seen).extracting(each -> each.get("name").asText()).containsOnly(rule);
      assertThat(seen)
          .extracting(each -> each.get("outcome").asText())
          .containsExactly("applied", "rejected");
    }
  }
}
