package dev.replistream.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.AtOnce;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import dev.replistream.api.Mutators;
import dev.replistream.api.RejectedException;
import dev.replistream.auth.Caller;
import dev.replistream.sync.Replica;
import jakarta.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The data API over raw HTTP. Each test has users and a room of its own.
abstract class BackendRules {
  private static final AtomicInteger TESTS = new AtomicInteger();

  /// Rules beside the built-in mutators.
  static final Mutators RULES =
      () ->
          Map.of(
              "refuse",
              (_, _) -> {
                throw new RejectedException("too-early", "come again tomorrow");
              },
              "fail",
              (_, _) -> {
                throw new IllegalStateException("a bug");
              },
              "count",
              (transaction, args) -> {
                String key = args.get("key").asText();
                long before = transaction.get(key).map(JsonValue::asLong).orElse(0L);
                transaction.put(key, JsonValue.of(before + 1));
              },
              "countIn",
              (transaction, args) -> {
                String room = args.get("room").asText();
                String key = args.get("key").asText();
                long before = transaction.get(room, key).map(JsonValue::asLong).orElse(0L);
                transaction.put(room, key, JsonValue.of(before + 1));
              });

  private final ServiceClient client;
  private final int test = TESTS.incrementAndGet();
  private final String alice = "alice-b" + test;
  private final String bob = "bob-b" + test;
  private final String room = "room-b" + test;

  BackendRules(TestService service) {
    client = service.client();
  }

  private String backend() {
    return client.token("backend", Caller.WRITE_SCOPE);
  }

  private HttpReply send(String method, String route, String token) {
    return client.send(HttpRequest.api(method, route).by(token));
  }

  private HttpReply send(String method, String route, String token, String body) {
    return client.send(HttpRequest.api(method, route).by(token).with(body));
  }

  private HttpReply transact(String body) {
    return send("POST", "/transactions", backend(), body.replace('\'', '"'));
  }

  private String ofRoom(String rest) {
    return "/rooms/" + room + rest;
  }

  private String ofUser(String userId, String rest) {
    return "/users/" + userId + rest;
  }

  private static void requireStatus(HttpReply reply, int status) {
    assertThat(reply.status()).as(reply.toString()).isEqualTo(status);
  }

  /// A room of alice's with three entries.
  private void makeRoom() {
    requireStatus(
        transact(
            """
            {'ops':[{'op':'createRoom','room':'%1$s','owner':'%2$s'},
            {'op':'put','room':'%1$s','key':'todo/1','value':{'a':1}},
            {'op':'put','room':'%1$s','key':'todo/2','value':2},
            {'op':'put','room':'%1$s','key':'x','value':null}]}\
            """
                .formatted(room, alice)),
        200);
  }

  private List<String> keys(HttpReply reply) {
    requireStatus(reply, 200);
    return reply.json().getJsonArray("entries").getValuesAs(JsonObject.class).stream()
        .map(entry -> entry.getString("key"))
        .toList();
  }

  // reading

  @Test
  void aUserReadsTheirRoomsAndTheirOwnEntriesAndNothingElse() {
    makeRoom();
    requireStatus(
        transact("{'ops':[{'op':'put','user':'%s','key':'mine','value':1}]}".formatted(bob)), 200);

    assertThat(keys(send("GET", ofRoom("/entries"), client.token(alice))))
        .containsExactly("todo/1", "todo/2", "x");
    assertThat(keys(send("GET", ofUser(bob, "/entries"), client.token(bob))))
        .containsExactly("mine");
    assertThat(Problems.detail(send("GET", ofRoom("/entries"), client.token(bob)), 404))
        .isEqualTo("There is no room of that id that you are a member of.");
    assertThat(Problems.detail(send("GET", ofRoom("/entries/todo%2F1"), client.token(bob)), 404))
        .isEqualTo("There is no room of that id that you are a member of.");
    assertThat(Problems.detail(send("GET", ofUser(bob, "/entries"), client.token(alice)), 403))
        .contains("replicache:read");
    assertThat(Problems.detail(send("GET", ofRoom("/changes?since=0"), client.token(bob)), 404))
        .contains("no room");
    requireStatus(send("GET", ofRoom("/entries"), "none"), 401);
  }

