package dev.replistream.room;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.AtOnce;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.Settings;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import dev.replistream.sync.Replica;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The routes of rooms over raw HTTP, on a clock that stands still at a full second. Each test has
/// users and a room of its own.
public abstract class RoomRules {
  static final int MAX_ROOMS = 5;
  static final int MAX_MEMBERS = 8;
  public static final Clock NOON =
      Clock.fixed(Instant.parse("2026-11-23T12:00:00Z"), ZoneOffset.UTC);

  private static final String AT_NOON = "\"2026-11-23T12:00:00.000Z\"";
  private static final AtomicInteger TESTS = new AtomicInteger();
  private static final JsonValue ONE = JsonValue.of(1);
  private static final String ROLES = "owner, writer, reader";

  private final ServiceClient client;
  private final int test = TESTS.incrementAndGet();
  private final String alice = "alice" + test;
  private final String bob = "bob" + test;
  private final String eve = "eve" + test;
  private final String room = "room" + test;

  RoomRules(ServiceClient client) {
    this.client = client;
  }

  /// The settings of a service that these rules are for.
  static Settings settings(String... database) {
    return TestService.settings(
        Stream.concat(
                Stream.of(
                    "ROOMS_MEMBERSHIP",
                    "direct",
                    "ROOMS_MAX_PER_USER",
                    "" + MAX_ROOMS,
                    "ROOMS_MAX_MEMBERS",
                    "" + MAX_MEMBERS,
                    "HTTP_MAX_BODY",
                    "2048"),
                Stream.of(database))
            .toArray(String[]::new));
  }

