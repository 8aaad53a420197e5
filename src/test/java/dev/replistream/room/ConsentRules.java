package dev.replistream.room;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.AtOnce;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.SettableClock;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import dev.replistream.api.Mutator;
import dev.replistream.api.Mutators;
import dev.replistream.api.Role;
import dev.replistream.auth.Caller;
import dev.replistream.sync.Replica;
import jakarta.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Nothing of a room reaches anybody who has not joined it: by an invitation, by a link, or because
/// a backend service says so. Each test has users and a room of its own.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ConsentRules {
  private static final int MAX_ROOMS = 20;
  private static final int MAX_INVITATIONS = 12;
  private static final int MAX_INVITATIONS_PER_USER = 15;
  private static final int MAX_LINKS = 3;
  private static final int BETWEEN_TWO = 10;
  private static final JsonValue ONE = JsonValue.of(1);
  private static final AtomicInteger TESTS = new AtomicInteger();

  private final SettableClock clock = new SettableClock();
  private final TestService service;
  private final ServiceClient client;

  private String alice = "";
  private String bob = "";
  private String eve = "";
  private String room = "";

  ConsentRules(String... database) {
    service =
        TestService.start(
            clock,
            new RoomMutators(),
            Stream.concat(
                    Stream.of(database),
                    Stream.of(
                        "ROOMS_MAX_PER_USER", "" + MAX_ROOMS,
                        "ROOMS_MAX_INVITATIONS", "" + MAX_INVITATIONS,
                        "ROOMS_MAX_INVITATIONS_PER_USER", "" + MAX_INVITATIONS_PER_USER,
                        "ROOMS_MAX_LINKS", "" + MAX_LINKS))
                .toArray(String[]::new));
    client = service.client();
  }

  @AfterAll
  void close() {
    service.close();
  }

  /// Gives a test users and a room of its own.
  @BeforeEach
  final void name() {
    int test = TESTS.incrementAndGet();
    alice = "alice" + test + "-";
    bob = "bob" + test + "-";
    eve = "eve" + test + "-";
    room = "room" + test + "-"; // so that none is another and a digit
  }

  /// Mutators that change rooms as a rule of an application would.
  private static final class RoomMutators implements Mutators {
    @Override
    public Map<String, Mutator> mutators() {
      return Map.of(
          "invite",
          (tx, args) ->
              tx.invite(args.get("room").asText(), args.get("user").asText(), Role.READER),
          "add",
          (tx, args) ->
              tx.putMember(args.get("room").asText(), args.get("user").asText(), Role.READER),
          "remove",
          (tx, args) -> tx.removeMember(args.get("room").asText(), args.get("user").asText()),
          "link",
          (tx, args) -> tx.put("code", JsonValue.of(tx.createLink(args.asText(), Role.READER))),
          "knock",
          (tx, args) -> {
            // whoever knows the word gets in
            if (tx.unrestricted().get(args.asText(), "word").isPresent()) {
              tx.unrestricted().putMember(args.asText(), tx.userId(), Role.READER);
              tx.unrestricted().put(args.asText(), "guest", JsonValue.of(tx.userId()));
            }
          },
          "addUnrestricted",
          (tx, args) ->
              tx.unrestricted()
                  .putMember(args.get("room").asText(), args.get("user").asText(), Role.READER));
    }
  }

  private HttpReply send(String method, String route, String userId, String... scopes) {
    return client.send(HttpRequest.api(method, route).by(client.token(userId, scopes)));
  }

  private HttpReply sendJson(
      String method, String route, String json, String userId, String... scopes) {
    return client.send(HttpRequest.api(method, route).by(client.token(userId, scopes)).with(json));
  }

  private void requireStatus(int status, HttpReply... replies) {
    assertThat(replies)
        .allSatisfy(reply -> assertThat(reply.status()).as(reply.toString()).isEqualTo(status));
  }

  private HttpReply create(String id, String userId) {
    return sendJson("POST", "/rooms", "{\"id\":\"" + id + "\"}", userId);
  }

  private HttpReply put(String id, String userId, String role, String caller, String... scopes) {
    return sendJson(
        "PUT",
        "/rooms/" + id + "/members/" + userId,
        "{\"role\":\"" + role + "\"}",
        caller,
        scopes);
  }

  private HttpReply invite(String userId, String role) {
    return put(room, userId, role, alice);
  }

  private HttpReply join(String userId) {
    return send("POST", "/rooms/" + room + "/join", userId);
  }

  private HttpReply decline(String userId) {
    return send("DELETE", "/invitations/" + room, userId);
  }

  private HttpReply withdraw(String userId, String caller) {
    return send("DELETE", "/rooms/" + room + "/invitations/" + userId, caller);
  }

  private HttpReply joinBy(String code, String userId) {
    return sendJson("POST", "/join", "{\"code\":\"" + code + "\"}", userId);
  }

  private String link(String json) {
    HttpReply reply = sendJson("POST", "/rooms/" + room + "/links", json, alice);
    requireStatus(201, reply);
    return reply.json().getString("code");
  }

  private List<String> invitedTo(String userId) {
    return send("GET", "/invitations", userId)
        .json()
        .getJsonArray("invitations")
        .getValuesAs(each -> each.asJsonObject().getString("room"));
  }

  private List<String> invited() {
    return send("GET", "/rooms/" + room + "/invitations", alice)
        .json()
        .getJsonArray("invitations")
        .getValuesAs(each -> each.asJsonObject().getString("userId"));
  }

  private List<String> links() {
    return send("GET", "/rooms/" + room + "/links", alice)
        .json()
        .getJsonArray("links")
        .getValuesAs(each -> each.asJsonObject().getString("id"));
  }

  private List<String> memberIds() {
    return send("GET", "/rooms/" + room + "/members", alice)
        .json()
        .getJsonArray("members")
        .getValuesAs(each -> each.asJsonObject().getString("userId"));
  }

  private void push(String userId, String mutator, String args) {
    Replica replica = Replica.of(client, userId);
    replica.push(replica.mutation(mutator, JsonValue.parse(args)));
  }

  private void pushMember(String userId, String mutator, String member) {
    push(userId, mutator, "{\"room\":\"%s\",\"user\":\"%s\"}".formatted(room, member));
  }

  private String at() {
    return "\"" + clock.instant().toString().replace("Z", ".000Z") + "\"";
  }

  /// How many users are poked by an action.
  private long usersPoked(Runnable action) {
    String probe = "probe-" + room;
    try (StreamClient stream = client.connected(probe)) {
      client.poke(probe);
      long before = stream.expect("sync").stamp();
      action.run();
      client.poke(probe);
      return stream.expect("sync").stamp() - before - 1;
    }
  }

  // invitations

  @Test
  void whomAnOwnerPutsInARoomIsInvitedAndJoinsByTheirOwnWill() {
    requireStatus(201, create(room, alice));

    HttpReply invitation = invite(bob, "writer");
    assertThat(invitation.status()).isEqualTo(202);
    assertThat(invitation.body())
        .isEqualTo(
            "{\"room\":\"%s\",\"userId\":\"%s\",\"role\":\"writer\",\"invitedBy\":\"%s\",\"invitedAt\":%s}"
                .formatted(room, bob, alice, at()));
    assertThat(send("GET", "/invitations", bob).body())
        .isEqualTo("{\"invitations\":[" + invitation.body() + "]}");
    assertThat(send("GET", "/rooms/" + room + "/invitations", alice).body())
        .isEqualTo("{\"invitations\":[" + invitation.body() + "]}");
    assertThat(memberIds()).containsExactly(alice);

    HttpReply joined = join(bob);
    assertThat(joined.status()).isEqualTo(201);
    assertThat(joined.body())
        .isEqualTo(
            "{\"room\":\"%s\",\"userId\":\"%s\",\"role\":\"writer\",\"since\":%s}"
                .formatted(room, bob, at()));
    assertThat(memberIds()).containsExactly(alice, bob);
    assertThat(invitedTo(bob)).isEmpty();
    assertThat(invited()).isEmpty();
    HttpReply again = join(bob);
    assertThat(again.status()).isEqualTo(200);
    assertThat(again.body()).isEqualTo(joined.body());
    requireStatus(200, invite(bob, "reader"));
  }

  @Test
  void untilTheyJoinNothingOfTheRoomReachesWhoIsInvited() {
    requireStatus(201, create(room, eve));
    Replica owner = Replica.of(client, eve);
    owner.push(owner.put(room, "secret/1", ONE));
    requireStatus(202, put(room, bob, "writer", eve));

    Replica victim = Replica.of(client, bob);
    victim.push(victim.put("secret/1", JsonValue.of("mine")));
    victim.pull();
    owner.pull();

    assertThat(victim.view()).containsEntry("secret/1", JsonValue.of("mine"));
    assertThat(owner.view()).containsEntry("secret/1", ONE);
    assertThat(
            usersPoked(() -> {
              requireStatus(200, send("POST", "/rooms/" + room + "/poke", eve));
              owner.push(owner.put(room, "other", ONE));
            }))
        .isEqualTo(2); // each time eve alone
    try (StreamClient _ = client.connected(bob)) {
      assertThat(send("GET", "/rooms/" + room + "/presence", eve).body()).doesNotContain(bob);
    }
    requireStatus(
        404,
        send("GET", "/rooms/" + room + "/members", bob),
        send("GET", "/rooms/" + room + "/presence", bob),
        send("POST", "/rooms/" + room + "/poke", bob));
    assertThat(send("GET", "/rooms", bob).body()).isEqualTo("{\"rooms\":[]}");
  }

  @Test
  void anInvitationPokesTheInvitedOnceHoweverOftenItIsRepeated() {
    requireStatus(201, create(room, alice));

    try (StreamClient stream = client.connected(bob)) {
      assertThat(usersPoked(() -> requireStatus(202, invite(bob, "reader")))).isEqualTo(1);
      stream.expect("sync");
    }
    assertThat(
            usersPoked(() -> {
              for (int i = 0; i < 20; i++) {
                requireStatus(202, invite(bob, "writer"));
                requireStatus(204, withdraw(bob, alice));
              }
              requireStatus(202, invite(bob, "writer"));
            }))
        .isZero();
    assertThat(invitedTo(bob)).containsExactly(room);
    requireStatus(201, join(bob));
  }

  @Test
  void whoJoinsIsPokedAndSeesTheRoom() {
    requireStatus(201, create(room, alice));
    Replica owner = Replica.of(client, alice);
    owner.push(owner.put(room, "a", ONE));
    requireStatus(202, invite(bob, "reader"));

    try (StreamClient stream = client.connected(bob)) {
      assertThat(usersPoked(() -> requireStatus(201, join(bob)))).isEqualTo(1);
      stream.expect("sync");
    }

    assertThat(Replica.of(client, bob).pull()).contains("put a");
  }

  @Test
  void anInvitationThatIsDeclinedIsGoneAndItsOwnerIsNotTold() {
    requireStatus(201, create(room, alice));
    requireStatus(202, invite(bob, "reader"));

    assertThat(usersPoked(() -> requireStatus(204, decline(bob)))).isZero();

    assertThat(invitedTo(bob)).isEmpty();
    assertThat(invited()).containsExactly(bob);
    assertThat(usersPoked(() -> requireStatus(202, invite(bob, "writer")))).isZero();
    assertThat(invitedTo(bob)).isEmpty();
    requireStatus(404, decline(bob));
    // of their own will they may still join
    requireStatus(201, join(bob));
  }

  @Test
  void anInvitationThatIsWithdrawnCanBeAcceptedNoMore() {
    requireStatus(201, create(room, alice));
    requireStatus(202, invite(bob, "reader"));

    requireStatus(204, withdraw(bob, alice));

    assertThat(invitedTo(bob)).isEmpty();
    assertThat(invited()).isEmpty();
    Problems.detail(join(bob), 404);
    requireStatus(404, withdraw(bob, alice), decline(bob));
  }

  @Test
  void anInvitationExpiresAfterAMonthAndCanBeMadeAnew() {
    requireStatus(201, create(room, alice));
    requireStatus(202, invite(bob, "reader"));
    requireStatus(204, decline(bob));
    clock.advance(Duration.ofDays(31));

    Problems.detail(join(bob), 404);
    assertThat(usersPoked(() -> requireStatus(202, invite(bob, "reader")))).isEqualTo(1);
    assertThat(invitedTo(bob)).containsExactly(room);
  }

  @Test
  void onlyAnOwnerInvitesWithdrawsAndSeesTheInvitations() {
    requireStatus(201, create(room, alice));
    requireStatus(202, invite(bob, "writer"));
    requireStatus(201, join(bob));

    requireStatus(
        403,
        put(room, eve, "reader", bob),
        send("GET", "/rooms/" + room + "/invitations", bob),
        withdraw(eve, bob),
        send("GET", "/rooms/" + room + "/links", bob),
        sendJson("POST", "/rooms/" + room + "/links", "{\"role\":\"reader\"}", bob));
    requireStatus(
        404,
        put(room, bob, "reader", eve),
        send("GET", "/rooms/" + room + "/invitations", eve),
        withdraw(bob, eve),
        send("GET", "/rooms/" + room + "/links", eve),
        sendJson("POST", "/rooms/" + room + "/links", "{\"role\":\"reader\"}", eve));
  }

  @Test
  void whoIsAnOwnerNoMoreHasInvitedNobodyAndHasNoLinks() {
    requireStatus(201, create(room, alice));
    requireStatus(202, invite(bob, "owner"));
    requireStatus(201, join(bob));
    requireStatus(202, put(room, eve, "writer", bob));
    HttpReply link = sendJson("POST", "/rooms/" + room + "/links", "{\"role\":\"writer\"}", bob);

    requireStatus(204, send("DELETE", "/rooms/" + room + "/members/" + bob, alice));

    requireStatus(404, join(eve), joinBy(link.json().getString("code"), bob));
    assertThat(links()).isEmpty();
  }

  @Test
  void aNewRoomOfTheSameIdKnowsNothingOfTheInvitationsAndLinksOfTheOldOne() {
    requireStatus(201, create(room, alice));
    requireStatus(202, invite(bob, "writer"), invite(eve, "reader"));
    requireStatus(204, decline(eve));
    String code = link("{\"role\":\"writer\"}");
    requireStatus(204, send("DELETE", "/rooms/" + room, alice));
    requireStatus(201, create(room, alice));

    requireStatus(404, join(bob), join(eve), joinBy(code, bob));
    assertThat(invited()).isEmpty();
    requireStatus(202, invite(eve, "reader"));
    assertThat(invitedTo(eve)).containsExactly(room);
  }

  @Test
  void invitationsCountForNothingBeforeTheyAreAccepted() {
    for (int i = 0; i < BETWEEN_TWO; i++) {
      requireStatus(201, create(room + i, eve));
      requireStatus(202, put(room + i, bob, "reader", eve));
    }
    for (int i = 0; i < MAX_ROOMS; i++) {
      requireStatus(201, create(bob + i, bob));
    }

    Problems.detail(send("POST", "/rooms/" + room + "0/join", bob), 403);
    requireStatus(204, send("DELETE", "/rooms/" + bob + "0", bob));
    requireStatus(201, send("POST", "/rooms/" + room + "0/join", bob));
  }

  @Test
  void nobodyFillsTheInvitationsOfAnother() {
    for (int i = 0; i < BETWEEN_TWO + 1; i++) {
      requireStatus(201, create(room + i, eve));
      requireStatus(i < BETWEEN_TWO ? 202 : 403, put(room + i, bob, "reader", eve));
    }
    assertThat(usersPoked(() -> put(room + BETWEEN_TWO, bob, "reader", eve))).isZero();

    requireStatus(201, create(room, alice));
    requireStatus(202, invite(bob, "reader"));
    assertThat(invitedTo(bob)).hasSize(BETWEEN_TWO + 1).contains(room);
  }

  @Test
  void aUserHasAsManyInvitationsAsAllowed() {
    for (int i = 0; i < MAX_INVITATIONS_PER_USER; i++) {
      requireStatus(201, create(room + i, alice + i));
      requireStatus(202, put(room + i, bob, "reader", alice + i));
    }
    requireStatus(201, create(room, alice));

    assertThat(Problems.detail(invite(bob, "reader"), 403)).contains("answer one");
    requireStatus(204, send("DELETE", "/invitations/" + room + "0", bob));
    requireStatus(202, invite(bob, "reader"));
  }

  @Test
  void aRoomHasAsManyInvitationsAsAllowedAlsoWithdrawnOnes() {
    requireStatus(201, create(room, alice));
    for (int i = 0; i < MAX_INVITATIONS; i++) {
      requireStatus(202, invite(bob + i, "reader"));
    }

    assertThat(Problems.detail(invite(bob, "reader"), 403)).contains("" + MAX_INVITATIONS);
    requireStatus(204, withdraw(bob + "0", alice));
    requireStatus(403, invite(bob, "reader"));
    requireStatus(201, join(bob + "1"));
    requireStatus(202, invite(bob, "reader"));
  }

  @Test
  void noCountTellsAnInviterWhoHasDeclined() {
    for (int i = 0; i < BETWEEN_TWO; i++) {
      requireStatus(201, create(room + i, eve));
      requireStatus(202, put(room + i, bob, "reader", eve));
    }
    requireStatus(204, send("DELETE", "/invitations/" + room + "0", bob));
    for (int i = 0; i < BETWEEN_TWO; i++) {
      requireStatus(204, send("DELETE", "/rooms/" + room + i + "/invitations/" + bob, eve));
    }
    clock.advance(Duration.ofHours(25));

    for (int i = 0; i < BETWEEN_TWO; i++) {
      requireStatus(201, create(room + "again" + i, eve));
      requireStatus(202, put(room + "again" + i, bob, "reader", eve));
    }
    requireStatus(403, put(room + "0", bob, "reader", eve), put(room + "1", bob, "reader", eve));
    requireStatus(204, send("DELETE", "/rooms/" + room + "again0", eve));
    clock.advance(Duration.ofHours(25));
    // one that was declined stays so, and its inviter can't tell
    assertThat(usersPoked(() -> requireStatus(202, put(room + "0", bob, "reader", eve)))).isZero();
    assertThat(invitedTo(bob)).doesNotContain(room + "0");
  }

  @Test
  void aUserSendsAsManyInvitationsAsAllowedInWhicheverRooms() {
    requireStatus(201, create(room, alice), create(room + "b", alice));
    for (int i = 0; i < MAX_INVITATIONS; i++) {
      requireStatus(202, invite(bob + i, "reader"));
    }

    assertThat(Problems.detail(put(room + "b", bob, "reader", alice), 403))
        .contains("" + MAX_INVITATIONS);
    requireStatus(204, send("DELETE", "/rooms/" + room, alice));
    requireStatus(403, put(room + "b", bob, "reader", alice));
    clock.advance(Duration.ofHours(25));
    requireStatus(202, put(room + "b", bob, "reader", alice));
  }

  @Test
  void ofManyJoinsAtOnceOneIsNew() throws Exception {
    requireStatus(201, create(room, alice));
    requireStatus(202, invite(bob, "reader"));

    List<HttpReply> replies = AtOnce.send(8, _ -> join(bob));

    assertThat(replies).extracting(HttpReply::status).containsOnlyOnce(201).containsOnly(200, 201);
  }

  // links

  @Test
  void whoeverHasALinksCodeJoins() {
    requireStatus(201, create(room, alice));

    HttpReply made =
        sendJson(
            "POST",
            "/rooms/" + room + "/links",
            "{\"role\":\"writer\",\"expiresIn\":60,\"uses\":2}",
            alice);
    requireStatus(201, made);
    JsonObject link = made.json();
    assertThat(link.getString("code")).hasSizeGreaterThanOrEqualTo(22);
    assertThat(send("GET", "/rooms/" + room + "/links", alice).body())
        .isEqualTo(
            "{\"links\":[{\"id\":\"%s\",\"room\":\"%s\",\"role\":\"writer\",\"createdBy\":\"%s\",\"expiresAt\":\"2026-"
                    .formatted(link.getString("id"), room, alice)
                + link.getString("expiresAt").substring(5)
                + "\",\"uses\":2}]}")
        .doesNotContain(link.getString("code"));

    HttpReply joined = joinBy(link.getString("code"), bob);
    assertThat(joined.status()).isEqualTo(201);
    assertThat(joined.body())
        .isEqualTo(
            "{\"room\":\"%s\",\"userId\":\"%s\",\"role\":\"writer\",\"since\":%s}"
                .formatted(room, bob, at()));
    requireStatus(200, joinBy(link.getString("code"), bob)); // which uses nothing up
    requireStatus(201, joinBy(link.getString("code"), eve));
    assertThat(links()).isEmpty();
    Problems.detail(joinBy(link.getString("code"), "late-" + bob), 404);
  }

  @Test
  void whoJoinsByALinkIsPokedAlone() {
    requireStatus(201, create(room, alice));
    String code = link("{\"role\":\"reader\"}");

    assertThat(usersPoked(() -> requireStatus(201, joinBy(code, bob)))).isEqualTo(1);
  }

  @Test
  void aLinkExpires() {
    requireStatus(201, create(room, alice));
    String code = link("{\"role\":\"reader\",\"expiresIn\":60}");
    clock.advance(Duration.ofSeconds(61));

    requireStatus(404, joinBy(code, bob));
    assertThat(links()).isEmpty();
  }

  @Test
  void aLinkIsDeletedByItsId() {
    requireStatus(201, create(room, alice));
    String code = link("{\"role\":\"reader\"}");
    String id = links().getFirst();

    requireStatus(404, joinBy(id, bob));
    requireStatus(204, send("DELETE", "/rooms/" + room + "/links/" + id, alice));

    requireStatus(404, joinBy(code, bob), send("DELETE", "/rooms/" + room + "/links/" + id, alice));
  }

  @ParameterizedTest
  @ValueSource(strings = {"x", "%00", "%2F", "%20", "%F0%9F%98%80"})
  void aLinkOfAnIdThatNoLinkHasIsNotThere(String id) {
    requireStatus(201, create(room, alice));

    Problems.detail(send("DELETE", "/rooms/" + room + "/links/" + id, alice), 404);
  }

  @Test
  void aLinkLetsInNoMoreThanItsUsesHoweverManyComeAtOnce() throws Exception {
    requireStatus(201, create(room, alice));
    String code = link("{\"role\":\"reader\",\"uses\":3}");

    List<HttpReply> replies = AtOnce.send(12, i -> joinBy(code, bob + "-" + i));

    assertThat(replies).filteredOn(each -> each.status() == 201).hasSize(3);
    assertThat(memberIds()).hasSize(4);
  }

  @Test
  void whoIsInvitedAsMoreThanALinkMakesBecomesThat() {
    requireStatus(201, create(room, alice));
    requireStatus(202, invite(bob, "owner"));

    assertThat(joinBy(link("{\"role\":\"reader\"}"), bob).json().getString("role"))
        .isEqualTo("owner");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"role\":\"owner\"} | not owners",
        "{\"role\":\"boss\"} | role",
        "{} | role",
        "{\"role\":\"reader\",\"uses\":0} | uses",
        "{\"role\":\"reader\",\"uses\":1.5} | uses",
        "{\"role\":\"reader\",\"uses\":1e999999} | uses",
        "{\"role\":\"reader\",\"uses\":1e99999999999} | uses",
        "{\"role\":\"reader\",\"uses\":1e-99999999999} | uses",
        "{\"role\":\"reader\",\"uses\":-1e2147483647} | uses",
        "{\"role\":\"reader\",\"uses\":1e-2147483647} | uses",
        "{\"role\":\"reader\",\"uses\":\"2\"} | uses",
        "{\"role\":\"reader\",\"expiresIn\":0} | expiresIn",
        "{\"role\":\"reader\",\"expiresIn\":2592001} | expiresIn",
        "{\"role\":\"reader\",\"expires\":60} | expiresIn",
        "[] | role",
      })
  void aLinkThatCanNotBeIsRefusedByTheNameOfWhatIsWrong(String json, String says) {
    requireStatus(201, create(room, alice));

    assertThat(Problems.detail(sendJson("POST", "/rooms/" + room + "/links", json, alice), 400))
        .contains(says);
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "{\"code\":1}", "{\"code\":\"a\",\"room\":\"b\"}", "null", ""})
  void aBodyWithoutACodeIsRefused(String json) {
    assertThat(Problems.detail(sendJson("POST", "/join", json, bob), 400)).isNotEmpty();
  }

  @Test
  void aRoomHasAsManyLinksAsAllowed() {
    requireStatus(201, create(room, alice));
    IntStream.range(0, MAX_LINKS).forEach(_ -> link("{\"role\":\"reader\"}"));

    assertThat(
            Problems.detail(
                sendJson("POST", "/rooms/" + room + "/links", "{\"role\":\"reader\"}", alice), 403))
        .contains("" + MAX_LINKS);
  }

  // backends

  @Test
  void aBackendAddsChangesAndRemovesMembersOfAnyRoom() {
    requireStatus(201, create(room, alice));
    requireStatus(202, invite(bob, "reader"));

    try (StreamClient stream = client.connected(bob)) {
      requireStatus(201, put(room, bob, "writer", "backend", Caller.WRITE_SCOPE));
      stream.expect("sync");
    }
    assertThat(invitedTo(bob)).isEmpty();
    requireStatus(200, put(room, bob, "reader", "backend", Caller.WRITE_SCOPE));
    requireStatus(200, send("GET", "/rooms/" + room + "/members", "backend", Caller.WRITE_SCOPE));
    requireStatus(
        204, send("DELETE", "/rooms/" + room + "/members/" + bob, "backend", Caller.WRITE_SCOPE));
    assertThat(memberIds()).containsExactly(alice);
    requireStatus(
        409, send("DELETE", "/rooms/" + room + "/members/" + alice, "backend", Caller.WRITE_SCOPE));
    requireStatus(404, put(room + "x", bob, "writer", "backend", Caller.WRITE_SCOPE));
  }

  @Test
  void aBackendCreatesARoomForAnotherAndDeletesIt() {
    String json = "{\"id\":\"%s\",\"owner\":\"%s\"}".formatted(room, bob);

    assertThat(Problems.detail(sendJson("POST", "/rooms", json, alice), 403))
        .contains(Caller.WRITE_SCOPE);
    HttpReply created = sendJson("POST", "/rooms", json, "backend", Caller.WRITE_SCOPE);

    requireStatus(201, created);
    assertThat(created.json().getString("owner")).isEqualTo(bob);
    assertThat(send("GET", "/rooms", bob).body()).contains("\"role\":\"owner\"");
    requireStatus(204, send("DELETE", "/rooms/" + room, "backend", Caller.WRITE_SCOPE));
    assertThat(send("GET", "/rooms", bob).body()).isEqualTo("{\"rooms\":[]}");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a\\u0000", "\\ud800"})
  void aRoomIsNotMadeForWhoCanNotBe(String owner) {
    String json = "{\"id\":\"%s\",\"owner\":\"%s\"}".formatted(room, owner);

    Problems.detail(sendJson("POST", "/rooms", json, "backend", Caller.WRITE_SCOPE), 400);
    requireStatus(201, create(room, alice));
  }

  @ParameterizedTest
  @ValueSource(strings = {"replicache:poke", "replicache:read", "replicache:writer"})
  void anotherScopeLetsNobodyInto(String scope) {
    requireStatus(201, create(room, alice));

    requireStatus(
        404,
        put(room, eve, "owner", eve, scope),
        send("DELETE", "/rooms/" + room, eve, scope),
        send("GET", "/rooms/" + room + "/members", eve, scope));
  }

  // mutators

  @Test
  void aMutatorInvitesAndTakesBack() {
    requireStatus(201, create(room, alice));

    try (StreamClient stream = client.connected(bob)) {
      pushMember(alice, "invite", bob);
      stream.expect("sync");
    }
    assertThat(invitedTo(bob)).containsExactly(room);
    pushMember(alice, "remove", bob);
    assertThat(invitedTo(bob)).isEmpty();
    pushMember(eve, "invite", eve);
    assertThat(invitedTo(eve)).isEmpty();
  }

  @Test
  void aMutatorAddsNobodyWithTheCallersRights() {
    requireStatus(201, create(room, alice));

    pushMember(alice, "add", bob);
    assertThat(memberIds()).containsExactly(alice);
    pushMember(alice, "addUnrestricted", bob);
    assertThat(memberIds()).containsExactly(alice, bob);
  }

  @Test
  void aMutatorMakesALink() {
    requireStatus(201, create(room, alice));

    push(alice, "link", "\"" + room + "\"");

    Replica owner = Replica.of(client, alice);
    owner.pull();
    requireStatus(201, joinBy(Objects.requireNonNull(owner.view().get("code")).asText(), bob));
  }

  @Test
  void aRuleWithoutRestrictionLetsInWhomItLikesAndNothingElse() {
    requireStatus(201, create(room, alice));
    push(bob, "knock", "\"" + room + "\"");
    assertThat(memberIds()).containsExactly(alice);
    Replica owner = Replica.of(client, alice);
    owner.push(owner.put(room, "word", ONE));

    try (StreamClient stream = client.connected(alice)) {
      push(bob, "knock", "\"" + room + "\"");
      stream.expect("sync");
    }

    assertThat(memberIds()).containsExactly(alice, bob);
    Replica guest = Replica.of(client, bob);
    guest.pull();
    assertThat(guest.view()).containsKeys("word", "guest");
    guest.push(guest.put(room, "word", ONE));
    owner.pull();
    assertThat(owner.view()).containsEntry("guest", JsonValue.of(bob));
    push(bob, "knock", "\"" + room + "-that-is-not-there\"");
  }
}