  @ParameterizedTest
  @ValueSource(strings = {Caller.READ_SCOPE, Caller.WRITE_SCOPE})
  void aBackendReadsEverything(String scope) {
    makeRoom();
    String token = client.token("backend", scope);

    assertThat(keys(send("GET", ofRoom("/entries"), token))).hasSize(3);
    assertThat(keys(send("GET", ofUser("nobody-" + test, "/entries"), token))).isEmpty();
    assertThat(Problems.detail(send("GET", "/rooms/none/entries", token), 404))
        .isEqualTo("There is no room of that id.");
  }

  @Test
  void entriesComeInPagesInTheOrderOfTheirBytes() {
    makeRoom();
    String token = client.token(alice);

    HttpReply first = send("GET", ofRoom("/entries?prefix=todo%2F&limit=1"), token);
    assertThat(keys(first)).containsExactly("todo/1");
    JsonObject entry = first.json().getJsonArray("entries").getJsonObject(0);
    assertThat(entry.getJsonObject("value").getInt("a")).isOne();
    assertThat(entry.getInt("version")).isEqualTo(first.json().getInt("version"));
    assertThat(first.json().getString("next")).isEqualTo("todo/2");
    HttpReply second = send("GET", ofRoom("/entries?prefix=todo%2F&limit=1&start=todo%2F2"), token);
    assertThat(keys(second)).containsExactly("todo/2");
    assertThat(second.json().containsKey("next")).isFalse();
    assertThat(keys(send("GET", ofRoom("/entries?start=u"), token))).containsExactly("x");
    assertThat(first.header("ETag")).isEqualTo("\"" + first.json().getInt("version") + "\"");
  }

  @Test
  void allEntriesComeAsLinesWhereThatIsAskedFor() {
    makeRoom();

    HttpReply reply =
        client.send(
            HttpRequest.api("GET", ofRoom("/entries"))
                .by(client.token(alice))
                .with("Accept", "application/x-ndjson"));

    assertThat(reply.header("Content-Type")).isEqualTo("application/x-ndjson");
    assertThat(reply.body().lines().map(JsonValue::parse).map(line -> line.get("key").asText()))
        .containsExactly("todo/1", "todo/2", "x");
    assertThat(reply.body()).endsWith("\n");
    requireStatus(
        client.send(
            HttpRequest.api("GET", ofRoom("/entries"))
                .by(client.token(alice))
                .with("Accept", "text/csv")),
        406);
  }

  @ParameterizedTest
  @CsvSource({
    "limit=0, limit is a whole number from 1 to 10000.",
    "limit=10001, limit is a whole number from 1 to 10000.",
    "limit=ten, limit is a whole number from 1 to 10000.",
    "limit=99999999999999999999, limit is a whole number from 1 to 10000.",
    "prefx=a, 'The query has a parameter that is none of prefix, start, limit.'",
    "prefix=a&prefix=b, The query has prefix more than once.",
  })
  void aBadQueryIsRefusedByItsName(String query, String detail) {
    assertThat(
            Problems.detail(
                send("GET", ofUser(alice, "/entries?" + query), client.token(alice)), 400))
        .isEqualTo(detail);
  }

  @Test
  void anEntryIsReadByItsKeyWhateverThatIs() {
    String key = "ä/../ %?#\\\"";
    requireStatus(
        transact(
            JsonValue.object()
                .with(
                    "ops",
                    JsonValue.array(
                        JsonValue.object()
                            .with("op", "put")
                            .with("user", alice)
                            .with("key", key)
                            .with("value", JsonValue.parse("[1.0,\"é\"]"))
                            .build()))
                .build()
                .toJson()),
        200);
    String route = ofUser(alice, "/entries/%C3%A4%2F..%2F%20%25%3F%23%5C%22");

    HttpReply reply = send("GET", route, client.token(alice));

    assertThat(reply.body()).isEqualTo("[1.0,\"é\"]");
    assertThat(reply.header("Content-Type")).isEqualTo("application/json");
    String tag = Objects.requireNonNull(reply.header("ETag"));
    assertThat(
            client
                .send(
                    HttpRequest.api("GET", route)
                        .by(client.token(alice))
                        .with("If-None-Match", "\"0\", W/" + tag))
                .status())
        .isEqualTo(304);
    assertThat(
            Problems.detail(send("GET", ofUser(alice, "/entries/none"), client.token(alice)), 404))
        .isEqualTo("There is no entry of that key.");
  }

