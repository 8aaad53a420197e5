package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.AtOnce;
import dev.replistream.Eventually;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.LogCapture;
import dev.replistream.Problems;
import dev.replistream.Rounds;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import dev.replistream.data.RoomPurge;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a server of Replicache has to do, rule by rule, over raw HTTP. Each test has users of its
/// own.
abstract class ProtocolRules {
  /// The settings that the rules need beside that of the database.
  static final String[] SETTINGS = {
    "SYNC_COMPACTION_INTERVAL", "PT0.05S", "SYNC_MAX_VALUE", "2000", "ROOMS_MEMBERSHIP", "direct"
  };

  private static final AtomicInteger TESTS = new AtomicInteger();
  private static final JsonValue ONE = JsonValue.of(1);
  private static final JsonValue TWO = JsonValue.of(2);

  private final int test = TESTS.incrementAndGet();
  final String alice = "alice" + test;
  final String bob = "bob" + test;
  final String room = "room" + test;

  /// The running service.
  abstract TestService service();

  /// Its database, for what no client can do.
  abstract String databaseUrl();

  final ServiceClient client() {
    return service().client();
  }

  final Replica replica(String userId) {
    return Replica.of(client(), userId);
  }

  final int execute(String sql, Object... parameters) {
    try (Connection connection = DriverManager.getConnection(databaseUrl());
        PreparedStatement statement = prepare(connection, sql, parameters)) {
      return statement.executeUpdate();
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
  }

  final long number(String sql, Object... parameters) {
    try (Connection connection = DriverManager.getConnection(databaseUrl());
        PreparedStatement statement = prepare(connection, sql, parameters);
        ResultSet row = statement.executeQuery()) {
      assertThat(row.next()).isTrue();
      return row.getLong(1);
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
  }

  private static PreparedStatement prepare(Connection connection, String sql, Object... parameters)
      throws SQLException {
    PreparedStatement statement = connection.prepareStatement(sql);
    for (int i = 0; i < parameters.length; i++) {
      statement.setObject(i + 1, parameters[i]);
    }
    return statement;
  }

  private HttpReply post(String route, String userId, String body) {
    return client()
        .send(
            HttpRequest.api("POST", route)
                .by(client().token(userId))
                .with("Content-Type", "application/json")
                .with(body));
  }

  private static List<JsonValue> wrong(Replica replica, String mutator, String key) {
    return List.of(replica.mutation(mutator, JsonValue.of(key)));
  }

  // 1: versions

  @ParameterizedTest
  @ValueSource(strings = {"push", "pull"})
  void rule1aVersionThatIsNotSpokenIsAnsweredAsSuchWithStatus200(String route) {
    HttpReply reply =
        post(
            "/" + route,
            alice,
            "{\"" + route + "Version\":0,\"profileID\":\"p\",\"clientID\":\"c\",\"mutations\":[]}");

    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.body())
        .isEqualTo("{\"error\":\"VersionNotSupported\",\"versionType\":\"" + route + "\"}");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "[]", "{}", "null", "{\"pushVersion\":1,\"pullVersion\":1}"})
  void rule1aMalformedBodyIsRefused(String body) {
    Problems.detail(post("/push", alice, body), 400);
    Problems.detail(post("/pull", alice, body), 400);
  }