  private static String segment(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  private static String json(String text) {
    return JsonValue.of(text).toJson();
  }

  private HttpReply send(String method, String route, String userId) {
    return client.send(HttpRequest.api(method, route).by(client.token(userId)));
  }

  private HttpReply send(String method, String route, String userId, String body) {
    return client.send(HttpRequest.api(method, route).by(client.token(userId)).with(body));
  }

  private HttpReply create(String id, String userId) {
    return send("POST", "/rooms", userId, "{\"id\":" + json(id) + "}");
  }

  private String member(String userId) {
    return "/rooms/" + room + "/members/" + userId;
  }

  private HttpReply put(String userId, String role, String caller) {
    return send("PUT", member(userId), caller, "{\"role\":" + json(role) + "}");
  }

  private HttpReply remove(String userId, String caller) {
    return send("DELETE", member(userId), caller);
  }

  private static void requireStatus(int status, HttpReply... replies) {
    assertThat(replies)
        .allSatisfy(reply -> assertThat(reply.status()).as(reply.toString()).isEqualTo(status));
  }

  /// The room, with its owner alice.
  private void createRoom() {
    requireStatus(201, create(room, alice));
  }

  private void createRoomWith(String userId, String role) {
    createRoom();
    requireStatus(201, put(userId, role, alice));
  }

  private List<String> memberIds(String caller) {
    return send("GET", "/rooms/" + room + "/members", caller)
        .json()
        .getJsonArray("members")
        .getValuesAs(member -> member.asJsonObject().getString("userId"));
  }

  // what is answered

  @Test
  void aRoomIsCreatedListedAndDeleted() {
    HttpReply created = create(room, alice);
    assertThat(created.status()).isEqualTo(201);
    assertThat(created.header("Content-Type")).isEqualTo("application/json");
    assertThat(created.body())
        .isEqualTo(
            "{\"id\":\"%s\",\"owner\":\"%s\",\"createdAt\":%s}".formatted(room, alice, AT_NOON));

    HttpReply listed = send("GET", "/rooms", alice);
    assertThat(listed.status()).isEqualTo(200);
    assertThat(listed.body())
        .isEqualTo(
            "{\"rooms\":[{\"id\":\"%s\",\"role\":\"owner\",\"createdAt\":%s}]}"
                .formatted(room, AT_NOON));

    HttpReply deleted = send("DELETE", "/rooms/" + room, alice);
    assertThat(deleted.status()).isEqualTo(204);
    assertThat(deleted.body()).isEmpty();
    assertThat(send("GET", "/rooms", alice).body()).isEqualTo("{\"rooms\":[]}");
    Problems.detail(send("GET", "/rooms/" + room + "/members", alice), 404);
  }

  @Test
  void membersAreListedToMembersInTheOrderOfTheirIds() {
    createRoom();
    HttpReply added = put(bob, "reader", alice);
    assertThat(added.status()).isEqualTo(201);
    assertThat(added.body())
        .isEqualTo("{\"userId\":\"%s\",\"role\":\"reader\",\"since\":%s}".formatted(bob, AT_NOON));

    HttpReply listed = send("GET", "/rooms/" + room + "/members", bob);

    assertThat(listed.status()).isEqualTo(200);
    assertThat(listed.body())
        .isEqualTo(
            ("{\"members\":[{\"userId\":\"%s\",\"role\":\"owner\",\"since\":%s},"
                    + "{\"userId\":\"%s\",\"role\":\"reader\",\"since\":%s}]}")
                .formatted(alice, AT_NOON, bob, AT_NOON));
    assertThat(send("GET", "/rooms", bob).body())
        .isEqualTo(
            "{\"rooms\":[{\"id\":\"%s\",\"role\":\"reader\",\"createdAt\":%s}]}"
                .formatted(room, AT_NOON));
  }

  @Test
  void aMemberThatGetsAnotherRoleWasThereBefore() {
    createRoomWith(bob, "reader");

    HttpReply changed = put(bob, "writer", alice);

    assertThat(changed.status()).isEqualTo(200);
    assertThat(changed.body())
        .isEqualTo("{\"userId\":\"%s\",\"role\":\"writer\",\"since\":%s}".formatted(bob, AT_NOON));
    requireStatus(200, put(bob, "writer", alice));
  }

  @Test
  void anIdThatIsTakenIsRefusedToAnybody() {
    createRoom();

    Problems.detail(create(room, alice), 409);
    Problems.detail(create(room, eve), 409);
    assertThat(memberIds(alice)).containsExactly(alice);
  }

  @Test
  void anIdIsFreeAgainOnceItsRoomIsDeleted() {
    createRoom();
    requireStatus(204, send("DELETE", "/rooms/" + room, alice));

    requireStatus(201, create(room, eve));

    assertThat(memberIds(eve)).containsExactly(eve);
    Problems.detail(send("GET", "/rooms/" + room + "/members", alice), 404);
  }

  // ids

  static Stream<String> anyIds() {
    return Stream.of(
        "a/b",
        "/",
        "...",
        "%2F",
        "%",
        "a b",
        "a+b",
        "a?b#c",
        "a;b=c",
        "\"\\",
        "é",
        "日本",
        "\uD83D\uDE00",
        "{room}",
        "members",
        "x".repeat(128));
  }

  @ParameterizedTest
  @MethodSource("anyIds")
  void everyIdFindsItsWayThroughThePath(String text) {
    String id = text.length() == 128 ? text : text + "-" + test + text;
    requireStatus(201, create(id, alice));
    String path = "/rooms/" + segment(id);

    HttpReply added =
        send("PUT", path + "/members/" + segment(text), alice, "{\"role\":\"writer\"}");
    requireStatus(201, added);
    assertThat(added.json().getString("userId")).isEqualTo(text);
    HttpReply poked = send("POST", path + "/poke", text);
    requireStatus(200, poked);
    assertThat(poked.json().getString("room")).isEqualTo(id);
    assertThat(send("GET", "/rooms", text).json().getJsonArray("rooms").toString())
        .contains(JsonValue.of(id).toJson());

    requireStatus(204, send("DELETE", path + "/members/" + segment(text), alice));
    requireStatus(204, send("DELETE", path, alice));
  }

  @ParameterizedTest
  @ValueSource(strings = {"...", "%2e%2E%2e", "a%2Fb", "%72oom"})
  void aSegmentIsTheTextThatItSpellsAndLeadsNowhere(String raw) {
    String id = URLDecoder.decode(raw, StandardCharsets.UTF_8);
    requireStatus(201, create(id, alice));

    requireStatus(200, send("GET", "/rooms/" + raw + "/members", alice));

    requireStatus(204, send("DELETE", "/rooms/" + raw, alice));
  }

  /// Browsers rewrite a path with such a segment.
  @ParameterizedTest
  @ValueSource(strings = {".", ".."})
  void whatLeadsElsewhereInABrowserIsNoIdOfANewRoomOrMember(String id) {
    createRoom();

    assertThat(Problems.detail(create(id, alice), 400)).contains(". or ..");
    assertThat(
            Problems.detail(
                send("PUT", "/rooms/" + room + "/members/" + id, alice, "{\"role\":\"writer\"}"),
                400))
        .contains(". or ..");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/rooms/",
        "/rooms//members",
        "/rooms/%FF/members",
        "/rooms/%ED%A0%80/members",
        "/rooms/%C0%AF/members",
        "/rooms/a%00b/members",
        "/rooms/a%0Ab/members",
        "/rooms/a/b/members",
        "/rooms/a/members/",
        "/rooms/a/members/b/c",
        "/rooms/a/x",
        "/rooms/../../../rooms/x",
      })
  void aPathThatNamesNoRoomIsNotFound(String route) {
    Problems.detail(send("GET", route, alice), 404);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/rooms/%/members", "/rooms/%zz/members", "/rooms/%4/members"})
  void aPathThatIsNoPathIsRefused(String route) {
    Problems.detail(send("GET", route, alice), 400);
  }

  @Test
  void aWholeUriIsAsGoodAsAPath() {
    createRoom();

    HttpReply reply =
        client.send(
            HttpRequest.of("GET", "http://localhost/api/v1/replicache/rooms/" + room + "/members")
                .by(client.token(alice)));

    requireStatus(200, reply);
  }

  @Test
  void anIdOf129CharactersOrWithAControlCharacterIsRefused() {
    createRoom();
    for (String id : List.of("", "x".repeat(129), "a\u0000", "a\nb", "\u007f", "\u0085")) {
      Problems.detail(create(id, alice), 400);
      if (!id.isEmpty()) {
        Problems.detail(send("PUT", member(segment(id)), alice, "{\"role\":\"reader\"}"), 400);
        Problems.detail(send("DELETE", member(segment(id)), alice), 404);
      }
    }
    Problems.detail(send("POST", "/rooms", alice, "{\"id\":\"\\ud800\"}"), 400);
  }

  // bodies

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "plan",
        "{",
        "[]",
        "null",
        "\"plan\"",
        "{}",
        "{\"id\":null}",
        "{\"id\":1}",
        "{\"id\":[\"plan\"]}",
        "{\"name\":\"plan\"}",
        "{\"id\":\"plan\",\"more\":1}",
        "{\"id\":\"plan\",\"id\":\"other\"}",
        "{\"id\":\"plan\"} {}",
      })
  void aBodyOfAnotherFormIsRefused(String body) {
    Problems.detail(send("POST", "/rooms", alice, body), 400);
    Problems.detail(send("PUT", member(bob), alice, body.replace("id", "role")), 400);
    assertThat(send("GET", "/rooms", alice).body()).isEqualTo("{\"rooms\":[]}");
  }

  @Test
  void aBodyBeyondTheLimitIsRefused() {
    String body = "{\"id\":\"" + "x".repeat(2048) + "\"}";

    Problems.detail(send("POST", "/rooms", alice, body), 413);
    Problems.detail(send("PUT", member(bob), alice, body), 413);
    Problems.detail(send("POST", "/rooms/" + room + "/poke", alice, body), 413);
  }

  @ParameterizedTest
  @ValueSource(strings = {"admin", "", "Owner", "OWNER", " reader"})
  void aRoleThatThereIsNotIsAnsweredWithThoseThereAre(String role) {
    createRoom();

    assertThat(Problems.detail(put(bob, role, alice), 400)).contains(ROLES);
    assertThat(memberIds(alice)).containsExactly(alice);
  }

  // who may what

  @Test
  void toAStrangerARoomIsLikeOneThatThereIsNot() {
    createRoomWith(bob, "reader");
    Map<String, String> routes =
        Map.of(
            "/rooms/%s",
            "DELETE",
            "/rooms/%s/members",
            "GET",
            "/rooms/%s/members/" + bob,
            "PUT",
            "/rooms/%s/members/" + eve,
            "DELETE",
            "/rooms/%s/poke",
            "POST");

    routes.forEach((route, method) -> {
      HttpReply there = send(method, route.formatted(room), eve, "{\"role\":\"reader\"}");
      HttpReply notThere =
          send(method, route.formatted("no-" + room), eve, "{\"role\":\"reader\"}");

      Problems.detail(there, 404);
      assertThat(there.body()).isEqualTo(notThere.body());
    });
    assertThat(memberIds(alice)).containsExactly(alice, bob);
  }

  @ParameterizedTest
  @ValueSource(strings = {"writer", "reader"})
  void onlyAnOwnerChangesTheRoomAndItsMembers(String role) {
    createRoomWith(bob, role);

    Problems.detail(put(eve, "reader", bob), 403);
    Problems.detail(put(bob, "owner", bob), 403);
    Problems.detail(remove(alice, bob), 403);
    Problems.detail(send("DELETE", "/rooms/" + room, bob), 403);
    assertThat(memberIds(bob)).containsExactly(alice, bob);
  }

  @ParameterizedTest
  @ValueSource(strings = {"owner", "writer", "reader"})
  void anybodyMayLeaveAndAnOwnerMayTakeOutAnybody(String role) {
    createRoomWith(bob, role);

    requireStatus(204, remove(bob, bob));
    Problems.detail(remove(bob, bob), 404);
    Problems.detail(remove(bob, alice), 404);
    requireStatus(201, put(bob, role, alice));
    requireStatus(204, remove(bob, alice));

    assertThat(memberIds(alice)).containsExactly(alice);
  }

  @Test
  void theLastOwnerNeitherLeavesNorIsDemoted() {
    createRoomWith(bob, "writer");

    Problems.detail(remove(alice, alice), 409);
    Problems.detail(put(alice, "writer", alice), 409);
    requireStatus(200, put(alice, "owner", alice));

    requireStatus(200, put(bob, "owner", alice), put(alice, "reader", alice));
    Problems.detail(remove(bob, bob), 409);
    requireStatus(204, remove(alice, alice));
    assertThat(memberIds(bob)).containsExactly(bob);
  }

  @ParameterizedTest
  @CsvSource({
    "POST, /rooms",
    "GET, /rooms",
    "DELETE, /rooms/a",
    "GET, /rooms/a/members",
    "PUT, /rooms/a/members/b",
    "DELETE, /rooms/a/members/b",
    "POST, /rooms/a/poke",
  })
  void nobodyCallsWithoutAToken(String method, String route) {
    HttpReply reply = client.send(HttpRequest.api(method, route).with("{"));

    Problems.detail(reply, 401);
    assertThat(reply.header("WWW-Authenticate")).isEqualTo("Bearer");
  }

  @ParameterizedTest
  @CsvSource({
    "/rooms, 'GET, POST'",
    "/rooms/a%2Fb, DELETE",
    "/rooms/a/members, GET",
    "/rooms/a/members/b, 'DELETE, PUT'",
    "/rooms/a/poke, POST",
  })
  void anotherMethodIsAnsweredWithThoseAllowed(String route, String allowed) {
    for (String method : List.of("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")) {
      if (!List.of(allowed.split(", ")).contains(method)) {
        HttpReply reply = send(method, route, alice);
        assertThat(Problems.detail(reply, 405)).contains(method);
        assertThat(reply.header("Allow")).isEqualTo(allowed);
      }
    }
  }

  // limits and races

  private static List<Integer> statuses(int count, IntFunction<HttpReply> request)
      throws Exception {
    return AtOnce.send(count, request).stream().map(HttpReply::status).sorted().toList();
  }

  @Test
  void ofTwoOwnersWhoLeaveAtOnceOneStays() throws Exception {
    for (int round = 0; round < 10; round++) {
      String one = room + "-" + round;
      requireStatus(201, create(one, alice));
      String members = "/rooms/" + one + "/members/";
      requireStatus(201, send("PUT", members + bob, alice, "{\"role\":\"owner\"}"));

      List<Integer> statuses =
          statuses(
              2,
              i -> {
                String leaver = i == 0 ? alice : bob;
                return send("DELETE", members + leaver, leaver);
              });

      assertThat(statuses).containsExactly(204, 409);
      HttpReply byAlice = send("DELETE", "/rooms/" + one, alice);
      HttpReply byBob = send("DELETE", "/rooms/" + one, bob);
      assertThat(List.of(byAlice.status(), byBob.status())).containsExactlyInAnyOrder(204, 404);
    }
  }

  @Test
  void ofManyWhoCreateARoomAtOnceOneDoes() throws Exception {
    for (int round = 0; round < 5; round++) {
      String one = room + "-" + round;

      assertThat(statuses(4, i -> create(one, alice + i))).containsExactly(201, 409, 409, 409);
    }
  }

  @Test
  void aUserIsInAsManyRoomsAsAllowedHoweverManyInviteAtOnce() throws Exception {
    int invitations = 2 * MAX_ROOMS;
    for (int i = 0; i < invitations; i++) {
      requireStatus(201, create(room + "-" + i, alice + i));
    }

    List<Integer> statuses =
        statuses(
            invitations,
            i ->
                send(
                    "PUT",
                    "/rooms/" + room + "-" + i + "/members/" + bob,
                    alice + i,
                    "{\"role\":\"reader\"}"));

    assertThat(statuses).filteredOn(status -> status == 201).hasSize(MAX_ROOMS);
    assertThat(statuses).filteredOn(status -> status == 403).hasSize(invitations - MAX_ROOMS);
    assertThat(send("GET", "/rooms", bob).json().getJsonArray("rooms")).hasSize(MAX_ROOMS);
    assertThat(Problems.detail(create(room, bob), 403)).contains("" + MAX_ROOMS);
  }

  @Test
  void aRoomHasAsManyMembersAsAllowedHoweverManyComeAtOnce() throws Exception {
    createRoom();

    List<Integer> statuses = statuses(2 * MAX_MEMBERS, i -> put(bob + i, "reader", alice));

    assertThat(statuses).filteredOn(status -> status == 201).hasSize(MAX_MEMBERS - 1);
    assertThat(statuses).filteredOn(status -> status == 403).hasSize(MAX_MEMBERS + 1);
    assertThat(memberIds(alice)).hasSize(MAX_MEMBERS);
    assertThat(Problems.detail(put(eve, "reader", alice), 403)).contains("" + MAX_MEMBERS);
    requireStatus(200, put(memberIds(alice).getLast(), "writer", alice));
  }

  // pokes

  /// How many users are poked by what `action` does.
  private long usersPoked(Runnable action) {
    try (StreamClient probe = client.connected("probe" + test)) {
      client.poke("probe" + test);
      long before = probe.expect("sync").stamp();
      action.run();
      client.poke("probe" + test);
      return probe.expect("sync").stamp() - before - 1;
    }
  }

  @Test
  void whoJoinsOrLeavesIsPokedAtOnceAndNobodyElse() {
    createRoom();
    try (StreamClient stream = client.connected(bob)) {
      assertThat(usersPoked(() -> requireStatus(201, put(bob, "reader", alice)))).isEqualTo(1);
      stream.expect("sync");
      assertThat(usersPoked(() -> requireStatus(204, remove(bob, alice)))).isEqualTo(1);
      stream.expect("sync");
      requireStatus(201, put(bob, "reader", alice));
      stream.expect("sync");
      assertThat(usersPoked(() -> requireStatus(204, remove(bob, bob)))).isEqualTo(1);
      stream.expect("sync");
    }
  }

  @Test
  void whoCreatesARoomIsPokedAndOfADeletedOneEachMember() {
    try (StreamClient owner = client.connected(alice);
        StreamClient member = client.connected(bob)) {
      assertThat(usersPoked(this::createRoom)).isEqualTo(1);
      owner.expect("sync");
      requireStatus(201, put(bob, "reader", alice));
      member.expect("sync");

      assertThat(usersPoked(() -> requireStatus(204, send("DELETE", "/rooms/" + room, alice))))
          .isEqualTo(2);
      owner.expect("sync");
      member.expect("sync");
    }
  }

  @Test
  void whatChangesNoViewPokesNobody() {
    createRoomWith(bob, "reader");

    long poked =
        usersPoked(() -> {
          requireStatus(200, put(bob, "writer", alice));
          requireStatus(409, create(room, eve), remove(alice, alice));
          requireStatus(404, remove(eve, alice), send("DELETE", "/rooms/" + room, eve));
          requireStatus(403, put(eve, "reader", bob), send("DELETE", "/rooms/" + room, bob));
          requireStatus(200, send("GET", "/rooms", bob));
        });

    assertThat(poked).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "sync", "{}"})
  void aPokeOfARoomReachesEachConnectionOfEachMember(String body) {
    createRoomWith(bob, "reader");
    try (StreamClient owner = client.connected(alice);
        StreamClient phone = client.connected(bob);
        StreamClient laptop = client.connected(bob);
        StreamClient _ = client.connected(eve)) {
      List<HttpReply> replies = new ArrayList<>();
      assertThat(
              usersPoked(() -> replies.add(send("POST", "/rooms/" + room + "/poke", alice, body))))
          .isEqualTo(2);

      assertThat(replies.getFirst().status()).isEqualTo(200);
      assertThat(replies.getFirst().body())
          .isEqualTo(
              "{\"success\":true,\"room\":\"%s\",\"clientsNotified\":3,\"timestamp\":%s}"
                  .formatted(room, AT_NOON));
      owner.expect("sync");
      phone.expect("sync");
      laptop.expect("sync");
    }
  }

  private void tellsABigRoomOneAfterTheOther(Runnable action) {
    int users = MAX_MEMBERS - 1;
    List<StreamClient> streams = new ArrayList<>();
    createRoom();
    try (StreamClient own = client.connected(alice)) {
      for (int i = 0; i < users; i++) {
        requireStatus(201, put(bob + i, "reader", alice));
        for (int stream = 0; stream < 30; stream++) {
          streams.add(client.connected(bob + i));
        }
      }
      long begin = System.nanoTime();

      action.run();

      own.expect("sync");
      Set<Long> stamps = new HashSet<>();
      streams.forEach(stream -> stamps.add(stream.expect("sync").stamp()));
      long elapsedMillis = (System.nanoTime() - begin) / 1_000_000;
      assertThat(stamps).hasSize(users);
      // a millisecond for each connection, at whose end the last user would be the next
      assertThat(elapsedMillis).isGreaterThanOrEqualTo(streams.size() * (users - 1L) / users);
    } finally {
      streams.forEach(StreamClient::close);
    }
  }

  @Test
  void aPokeOfABigRoomIsSpread() {
    tellsABigRoomOneAfterTheOther(() -> {
      HttpReply reply = send("POST", "/rooms/" + room + "/poke", alice);
      assertThat(reply.json().getInt("clientsNotified")).isEqualTo(30 * (MAX_MEMBERS - 1) + 1);
    });
  }

  @Test
  void thePokesOfAPushInABigRoomAreSpread() {
    Replica owner = Replica.of(client, alice);

    tellsABigRoomOneAfterTheOther(() -> owner.push(owner.put(room, "a", ONE)));
  }

  @Test
  void aReaderDoesNotPokeARoomAndAWriterDoes() {
    createRoomWith(bob, "reader");

    assertThat(usersPoked(() -> requireStatus(403, send("POST", "/rooms/" + room + "/poke", bob))))
        .isZero();
    requireStatus(200, put(bob, "writer", alice));
    requireStatus(200, send("POST", "/rooms/" + room + "/poke", bob));
  }

  @Test
  void pokesOfRoomsAreCountedAsSuch() {
    createRoomWith(bob, "writer");
    String counter = "replistream_pokes_total{source=\"room\"}";
    double before = client.metrics().getOrDefault(counter, 0.0);

    requireStatus(200, send("POST", "/rooms/" + room + "/poke", alice));

    assertThat(client.metrics().getOrDefault(counter, 0.0) - before).isEqualTo(2);
  }

  // the client view

  @Test
  void whoJoinsGetsTheEntriesAndWhoLeavesLosesThem() {
    createRoom();
    Replica owner = Replica.of(client, alice);
    owner.push(owner.put(room, "a", ONE), owner.put(room, "b", ONE));
    Replica member = Replica.of(client, bob);
    assertThat(member.pull()).containsExactly("clear");

    requireStatus(201, put(bob, "reader", alice));
    assertThat(member.pull()).containsExactlyInAnyOrder("put a", "put b");

    requireStatus(204, remove(bob, bob));
    assertThat(member.pull()).containsExactlyInAnyOrder("del a", "del b");
    owner.pull();
    assertThat(owner.view()).containsOnlyKeys("a", "b");
  }

  @Test
  void aDeletedRoomGoesFromEveryView() {
    createRoomWith(bob, "reader");
    Replica owner = Replica.of(client, alice);
    owner.push(owner.put(room, "a", ONE), owner.put("own", ONE));
    Replica member = Replica.of(client, bob);
    member.pull();
    owner.pull();

    requireStatus(204, send("DELETE", "/rooms/" + room, alice));

    assertThat(owner.pull()).containsExactly("del a");
    assertThat(member.pull()).containsExactly("del a");
    assertThat(owner.view()).containsOnlyKeys("own");
    requireStatus(201, create(room, bob));
    member.pull();
    assertThat(member.view()).isEmpty();
  }

  @Test
  void aReadersMutationIsRejectedAndAcknowledgedUntilItIsAWriter() {
    createRoomWith(bob, "reader");
    Replica owner = Replica.of(client, alice);
    Replica member = Replica.of(client, bob);
    member.push(member.put(room, "a", ONE));
    member.pull();
    owner.pull();
    assertThat(member.acknowledged()).isEqualTo(1);
    assertThat(member.view()).isEmpty();
    assertThat(owner.view()).isEmpty();

    requireStatus(200, put(bob, "writer", alice));
    member.push(member.put(room, "a", ONE));

    assertThat(owner.pull()).containsExactly("put a");
    assertThat(member.pull()).containsExactly("put a");
  }

  @Test
  void anOpenStreamFollowsItsUserIntoARoomAndOut() {
    createRoom();
    Replica owner = Replica.of(client, alice);
    try (StreamClient stream = client.connected(bob)) {
      requireStatus(201, put(bob, "reader", alice));
      stream.expect("sync");

      owner.push(owner.put(room, "a", ONE));
      stream.expect("sync");

      requireStatus(204, remove(bob, alice));
      stream.expect("sync");
      assertThat(usersPoked(() -> owner.push(owner.put(room, "b", ONE)))).isEqualTo(1);
    }
  }

  @Test
  void aUserWithManyRoomsSeesThemAllInTheOrderOfTheirIds() {
    List<String> ids =
        IntStream.range(0, MAX_ROOMS).mapToObj(i -> room + (char) ('z' - i)).toList();
    ids.forEach(id -> requireStatus(201, create(id, alice)));

    assertThat(
            send("GET", "/rooms", alice)
                .json()
                .getJsonArray("rooms")
                .getValuesAs(each -> each.asJsonObject().getString("id")))
        .isEqualTo(ids.reversed());
  }
}