  // writing one entry

  @Test
  void anEntryIsWrittenPatchedAndDeletedByItsVersion() {
    String route = ofUser(alice, "/entries/k");
    HttpReply created = send("PUT", route, backend(), "{\"a\":1,\"b\":2}");
    requireStatus(created, 201);
    String tag = Objects.requireNonNull(created.header("ETag"));

    HttpReply patched =
        client.send(
            HttpRequest.api("PATCH", route)
                .by(backend())
                .with("Content-Type", "application/merge-patch+json")
                .with("If-Match", tag)
                .with("{\"a\":null,\"c\":3}"));
    requireStatus(patched, 204);
    assertThat(patched.header("ETag")).isNotEqualTo(tag);
    assertThat(send("GET", route, client.token(alice)).body()).isEqualTo("{\"b\":2,\"c\":3}");

    HttpReply late =
        client.send(
            HttpRequest.api("PUT", route).by(backend()).with("If-Match", tag).with("\"lost\""));
    assertThat(Problems.detail(late, 412)).startsWith("The entry has version");
    HttpReply again =
        client.send(
            HttpRequest.api("PUT", route).by(backend()).with("If-None-Match", "*").with("1"));
    assertThat(Problems.detail(again, 412)).startsWith("The entry has version");
    assertThat(send("GET", route, client.token(alice)).body()).isEqualTo("{\"b\":2,\"c\":3}");

    requireStatus(send("PUT", route, backend(), "7"), 204);
    requireStatus(send("DELETE", route, backend()), 204);
    requireStatus(send("DELETE", route, backend()), 404);
    assertThat(
            Problems.detail(
                client.send(
                    HttpRequest.api("PUT", route).by(backend()).with("If-Match", "*").with("1")),
                412))
        .isEqualTo("There is no such entry.");
    assertThat(
            Problems.detail(
                client.send(
                    HttpRequest.api("PATCH", route)
                        .by(backend())
                        .with("Content-Type", "application/merge-patch+json")
                        .with("{}")),
                404))
        .isEqualTo("There is no entry of that key.");
  }

  @Test
  void aUserWritesNoEntriesPastTheRules() {
    makeRoom();
    for (String token : List.of(client.token(alice), client.token(alice, Caller.READ_SCOPE))) {
      assertThat(Problems.detail(send("PUT", ofUser(alice, "/entries/k"), token, "1"), 403))
          .isEqualTo(
              "Writing entries past the rules needs a token with the scope replicache:write.");
      assertThat(Problems.detail(send("DELETE", ofRoom("/entries/x"), token), 403))
          .contains("replicache:write");
      assertThat(Problems.detail(send("POST", "/transactions", token, "{\"ops\":[]}"), 403))
          .isEqualTo("A transaction needs a token with the scope replicache:write.");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "PUT, application/json, '{', 400",
    "PUT, application/json, '', 400",
    "PUT, application/json, '1e400', 400",
    "PATCH, application/json, '{}', 415",
  })
  void aBadValueIsRefused(String method, String type, String body, int status) {
    Problems.detail(
        client.send(
            HttpRequest.api(method, ofUser(alice, "/entries/k"))
                .by(backend())
                .with("Content-Type", type)
                .with(body)),
        status);
    requireStatus(send("GET", ofUser(alice, "/entries/k"), client.token(alice)), 404);
  }

  @Test
  void whatIsTooLargeIsRefused() {
    String large = "\"" + "x".repeat(1 << 20) + "\"";
    assertThat(Problems.detail(send("PUT", ofUser(alice, "/entries/k"), backend(), large), 413))
        .contains("limit");
    assertThat(
            Problems.detail(
                send("PUT", ofUser(alice, "/entries/" + "k".repeat(1025)), backend(), "1"), 400))
        .isEqualTo("A key has 1024 bytes in UTF-8 at most.");
    assertThat(
            Problems.detail(
                transact("{'ops':[{'op':'put','user':'u','key':'k','value':%s}]}".formatted(large)),
                400))
        .isEqualTo("ops[0].value has more than 1048576 bytes.");
    requireStatus(send("PUT", "/rooms/none-" + test + "/entries/k", backend(), "1"), 404);
  }

  // transactions