  @Test
  void rule1aBodyOfAnotherKindIsRefusedAndOneOfNoKindIsRead() {
    Replica replica = replica(alice);
    HttpRequest push = HttpRequest.api("POST", "/push").by(client().token(alice));
    String body = replica.pushBody(List.of(replica.put("a", ONE))).toJson();

    Problems.detail(client().send(push.with("Content-Type", "text/plain").with(body)), 415);
    assertThat(client().send(push.with(body)).status()).isEqualTo(200);
    assertThat(
            client()
                .send(push.with("Content-Type", "Application/JSON; charset=utf-8").with(body))
                .status())
        .isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/push", "/pull"})
  void rule1onlyPostIsTaken(String route) {
    HttpRequest get = HttpRequest.api("GET", route).by(client().token(alice));

    HttpReply refused = client().send(get);
    assertThat(refused.status()).isEqualTo(405);
    assertThat(refused.header("Allow")).isEqualTo("POST");
  }

  // 2: who is calling

  private String expiredToken() {
    Clock yesterday = Clock.offset(Clock.systemUTC(), Duration.ofDays(-1));
    return new ServiceClient(0, 0, TestService.settings(), yesterday).token(alice);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/push", "/pull"})
  void rule2nobodyCallsWithoutAGoodToken(String route) {
    HttpRequest request = HttpRequest.api("POST", route).with("{}");
    List<HttpRequest> refused =
        List.of(
            request,
            request.with("Authorization", ""),
            request.by("nonsense"),
            request.by(expiredToken()));

    for (HttpRequest each : refused) {
      HttpReply reply = client().send(each);
      Problems.detail(reply, 401);
      assertThat(reply.header("WWW-Authenticate")).startsWith("Bearer");
    }
  }

  @Test
  void rule2theBodyNeverSaysWhoCalls() {
    replica(alice).push(replica(alice).put("secret", ONE));
    Replica other = replica(bob);

    HttpReply reply =
        post("/pull", bob, other.pullBody(JsonValue.ofNull()).toJson().replace("p1", alice));

    assertThat(JsonValue.parse(reply.body()).get("patch").toJson())
        .isEqualTo("[{\"op\":\"clear\"}]");
  }

  // 3: the client group

  @Test
  void rule3aClientGroupIsOfTheUserWhoPushedFirst() {
    Replica mine = replica(alice);
    mine.push(mine.put("a", ONE));

    String push = mine.pushBody(List.of(mine.put("a", TWO))).toJson();
    Problems.detail(post("/push", bob, push), 403);
    Problems.detail(post("/pull", bob, mine.pullBody(JsonValue.ofNull()).toJson()), 403);

    mine.pull();
    assertThat(mine.view()).containsExactly(Map.entry("a", ONE));
    assertThat(mine.acknowledged()).isEqualTo(1);
  }

  @Test
  void rule3pushesThatMakeAClientGroupAtTheSameTimeAllSucceed() throws Exception {
    for (int round = 0; round < 20; round++) {
      Replica first = replica(alice);
      List<HttpReply> replies =
          AtOnce.send(
              8,
              _ -> {
                Replica tab = first.tab();
                return tab.send(tab.mutation("increment", JsonValue.of("n")));
              });

      assertThat(replies).allMatch(reply -> reply.status() == 200);
    }
    Replica reader = replica(alice);
    reader.pull();
    assertThat(reader.view()).containsEntry("n", JsonValue.of(160));
  }

  // 4: the client

  @Test
  void rule4aClientOfAnotherGroupIsRefused() {
    Replica mine = replica(alice);
    mine.push(mine.put("a", ONE));
    Replica other = replica(alice);

    HttpReply reply =
        post("/push", alice, other.pushBody(List.of(mine.mutation(2, "put", ONE))).toJson());

    Problems.detail(reply, 403);
  }

  @Test
  void rule4ofTwoGroupsThatClaimOneClientAtOnceOneIsRefusedAndHasNoEffect() throws Exception {
    for (int round = 0; round < 20; round++) {
      Replica first = replica(alice);
      Replica second = replica(alice);
      JsonValue mutation = first.mutation("increment", JsonValue.of("n"));
      List<HttpReply> replies =
          AtOnce.send(2, index -> (index == 0 ? first : second).send(mutation));

      assertThat(replies).extracting(HttpReply::status).containsExactlyInAnyOrder(200, 403);
    }
    Replica reader = replica(alice);
    reader.pull();
    assertThat(reader.view()).containsEntry("n", JsonValue.of(20));
  }

  @Test
  void rule4aClientThatIsNotKnownBeginsWithItsFirstMutation() {
    Replica known = replica(alice);
    known.push(known.put("a", ONE));
    Replica lost = known.tab();

    HttpReply reply = lost.send(lost.mutation(2, "put", ONE));

    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.body()).isEqualTo("{\"error\":\"ClientStateNotFound\"}");
    assertThat(number("SELECT COUNT(*) FROM client WHERE id = ?", lost.clientId)).isZero();
  }

  @Test
  void rule4aLostClientAmongOthersTakesNothingFromThem() {
    Replica known = replica(alice);
    Replica lost = known.tab();

    HttpReply reply =
        known.send(known.put("a", ONE), lost.mutation(7, "put", ONE), known.put("b", ONE));

    assertThat(reply.body()).isEqualTo("{\"error\":\"ClientStateNotFound\"}");
    known.pull();
    assertThat(known.view()).containsExactly(Map.entry("a", ONE));
  }

  // 5: order

  @Test
  void rule5whatWasAppliedIsSkipped() {
    Replica replica = replica(alice);
    JsonValue first = replica.mutation("increment", JsonValue.of("n"));
    JsonValue second = replica.mutation("increment", JsonValue.of("n"));
    replica.push(first);

    replica.push(first, second);
    replica.push(first, second);

    replica.pull();
    assertThat(replica.view()).containsEntry("n", TWO);
    assertThat(replica.acknowledged()).isEqualTo(2);
  }

  @Test
  void rule5atAGapThePushStopsAndIsNoSuccess() {
    Replica replica = replica(alice);
    JsonValue first = replica.put("a", ONE);
    JsonValue second = replica.put("b", ONE);
    JsonValue third = replica.put("c", ONE);

    Problems.detail(replica.send(first, third), 409);
    replica.pull();
    assertThat(replica.view()).containsOnlyKeys("a");
    assertThat(replica.acknowledged()).isEqualTo(1);

    replica.push(first, second, third);
    replica.pull();
    assertThat(replica.view()).containsOnlyKeys("a", "b", "c");
  }

  @Test
  void rule5theOrderIsThatOfEachClientWhenSeveralShareAPush() {
    Replica one = replica(alice);
    Replica other = one.tab();

    one.push(
        one.mutation("increment", JsonValue.of("n")),
        other.mutation("increment", JsonValue.of("n")),
        one.mutation("increment", JsonValue.of("n")));

    one.pull();
    assertThat(one.view()).containsEntry("n", JsonValue.of(3));
    assertThat(one.acknowledged()).isEqualTo(2);
    assertThat(one.acknowledged(other.clientId)).isEqualTo(1);
  }

  // 6: effect and acknowledgement are one

  @Test
  void rule6theEffectsOfABacklogOfThousandsAreThereOnceEach() {
    Replica replica = replica(alice);
    List<JsonValue> backlog = new ArrayList<>();
    for (int i = 0; i < 1_234; i++) {
      backlog.add(replica.mutation("increment", JsonValue.of("n")));
    }

    replica.push(backlog);

    replica.pull();
    assertThat(replica.view()).containsEntry("n", JsonValue.of(1_234));
    assertThat(replica.acknowledged()).isEqualTo(1_234);
  }

  // 7: what can never succeed

  @ParameterizedTest
  @ValueSource(
      strings = {
        "noSuchMutator",
        "rejectAfterWrite",
        "failAfterWrite",
        "overflowAfterWrite",
        "createRoom"
      })
  void rule7aMutationThatCanNeverSucceedHasNoEffectAndIsAcknowledged(String mutator) {
    Replica owner = replica(bob);
    owner.push(owner.mutation("createRoom", JsonValue.of(room)));
    Replica replica = replica(alice);
    replica.push(replica.put(room, ONE));

    try (LogCapture log = new LogCapture()) {
      List<JsonValue> mutations = new ArrayList<>(wrong(replica, mutator, room));
      mutations.add(replica.put("after", ONE));
      replica.push(mutations);

      assertThat(log.lines("mutation-"))
          .singleElement()
          .asString()
          .contains("name=\"" + mutator + "\"", "reason=")
          .doesNotContain("content of a user");
    }

    replica.pull();
    assertThat(replica.view()).containsExactly(Map.entry("after", ONE), Map.entry(room, ONE));
    assertThat(replica.acknowledged()).isEqualTo(3);
  }

  @Test
  void rule7argumentsThatDoNotFitAreRejectedOneByOne() {
    Replica replica = replica(alice);
    replica.push(
        replica.mutation("put", JsonValue.ofNull()),
        replica.mutation("put", JsonValue.object().with("key", 7).with("value", 7).build()),
        replica.put("k".repeat(1025), ONE),
        replica.put("large", JsonValue.of("v".repeat(2000))),
        replica.put("no room of mine", "a", ONE),
        replica.put("a", ONE));

    replica.pull();
    assertThat(replica.view()).containsExactly(Map.entry("a", ONE));
    assertThat(replica.acknowledged()).isEqualTo(6);
  }

  @Test
  void rule7aRejectedMutationChangesTheCookieForItsAcknowledgementToArrive() {
    Replica replica = replica(alice);
    replica.push(replica.put("a", ONE));
    replica.pull();
    JsonValue before = replica.cookie();

    replica.push(wrong(replica, "rejectAfterWrite", "a"));

    assertThat(replica.pull()).isEmpty();
    assertThat(replica.cookie()).isNotEqualTo(before);
    assertThat(replica.acknowledged()).isEqualTo(2);
  }

  // 8, what may succeed later, is in DatabaseAwayTest and PushTest

  // 9: pokes

  @Test
  void rule9thePusherIsPokedAlsoByDuplicatesAndByWhatWasRejected() {
    Replica replica = replica(alice);
    JsonValue first = replica.put("a", ONE);
    try (StreamClient stream = client().connected(alice)) {
      replica.push(first);
      stream.expect("sync");
      replica.push(first);
      stream.expect("sync");
      replica.push(wrong(replica, "rejectAfterWrite", "a"));
      stream.expect("sync");
    }
  }

  @Test
  void rule9theMembersOfARoomArePokedWhenItIsWrittenAndNobodyElse() {
    Replica owner = replica(alice);
    owner.push(owner.mutation("createRoom", JsonValue.of(room)), owner.join(room, bob, "reader"));
    try (StreamClient member = client().connected(bob);
        StreamClient stranger = client().connected("stranger" + alice)) {
      owner.push(owner.put(room, "a", ONE));
      member.expect("sync");
      owner.push(owner.put("private", ONE));

      assertThat(member.poll(Duration.ofMillis(200))).isNull();
      assertThat(stranger.poll(Duration.ofMillis(1))).isNull();
    }
  }

  @Test
  void rule9whoJoinsOrLeavesARoomIsPokedAlsoWhenItIsDeleted() {
    Replica owner = replica(alice);
    owner.push(owner.mutation("createRoom", JsonValue.of(room)));
    try (StreamClient stream = client().connected(bob)) {
      owner.push(owner.join(room, bob, "reader"));
      stream.expect("sync");
      owner.push(owner.leave(room, bob));
      stream.expect("sync");
      owner.push(owner.join(room, bob, "reader"));
      stream.expect("sync");
      owner.push(owner.mutation("deleteRoom", JsonValue.of(room)));
      stream.expect("sync");
    }
  }

  @Test
  void rule9aPushThatIsRefusedPokesNobody() {
    Replica owner = replica(alice);
    owner.push(owner.mutation("createRoom", JsonValue.of(room)), owner.join(room, bob, "writer"));
    Replica foreign = replica(alice);
    Replica mine = replica(bob);
    mine.push(mine.put("a", ONE));
    // a write in the room, and then a client that is not of the group
    JsonValue inRoom = mine.put(room, "a", ONE);
    try (StreamClient stream = client().connected(alice)) {
      Problems.detail(mine.send(inRoom, owner.mutation(3, "put", ONE)), 403);
      Problems.detail(
          post(
              "/push",
              bob,
              foreign.tab().pushBody(List.of()).toJson().replace(foreign.groupId, owner.groupId)),
          403);

      assertThat(stream.poll(Duration.ofMillis(200))).isNull();
    }
  }

  @Test
  void rule9whatIsKeptOfAPushThatStopsAtAGapIsPokedFor() {
    Replica owner = replica(alice);
    owner.push(owner.mutation("createRoom", JsonValue.of(room)), owner.join(room, bob, "writer"));
    Replica writer = replica(bob);
    try (StreamClient stream = client().connected(alice)) {
      Problems.detail(writer.send(writer.put(room, "a", ONE), writer.mutation(5, "put", ONE)), 409);

      stream.expect("sync");
    }
  }

  // 10: concurrent pushes of one client

  @Test
  void rule10ofTwoConcurrentPushesOfOneClientNoMutationIsAppliedTwiceAndNoneIsLost()
      throws Exception {
    Replica replica = replica(alice);
    for (int round = 0; round < rounds(); round++) {
      JsonValue first = replica.mutation("increment", JsonValue.of("n"));
      JsonValue second = replica.mutation("increment", JsonValue.of("n"));
      List<List<JsonValue>> bodies = List.of(List.of(first, second), List.of(first, second));
      List<HttpReply> replies = AtOnce.send(2, index -> replica.send(bodies.get(index)));

      assertThat(replies).allMatch(reply -> reply.body().equals("{}"));
    }
    replica.pull();
    assertThat(replica.acknowledged()).isEqualTo(2L * rounds());
    assertThat(replica.view()).containsEntry("n", JsonValue.of(2L * rounds()));
  }

  /// How often two pushes meet.
  int rounds() {
    return Rounds.of(200, 1_000);
  }

  // 11: one snapshot

  @Test
  void rule11aPullShowsTheEffectsOfExactlyWhatItAcknowledges() throws Exception {
    Replica writer = replica(alice);
    Replica reader = writer.tab();
    AtomicBoolean done = new AtomicBoolean();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> pushes =
          threads.submit(() -> {
            for (int i = 0; i < 200; i++) {
              writer.push(writer.mutation("increment", JsonValue.of("n")));
            }
            done.set(true);
          });
      while (!done.get() && !pushes.isDone()) {
        reader.pull();
        JsonValue seen = reader.view().getOrDefault("n", JsonValue.of(0));
        assertThat(seen).isEqualTo(JsonValue.of(reader.acknowledged(writer.clientId)));
      }
      pushes.get(60, TimeUnit.SECONDS);
    }
  }

  // 12: unknown client groups

  @Test
  void rule12aPullOfAnUnknownClientGroupIsNormalAndWritesNothing() {
    Replica writer = replica(alice);
    writer.push(writer.put("a", ONE));
    Replica other = replica(alice);

    JsonValue answer = other.answer(JsonValue.ofNull());

    assertThat(answer.get("lastMutationIDChanges")).isEqualTo(JsonValue.object().build());
    assertThat(answer.get("patch").toJson())
        .isEqualTo("[{\"op\":\"clear\"},{\"op\":\"put\",\"key\":\"a\",\"value\":1}]");
    assertThat(number("SELECT COUNT(*) FROM client_group WHERE id = ?", other.groupId)).isZero();
  }

  @Test
  void rule12aForkGoesOnWithTheCookieOfTheGroupItCameFrom() {
    Replica origin = replica(alice);
    origin.push(origin.put("a", ONE));
    origin.pull();
    origin.push(origin.put("b", ONE));

    Replica fork = origin.fork();
    assertThat(fork.pull()).containsExactly("put b");
    fork.push(fork.put("c", ONE));
    assertThat(fork.pull()).containsExactly("put c");
    assertThat(fork.acknowledged()).isEqualTo(1);
    assertThat(fork.view()).containsOnlyKeys("a", "b", "c");
  }