  @Test
  void aTransactionIsAppliedWholeAndItsReadersArePoked() {
    makeRoom();
    Replica replica = Replica.of(client, alice);
    replica.pull();
    try (StreamClient stream = client.connected(alice)) {
      HttpReply reply =
          transact(
              """
              {'ops':[{'op':'put','room':'%1$s','key':'todo/3','value':'new'},
              {'op':'patch','room':'%1$s','key':'todo/1','merge':{'b':2}},
              {'op':'patch','room':'%1$s','key':'none','merge':{'b':2}},
              {'op':'patch','user':'%2$s','key':'made','merge':{'b':2},'create':true},
              {'op':'del','room':'%1$s','key':'x'},
              {'op':'putMember','room':'%1$s','userId':'%3$s','role':'reader'}]}\
              """
                  .formatted(room, alice, bob));
      requireStatus(reply, 200);
      assertThat(reply.json().getBoolean("applied")).isTrue();
      assertThat(
              reply.json().getJsonArray("versions").getValuesAs(JsonObject.class).stream()
                  .map(each -> each.getString("room", each.getString("user", ""))))
          .containsExactly(alice, room);
      stream.expect("sync");
    }
    replica.pull();
    assertThat(replica.view())
        .containsEntry("todo/3", JsonValue.of("new"))
        .containsEntry("todo/1", JsonValue.parse("{\"a\":1,\"b\":2}"))
        .containsEntry("made", JsonValue.parse("{\"b\":2}"))
        .doesNotContainKeys("x", "none");
    assertThat(keys(send("GET", ofRoom("/entries"), client.token(bob)))).hasSize(3);
    requireStatus(
        transact("{'ops':[{'op':'removeMember','room':'%s','userId':'%s'}]}".formatted(room, bob)),
        200);
    requireStatus(send("GET", ofRoom("/entries"), client.token(bob)), 404);
    requireStatus(transact("{'ops':[{'op':'deleteRoom','room':'%s'}]}".formatted(room)), 200);
    requireStatus(send("GET", ofRoom("/entries"), backend()), 404);
  }