  @Test
  void rule12aForkThatPushesBeforeItPullsIsAcknowledged() {
    Replica origin = replica(alice);
    origin.push(origin.put("a", ONE), origin.put("b", ONE));
    origin.pull();
    Replica fork = origin.fork();
    fork.push(wrong(fork, "noSuchMutator", ""));

    fork.pull();

    assertThat(fork.acknowledged()).isEqualTo(1);
  }

  // 13: the view is the user's

  @Test
  void rule13allClientsOfAUserSeeTheSame() {
    Replica one = replica(alice);
    one.push(one.put("a", ONE), one.put("b", TWO));
    Replica tab = one.tab();
    Replica device = replica(alice);

    one.pull();
    tab.pull();
    device.pull();

    assertThat(one.view()).isEqualTo(tab.view()).isEqualTo(device.view()).hasSize(2);
  }

  // cookies: the tabs of a group store what they pull in one place, and go by the order

  @Test
  void aTabThatPulledLaterHasTheGreaterOrderHoweverOftenTheOthersPulled() {
    Replica owner = replica(alice);
    owner.push(
        owner.mutation("createRoom", JsonValue.of(room)),
        owner.put(room, "a", ONE),
        owner.put(room, "b", ONE));
    Replica often = replica(bob);
    often.push(often.put("own", ONE));
    Replica seldom = often.tab();
    List<Runnable> changes =
        List.of(
            () -> owner.push(owner.join(room, bob, "reader")),
            () -> owner.push(owner.put(room, "a", TWO)),
            () -> often.push(often.put("own", TWO)),
            () -> owner.push(owner.leave(room, bob)),
            () -> often.push(often.put("own", ONE)),
            () -> owner.push(owner.join(room, bob, "reader")),
            () -> owner.push(owner.mutation("deleteRoom", JsonValue.of(room))),
            () -> owner.push(owner.mutation("createRoom", JsonValue.of(room))),
            () -> owner.push(owner.join(room, bob, "writer")));

    for (int i = 0; i < changes.size(); i++) {
      changes.get(i).run();
      often.pull();
      if (i % 3 == 2) {
        seldom.pull();
        assertThat(Replica.order(seldom.cookie())).isEqualTo(Replica.order(often.cookie()));
      }
    }
    assertThat(seldom.view()).isEqualTo(often.view());
  }

  @Test
  void theOrderGrowsWithEachChangeAndTabsThatMissedSomeCatchUpWithIt() {
    Replica often = replica(alice);
    Replica seldom = often.tab();
    seldom.pull();
    long last = -1;
    for (int i = 0; i < 5; i++) {
      often.push(often.put("key", JsonValue.of(i)));
      often.pull();
      assertThat(Replica.order(often.cookie())).isGreaterThan(last);
      last = Replica.order(often.cookie());
    }

    seldom.push(seldom.put("late", ONE));
    seldom.pull();

    assertThat(Replica.order(seldom.cookie())).isGreaterThan(last);
  }

  // 14: cookies that say nothing

  @Test
  void rule14aCookieThatIsNotThisUsersGetsEverythingAnew() {
    Replica stranger = replica(bob);
    stranger.push(stranger.put("secret", ONE));
    stranger.pull();
    Replica replica = replica(alice);
    replica.push(replica.put("a", ONE));
    replica.pull();
    String signed = replica.cookie().toJson();
    List<JsonValue> cookies =
        List.of(
            stranger.cookie(),
            JsonValue.parse(signed.replaceFirst("\"u/" + alice + "\":1", "\"u/" + bob + "\":1")),
            JsonValue.parse(signed.replaceFirst("\"acked\":1", "\"acked\":0")),
            JsonValue.parse(signed.replaceFirst("\"mac\":\"..", "\"mac\":\"AA")),
            JsonValue.parse("{\"order\":41}"),
            JsonValue.of(41),
            JsonValue.ofNull());

    for (JsonValue cookie : cookies) {
      JsonValue answer = replica.answer(cookie);

      assertThat(answer.get("patch").toJson())
          .isEqualTo("[{\"op\":\"clear\"},{\"op\":\"put\",\"key\":\"a\",\"value\":1}]");
      assertThat(answer.get("lastMutationIDChanges").get(replica.clientId)).isEqualTo(ONE);
      long order =
          cookie.isNull() ? 0 : cookie.equals(JsonValue.of(41)) ? 41 : Replica.order(cookie);
      assertThat(Replica.order(answer.get("cookie"))).isGreaterThan(order);
    }
  }

  @Test
  void rule14theFirstAnswerHasACookieAlsoWhenThereIsNothing() {
    Replica replica = replica(alice);

    assertThat(replica.pull()).containsExactly("clear");
    assertThat(replica.pull()).isEmpty();
  }

  // 15: cookies from the future

  @Test
  void rule15aCookieFromBeyondTheDatabaseGetsEverythingAnew() {
    Replica replica = replica(alice);
    replica.push(replica.put("a", ONE));
    replica.push(replica.put("b", ONE));
    Replica fork = replica.fork();
    replica.pull();
    Replica other = replica.fork();
    // the database is set back
    execute("UPDATE space SET version = 1 WHERE id = ?", "u/" + alice);
    execute("DELETE FROM entry WHERE space = ? AND version = 2", "u/" + alice);

    assertThat(other.pull()).containsExactly("clear", "put a");
    assertThat(other.view()).containsOnlyKeys("a");
    assertThat(fork.view()).isEmpty();
  }