  @Test
  void nothingIsAppliedWhereAConditionDoesNotHold() {
    makeRoom();
    int version = send("GET", ofRoom("/entries?limit=1"), backend()).json().getInt("version");
    String ops = "'ops':[{'op':'put','room':'%s','key':'todo/2','value':3}]".formatted(room);
    String holds = "{'room':'%s','key':'todo/2','version':%s}".formatted(room, version);
    String absent = "{'room':'%s','key':'none','version':null}".formatted(room);

    requireStatus(transact("{'if':[" + holds + "," + absent + "]," + ops + "}"), 200);
    HttpReply late = transact("{" + ops + ",'if':[" + absent + "," + holds + "]}");

    requireStatus(late, 412);
    assertThat(late.json().getString("if")).isEqualTo("1");
    assertThat(late.json().getString("detail"))
        .isEqualTo("if[1]: The entry has version %s.".formatted(version + 1));
    assertThat(send("GET", ofRoom("/entries/todo%2F2"), backend()).body()).isEqualTo("3");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[]|The body is a JSON object with ops, and if, where something has to hold.",
        "{}|The body is a JSON object with ops, and if, where something has to hold.",
        "{'ops':[],'opts':1}|The body is a JSON object with ops, and if, where something has to hold.",
        "{'ops':{}}|ops must be an array.",
        "{'ops':[1]}|ops[0] must be an object.",
        "{'ops':[{'op':'del','user':'u','key':'k'},{'op':'drop'}]}|ops[1].op must be one of put, patch, del, createRoom, deleteRoom, putMember, removeMember.",
        "{'ops':[{'op':'put','key':'k','value':1}]}|ops[0] needs either room or user.",
        "{'ops':[{'op':'put','room':'r','user':'u','key':'k','value':1}]}|ops[0] needs either room or user.",
        "{'ops':[{'op':'put','user':'u','key':1,'value':1}]}|ops[0].key must be a string.",
        "{'ops':[{'op':'put','user':'u','key':'k'}]}|ops[0].value is missing.",
        "{'ops':[{'op':'put','user':'u','key':'k','value':1,'value':2}]}|ops[0] names a member twice.",
        "{'ops':[{'op':'del','user':'u','key':'k','value':1}]}|ops[0].value is no member of the op del.",
        "{'ops':[{'op':'patch','user':'u','key':'k','merge':{},'create':'yes'}]}|ops[0].create must be true or false.",
        "{'ops':[{'op':'putMember','room':'r','userId':'u','role':'boss'}]}|ops[0].role must be owner, writer or reader.",
        "{'ops':[],'if':[{'user':'u','key':'k'}]}|if[0].version must be the version of an entry, or null for none.",
        "{'ops':[],'if':[{'user':'u','key':'k','version':'1'}]}|if[0].version must be the version of an entry, or null for none.",
        "{'ops':[{'op':'put','user':'','key':'k','value':1}]}|ops[0]: An id is a string of 1 to 128 characters without control characters, not . or .. alone.",
      })
  void whatIsWrongInATransactionIsNamedByItsPlace(String body, String detail) {
    assertThat(Problems.detail(transact(body), 400)).isEqualTo(detail);
  }

  @Test
  void nothingIsAppliedWhereOneOpCanNot() {
    makeRoom();
    for (String last :
        List.of(
            "{'op':'put','room':'none','key':'k','value':1}",
            "{'op':'removeMember','room':'%s','userId':'%s'}".formatted(room, bob),
            "{'op':'createRoom','room':'%s'}".formatted(room),
            "{'op':'put','user':'u','key':'k','value':1e999}",
            "{'op':'put','user':'u','key':'%s','value':1}".formatted("k".repeat(1025)))) {
      HttpReply reply =
          transact(
              "{'ops':[{'op':'put','room':'%s','key':'first','value':1},%s]}"
                  .formatted(room, last));

      assertThat(reply.status()).as(last).isBetween(400, 409);
      assertThat(reply.json().getString("detail")).startsWith("ops[1]: ");
      requireStatus(send("GET", ofRoom("/entries/first"), backend()), 404);
    }
  }

  @Test
  void writersWithConditionsLoseNothing() throws Exception {
    makeRoom();
    String route = ofRoom("/entries/counter");
    requireStatus(send("PUT", route, backend(), "0"), 201);
    AtomicInteger won = new AtomicInteger();
    for (int round = 0; round < 5; round++) {
      AtOnce.send(
          8,
          _ -> {
            HttpReply read = send("GET", route, backend());
            HttpReply written =
                client.send(
                    HttpRequest.api("PUT", route)
                        .by(backend())
                        .with("If-Match", Objects.requireNonNull(read.header("ETag")))
                        .with(Integer.toString(Integer.parseInt(read.body()) + 1)));
            assertThat(written.status()).isIn(204, 412);
            won.addAndGet(written.status() == 204 ? 1 : 0);
            return written;
          });
    }

    assertThat(send("GET", route, backend()).body()).isEqualTo(won.toString());
    assertThat(won).hasPositiveValue();
  }

  // changes

  @Test
  void changesSinceAVersionAreWhatWasWrittenAndWhatIsGone() {
    makeRoom();
    int version = send("GET", ofRoom("/entries"), backend()).json().getInt("version");
    requireStatus(send("DELETE", ofRoom("/entries/x"), backend()), 204);
    requireStatus(send("PUT", ofRoom("/entries/todo%2F2"), backend(), "22"), 204);
    requireStatus(send("PUT", ofRoom("/entries/short"), backend(), "1"), 201);
    requireStatus(send("DELETE", ofRoom("/entries/short"), backend()), 204);

    HttpReply changes = send("GET", ofRoom("/changes?since=" + version), backend());

    assertThat(keys(changes)).containsExactly("todo/2");
    assertThat(changes.json().getJsonArray("deleted").getValuesAs(Object::toString))
        .containsExactly("\"x\"");
    assertThat(changes.json().getInt("version")).isEqualTo(version + 4);
    assertThat(keys(send("GET", ofRoom("/changes?since=" + (version + 4)), backend()))).isEmpty();
    HttpReply lines =
        client.send(
            HttpRequest.api("GET", ofRoom("/changes?since=" + version))
                .by(backend())
                .with("Accept", "application/x-ndjson"));
    assertThat(lines.body().lines())
        .containsExactly(
            "{\"key\":\"todo/2\",\"version\":%s,\"value\":22}".formatted(version + 2),
            "{\"key\":\"x\",\"deleted\":true}");
    assertThat(
            Problems.detail(send("GET", ofRoom("/changes?since=" + (version + 5)), backend()), 410))
        .contains("read all entries anew");
    assertThat(Problems.detail(send("GET", ofRoom("/changes"), backend()), 400))
        .startsWith("since is the version that you have");
  }

  @Test
  void whoJoinsLaterHearsOfNothingThatWasGoneBefore() {
    makeRoom();
    int version = send("GET", ofRoom("/entries"), backend()).json().getInt("version");
    requireStatus(send("DELETE", ofRoom("/entries/x"), backend()), 204);
    requireStatus(
        transact(
            "{'ops':[{'op':'putMember','room':'%s','userId':'%s','role':'reader'}]}"
                .formatted(room, bob)),
        200);

    Problems.detail(send("GET", ofRoom("/changes?since=" + version), client.token(bob)), 410);
    HttpReply all = send("GET", ofRoom("/changes?since=0"), client.token(bob));
    assertThat(keys(all)).containsExactly("todo/1", "todo/2");
    assertThat(all.json().getJsonArray("deleted")).isEmpty();
  }

  // mutations

  @Test
  void aRuleRunsForAUser() {
    requireStatus(
        send(
            "POST",
            "/mutations",
            client.token(alice),
            "{\"name\":\"count\",\"args\":{\"key\":\"c\"}}"),
        200);
    HttpReply byBackend =
        send(
            "POST",
            "/mutations",
            backend(),
            "{\"userId\":\"%s\",\"name\":\"count\",\"args\":{\"key\":\"c\"}}".formatted(alice));

    assertThat(byBackend.body()).isEqualTo("{\"applied\":true}");
    assertThat(send("GET", ofUser(alice, "/entries/c"), client.token(alice)).body()).isEqualTo("2");
    assertThat(
            Problems.detail(
                send(
                    "POST",
                    "/mutations",
                    client.token(bob),
                    "{\"userId\":\"%s\",\"name\":\"count\",\"args\":{\"key\":\"c\"}}"
                        .formatted(alice)),
                403))
        .isEqualTo("Running a rule as another user needs a token with the scope replicache:write.");
  }

  @ParameterizedTest
  @CsvSource({
    "refuse, too-early, come again tomorrow",
    "fail, failed, The mutator failed.",
    "none, unknown-mutator, no such mutator",
    "count, bad-arguments, 'the member \"key\" is missing'",
  })
  void aRuleThatRefusesSaysWhy(String name, String code, String message) {
    HttpReply reply =
        send(
            "POST",
            "/mutations",
            client.token(alice),
            "{\"name\":\"%s\",\"args\":{}}".formatted(name));

    requireStatus(reply, 422);
    assertThat(reply.json().getString("code")).isEqualTo(code);
    assertThat(reply.json().getString("detail")).isEqualTo(message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "{\"args\":1}", "{\"name\":1}", "{\"name\":\"a\",\"arg\":1}"})
  void aMutationThatIsNoneIsRefused(String body) {
    assertThat(Problems.detail(send("POST", "/mutations", client.token(alice), body), 400))
        .startsWith("The body is a JSON object with name");
  }

  // erasing

  @Test
  void anErasedUserLeavesNothingButWhatIsOthers() {
    makeRoom();
    String own = "own-" + room;
    requireStatus(
        transact(
            """
            {'ops':[{'op':'createRoom','room':'%1$s','owner':'%2$s'},
            {'op':'put','room':'%1$s','key':'k','value':1},
            {'op':'putMember','room':'%3$s','userId':'%4$s','role':'writer'},
            {'op':'putMember','room':'%3$s','userId':'reader-%4$s','role':'reader'}]}\
            """
                .formatted(own, alice, room, bob)),
        200);
    Replica replica = Replica.of(client, alice);
    replica.push(
        replica.put("mine", JsonValue.of(1)), replica.mutation("refuse", JsonValue.ofNull()));
    replica.pull();
    requireStatus(
        send("PUT", ofRoom("/members/carol-" + test), client.token(alice), "{\"role\":\"reader\"}"),
        202);

    assertThat(Problems.detail(send("DELETE", ofUser(alice, ""), client.token(alice)), 403))
        .isEqualTo("Erasing a user needs a token with the scope replicache:write.");
    requireStatus(send("DELETE", ofUser(alice, ""), backend()), 204);

    assertThat(keys(send("GET", ofUser(alice, "/entries"), backend()))).isEmpty();
    assertThat(send("GET", "/rooms", client.token(alice)).body()).isEqualTo("{\"rooms\":[]}");
    assertThat(send("GET", "/rejections", client.token(alice)).body())
        .isEqualTo("{\"rejections\":[]}");
    assertThat(send("GET", "/usage", client.token(alice)).json().getInt("bytes")).isZero();
    assertThat(send("GET", "/invitations", client.token("carol-" + test)).body())
        .isEqualTo("{\"invitations\":[]}");
    requireStatus(send("GET", "/rooms/" + own + "/entries", backend()), 404);
    assertThat(send("GET", ofRoom("/members"), client.token(bob)).body())
        .contains("{\"userId\":\"" + bob + "\",\"role\":\"owner\"")
        .doesNotContain(alice);
    assertThat(keys(send("GET", ofRoom("/entries"), client.token(bob)))).hasSize(3);
    HttpReply late =
        send(
            "POST",
            "/push",
            client.token(alice),
            replica.pushBody(List.of(replica.put("late", JsonValue.of(1)))).toJson());
    assertThat(late.body()).isEqualTo("{\"error\":\"ClientStateNotFound\"}");
    requireStatus(send("DELETE", ofUser(alice, ""), backend()), 204);
    Replica fresh = Replica.of(client, alice);
    fresh.push(fresh.put("new", JsonValue.of(2)));
    fresh.pull();
    assertThat(fresh.view()).containsOnlyKeys("new");
  }

  // idempotency

  @Test
  void aRequestWithAKeyIsDoneOnceHoweverOftenItIsSent() throws Exception {
    String body =
        "{\"userId\":\"%s\",\"name\":\"count\",\"args\":{\"key\":\"c\"}}".formatted(alice);
    HttpRequest request =
        HttpRequest.api("POST", "/mutations")
            .by(backend())
            .with("Idempotency-Key", "\"" + alice + "\"")
            .with(body);

    List<HttpReply> replies = new ArrayList<>(AtOnce.send(12, _ -> client.send(request)));
    replies.add(client.send(request));

    assertThat(replies)
        .allSatisfy(reply -> {
          requireStatus(reply, 200);
          assertThat(reply.body()).isEqualTo("{\"applied\":true}");
        });
    assertThat(send("GET", ofUser(alice, "/entries/c"), backend()).body()).isEqualTo("1");
    HttpReply other =
        client.send(
            HttpRequest.api("POST", "/mutations")
                .by(backend())
                .with("Idempotency-Key", alice) // without quotes it is the same
                .with(body.replace("\"c\"", "\"d\"")));
    assertThat(Problems.detail(other, 422)).startsWith("This Idempotency-Key was used");
  }

  @Test
  void aRefusalWithAKeyIsGivenAgainToo() {
    HttpRequest request =
        HttpRequest.api("POST", "/transactions")
            .by(backend())
            .with("Idempotency-Key", "\"r-" + alice + "\"")
            .with(
                "{\"if\":[{\"user\":\"%1$s\",\"key\":\"k\",\"version\":5}],\"ops\":[{\"op\":\"put\",\"user\":\"%1$s\",\"key\":\"k\",\"value\":1}]}"
                    .formatted(alice));
    HttpReply first = client.send(request);
    requireStatus(first, 412);
    requireStatus(send("PUT", ofUser(alice, "/entries/k"), backend(), "0"), 201);

    assertThat(client.send(request).body()).isEqualTo(first.body());
    assertThat(client.send(request).header("Content-Type")).isEqualTo("application/problem+json");
    assertThat(send("GET", ofUser(alice, "/entries/k"), backend()).body()).isEqualTo("0");
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"", "\"\"", "a b", "\"a\", \"b\"", "\"ä\""})
  void aKeyThatIsNoneIsRefused(String key) {
    assertThat(
            Problems.detail(
                client.send(
                    HttpRequest.api("POST", "/mutations")
                        .by(backend())
                        .with("Idempotency-Key", key)
                        .with("{\"name\":\"count\"}")),
                400))
        .startsWith("Idempotency-Key is one string");
  }
}