  @Test
  void rule15aClientWhoseAcknowledgementsWereLostIsToldSo() {
    Replica replica = replica(alice);
    replica.push(replica.put("a", ONE));
    replica.push(replica.put("b", ONE));
    replica.pull();
    execute("UPDATE client_group SET version = 1 WHERE id = ?", replica.groupId);

    HttpReply reply = replica.sendPull(replica.cookie());

    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.body()).isEqualTo("{\"error\":\"ClientStateNotFound\"}");
  }

  // 16: permissions

  @Test
  void rule16whoJoinsARoomGetsItsEntriesAndWhoLeavesLosesThem() {
    Replica owner = replica(alice);
    owner.push(
        owner.mutation("createRoom", JsonValue.of(room)),
        owner.put(room, "a", ONE),
        owner.put(room, "b", ONE));
    Replica member = replica(bob);
    member.push(member.put("b", TWO), member.put("c", TWO));
    member.pull();

    owner.push(owner.join(room, bob, "reader"));
    assertThat(member.pull()).containsExactlyInAnyOrder("put a", "put b");
    assertThat(member.view())
        .containsExactly(Map.entry("a", ONE), Map.entry("b", TWO), Map.entry("c", TWO));

    owner.push(owner.leave(room, bob));
    assertThat(member.pull()).containsExactlyInAnyOrder("del a", "put b");
    assertThat(member.view()).containsExactly(Map.entry("b", TWO), Map.entry("c", TWO));
  }

  @Test
  void rule16aLargeRoomThatIsDeletedGoesWholeWhileItsEntriesArePurged() {
    Replica owner = replica(alice);
    Replica member = replica(bob);
    owner.push(owner.mutation("createRoom", JsonValue.of(room)), owner.join(room, bob, "reader"));
    for (String prefix : List.of("a", "b", "c")) {
      owner.push(
          owner.mutation(
              "fill", JsonValue.object().with("room", room).with("prefix", prefix).build()));
    }
    member.pull();
    assertThat(member.view().size()).isGreaterThan(RoomPurge.BATCH);

    owner.push(owner.mutation("deleteRoom", JsonValue.of(room)));

    assertThat(member.pull()).isNotEmpty();
    assertThat(member.view()).isEmpty();
    Eventually.holds(
        "all is purged",
        () -> number("SELECT COUNT(*) FROM entry WHERE space = ?", "r/" + room) == 0);
    assertThat(member.pull()).isEmpty();
    owner.push(owner.mutation("createRoom", JsonValue.of(room)), owner.join(room, bob, "reader"));
    owner.push(owner.put(room, "k", ONE));
    member.pull();
    assertThat(member.view()).containsOnlyKeys("k");
  }

  @Test
  void rule16whoHasLeftARoomIsNotToldWhatCameLater() {
    Replica owner = replica(alice);
    owner.push(
        owner.mutation("createRoom", JsonValue.of(room)),
        owner.join(room, bob, "reader"),
        owner.put(room, "before", ONE));
    Replica member = replica(bob);
    member.pull();
    owner.push(owner.leave(room, bob));
    owner.push(owner.put(room, "after", ONE), owner.put(room, "before", TWO));

    assertThat(member.pull()).containsExactly("del before");
  }

  @Test
  void rule16whoHasLeftARoomIsNotToldWhatWasDeletedBeforeItJoined() {
    Replica owner = replica(alice);
    owner.push(
        owner.mutation("createRoom", JsonValue.of(room)),
        owner.put(room, "secret", ONE),
        owner.put(room, "shared", ONE),
        owner.put(room, "deleted meanwhile", ONE));
    owner.push(owner.del("secret"));
    owner.push(owner.join(room, bob, "reader"));
    Replica member = replica(bob);
    member.pull();
    owner.push(owner.del("deleted meanwhile"), owner.leave(room, bob));

    assertThat(member.pull()).containsExactlyInAnyOrder("del shared", "del deleted meanwhile");
    assertThat(member.view()).isEmpty();
  }

  @Test
  void rule16whoHasLeftARoomIsNotToldWhatWasThereBeforeItJoinedAndCameAgain() {
    Replica owner = replica(alice);
    owner.push(
        owner.mutation("createRoom", JsonValue.of(room)),
        owner.put(room, "secret", ONE),
        owner.put(room, "shared", ONE));
    owner.push(owner.del("secret"));
    owner.push(owner.join(room, bob, "reader"));
    Replica member = replica(bob);
    member.pull();
    owner.push(owner.leave(room, bob));
    for (int i = 0; i < 2; i++) {
      owner.push(owner.put(room, "secret", TWO), owner.put(room, "shared", TWO));
      owner.push(owner.del("secret"), owner.del("shared"));
    }
    owner.push(owner.put(room, "secret", TWO), owner.put(room, "shared", TWO));

    assertThat(member.pull()).containsExactly("del shared");
  }

  @Test
  void rule16whoComesBackToARoomIsNotToldWhatCameAndWentMeanwhile() {
    Replica owner = replica(alice);
    owner.push(
        owner.mutation("createRoom", JsonValue.of(room)),
        owner.join(room, bob, "reader"),
        owner.put(room, "a", ONE));
    Replica member = replica(bob);
    member.pull();
    owner.push(owner.leave(room, bob));
    owner.push(owner.put(room, "secret", ONE));
    owner.push(owner.del("secret"), owner.put(room, "b", ONE), owner.join(room, bob, "reader"));

    assertThat(member.pull()).containsExactly("put b");
  }

  @Test
  void rule16whatWasDeletedInARoomBeforeOneLeftGoesToo() {
    Replica owner = replica(alice);
    owner.push(
        owner.mutation("createRoom", JsonValue.of(room)),
        owner.join(room, bob, "reader"),
        owner.put(room, "a", ONE),
        owner.put(room, "b", ONE));
    Replica member = replica(bob);
    member.pull();

    owner.push(
        owner.del("a"), owner.leave(room, bob), owner.mutation("deleteRoom", JsonValue.of(room)));
    member.pull();

    assertThat(member.view()).isEmpty();
  }

  @Test
  void rule16whereAKeyStandsInSeveralSpacesTheNextOneShowsWhenTheFirstGoes() {
    String second = room + "b";
    Replica owner = replica(alice);
    owner.push(
        owner.mutation("createRoom", JsonValue.of(second)),
        owner.mutation("createRoom", JsonValue.of(room)),
        owner.put(second, "k", JsonValue.of("second")),
        owner.put(room, "k", JsonValue.of("first")),
        owner.join(room, bob, "reader"),
        owner.join(second, bob, "reader"));
    Replica member = replica(bob);
    member.pull();
    assertThat(member.view()).containsEntry("k", JsonValue.of("first"));

    owner.push(owner.leave(room, bob));
    member.pull();
    assertThat(member.view()).containsEntry("k", JsonValue.of("second"));

    owner.push(owner.leave(second, bob));
    member.pull();
    assertThat(member.view()).isEmpty();
  }

  // 17: read your writes

  @Test
  void rule17aPullAfterAPushSeesIt() {
    Replica replica = replica(alice);
    for (int i = 1; i <= 50; i++) {
      replica.push(replica.put("n", JsonValue.of(i)));
      replica.pull();

      assertThat(replica.view()).containsEntry("n", JsonValue.of(i));
      assertThat(replica.acknowledged()).isEqualTo(i);
    }
  }

  // 18: values

  @ParameterizedTest
  @ValueSource(
      strings = {
        "null",
        "12345678901234567890",
        "1.10",
        "-0.0",
        "1.7e308",
        "\"\\ud800 \\u0000 \uD83D\uDE00\"",
        "{\"b\":1,\"a\":{\"__proto__\":[[],{},null]}}",
        "\"<\\/script>\""
      })
  void rule18valuesGoOutAsTheyCameIn(String json) {
    Replica replica = replica(alice);
    JsonValue value = JsonValue.parse(json);
    replica.push(replica.put("k", value));

    HttpReply reply = replica.sendPull(JsonValue.ofNull());

    assertThat(reply.body())
        .contains("{\"op\":\"put\",\"key\":\"k\",\"value\":" + value.toJson() + "}");
  }

  /// `JSON.parse` reads infinity there, which goes into no JSON any more.
  @Test
  void rule18aNumberBeyondADoubleIsStoredNowhereAndNotSentForEver() {
    Replica replica = replica(alice);
    JsonValue large = JsonValue.parse("{\"n\":[1e999999999]}");
    replica.push(replica.put("k", JsonValue.parse("{\"n\":1}")));

    replica.push(
        replica.put("k", large),
        replica.put("new", large),
        replica.mutation(
            "patch", JsonValue.object(Map.of("key", JsonValue.of("k"), "merge", large))));
    replica.pull();

    assertThat(replica.acknowledged()).isEqualTo(4);
    assertThat(replica.view()).isEqualTo(Map.of("k", JsonValue.parse("{\"n\":1}")));
    assertThat(replica.sendPull(JsonValue.parse("1e999999999")).status()).isEqualTo(200);
  }

  @Test
  void rule18keysAreAnyStrings() {
    List<String> keys =
        List.of("", "a\u0000b", "\ud800", "\uD83D\uDE00", "e\u0301", "\u00e9", "__proto__", "\"\\");
    Replica replica = replica(alice);
    replica.push(keys.stream().map(key -> replica.put(key, JsonValue.of(key))).toList());

    replica.pull();

    assertThat(replica.view()).hasSize(keys.size());
    keys.forEach(key -> assertThat(replica.view()).containsEntry(key, JsonValue.of(key)));
    replica.push(keys.stream().map(replica::del).toList());
    replica.pull();
    assertThat(replica.view()).isEmpty();
  }

  /// PostgreSQL's text can't hold U+0000.
  @Test
  void rule18whereU0000CantBeItIsRefusedAndNothingIsSentForEver() {
    Replica owner = replica(alice);
    owner.push(owner.mutation("createRoom", JsonValue.of(room)));

    owner.push(
        owner.mutation("no\0such", JsonValue.ofNull()),
        owner.mutation("createRoom", JsonValue.of("a\0")),
        owner.mutation("deleteRoom", JsonValue.of("a\0")),
        owner.put("a\0", "key", ONE),
        owner.join(room, "a\0", "reader"),
        owner.leave(room, "a\0"),
        owner.put(room, "a\0", JsonValue.parse("[\"\\u0000\",{\"\\u0000\":1}]")));

    owner.pull();
    assertThat(owner.acknowledged()).isEqualTo(8);
    assertThat(owner.view())
        .containsExactly(Map.entry("a\0", JsonValue.parse("[\"\\u0000\",{\"\\u0000\":1}]")));
    String push = owner.pushBody(List.of(owner.put("k", ONE))).toJson();
    for (String id : List.of(owner.groupId, owner.clientId)) {
      HttpReply reply = post("/push", alice, push.replace(id, "a\\u0000"));
      assertThat(Problems.detail(reply, 400)).contains("without control characters");
    }
    String pull = owner.pullBody(JsonValue.ofNull()).toJson();
    assertThat(Problems.detail(post("/pull", alice, pull.replace(owner.groupId, "a\\u0000")), 400))
        .contains("clientGroupID");
  }

  @Test
  void rule18nullIsAValueAndNoDeletion() {
    Replica replica = replica(alice);
    replica.push(replica.put("k", JsonValue.ofNull()));
    replica.pull();
    assertThat(replica.view()).containsEntry("k", JsonValue.ofNull());

    replica.push(replica.del("k"));
    assertThat(replica.pull()).containsExactly("del k");
  }

  // 19: clients that were not seen for long

  private void fold(Replica replica) {
    long longAgo = Instant.now().minus(Duration.ofDays(91)).toEpochMilli();
    execute("UPDATE client SET seen_at = ? WHERE id = ?", longAgo, replica.clientId);
    Eventually.holds(
        "the client is folded",
        () -> number("SELECT COUNT(*) FROM client WHERE id = ?", replica.clientId) == 0);
  }

  @Test
  void rule19aClientThatComesBackAfterYearsGoesOnWhereItWas() {
    Replica replica = replica(alice);
    JsonValue first = replica.mutation("increment", JsonValue.of("n"));
    JsonValue second = replica.mutation("increment", JsonValue.of("n"));
    replica.push(first, second);
    fold(replica);

    replica.push(first, second, replica.mutation("increment", JsonValue.of("n")));

    replica.pull();
    assertThat(replica.view()).containsEntry("n", JsonValue.of(3));
    assertThat(replica.acknowledged()).isEqualTo(3);
    assertThat(number("SELECT COUNT(*) FROM folded_client WHERE group_id = ?", replica.groupId))
        .isZero();
  }

  @Test
  void rule19aClientThatWasFoldedIsStillAcknowledged() {
    Replica replica = replica(alice);
    replica.push(replica.put("a", ONE));
    Replica tab = replica.tab();
    tab.push(tab.put("b", ONE));
    fold(replica);

    // one that has never pulled, and one of the group that has pulled in between
    tab.pull();
    replica.pull();

    assertThat(replica.acknowledged()).isEqualTo(1);
    assertThat(tab.acknowledged(replica.clientId)).isEqualTo(1);
    tab.push(tab.put("c", ONE));
    tab.pull();
    assertThat(tab.acknowledged()).isEqualTo(2);
  }

  @Test
  void rule19aGapIsAGapForAClientThatWasFoldedToo() {
    Replica replica = replica(alice);
    replica.push(replica.put("a", ONE));
    fold(replica);

    Problems.detail(replica.send(replica.mutation(3, "put", ONE)), 409);
  }

  // 20: tombstones

  private void compact(String userId, int tombstones) {
    long longAgo = Instant.now().minus(Duration.ofDays(31)).toEpochMilli();
    int changed =
        execute("UPDATE tombstone SET changed_at = ? WHERE space = ?", longAgo, "u/" + userId);
    assertThat(changed).isEqualTo(tombstones);
    Eventually.holds(
        "the tombstones are gone",
        () -> number("SELECT COUNT(*) FROM tombstone WHERE space = ?", "u/" + userId) == 0);
  }

  @Test
  void rule20aCookieFromBeforeACompactionGetsEverythingAnew() {
    Replica replica = replica(alice);
    replica.push(replica.put("a", ONE), replica.put("b", ONE));
    replica.pull();
    Replica late = replica.fork();
    replica.push(replica.del("a"));
    replica.pull();
    compact(alice, 1);

    assertThat(late.pull()).containsExactly("clear", "put b");
    assertThat(late.view()).containsOnlyKeys("b");
    assertThat(replica.pull()).isEmpty();
  }

  @Test
  void rule20aCookieFromTheMarkOnGetsTheChangesOnly() {
    Replica replica = replica(alice);
    replica.push(replica.put("a", ONE), replica.put("b", ONE));
    replica.push(replica.del("a"));
    replica.pull();
    compact(alice, 1);
    replica.push(replica.put("c", ONE));

    assertThat(replica.pull()).containsExactly("put c");
  }

  // 21: schema versions

  @Test
  void rule21allSchemaVersionsAreServed() {
    Replica replica = replica(alice);
    List<HttpReply> replies = new ArrayList<>();
    for (String version : List.of("", "1", "next/\u00e9")) {
      JsonValue.Obj push =
          (JsonValue.Obj) replica.pushBody(List.of(replica.put("k" + version, ONE)));
      replies.add(post("/push", alice, push.with("schemaVersion", JsonValue.of(version)).toJson()));
    }

    assertThat(replies).allMatch(reply -> reply.status() == 200);
    replica.pull();
    assertThat(replica.view()).hasSize(3);
    assertThat(Collections.max(replica.view().keySet())).isEqualTo("knext/\u00e9");
  }

  /// No new ones are called so.
  @ParameterizedTest
  @ValueSource(strings = {".", ".."})
  void aRoomAndAMemberWithAnIdOfAFormerReleaseAreStillFound(String id) {
    execute("INSERT INTO space (id, version, compacted) VALUES (?, 1, 0)", "r/" + id);
    execute("INSERT INTO member_count (space, members) VALUES (?, 2)", "r/" + id);
    for (String user : List.of(alice, id)) {
      execute(
          "INSERT INTO member (room, user_id, role, since) VALUES (?, ?, 'owner', 0)", id, user);
    }
    // last, as a room without members is a deleted one
    execute("INSERT INTO room (id, created_at) VALUES (?, 0)", id);
    String members = "/rooms/" + id + "/members";

    assertThat(get(members).body()).contains("\"userId\":\"" + id + "\"");
    Replica owner = replica(alice);
    owner.push(owner.put(id, "k", ONE));
    owner.push(owner.join(id, id, "reader"), owner.leave(id, id));
    assertThat(get(members).body()).doesNotContain("\"userId\":\"" + id + "\"");
    owner.pull();
    assertThat(owner.view()).containsKey("k");
    owner.push(owner.mutation("deleteRoom", JsonValue.of(id)));
    Problems.detail(get(members), 404);
    assertThat(number("SELECT COUNT(*) FROM member WHERE room = ?", id)).isZero();
  }

  private HttpReply get(String path) {
    return client().send(HttpRequest.api("GET", path).by(client().token(alice)));
  }
}
