package dev.replistream.sync;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.ServerSentEvent;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import dev.replistream.api.Role;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One trace against a running service, with users and rooms of its own, beside the model. After
/// each step
///
/// - the answer is the one that the model gives, and holds no name of a user, room, key, value,
///   group or client but those that the caller may see or sent himself,
/// - whoever has pulled holds what the model says, and was told to delete only what he held,
/// - exactly those were poked whom the model names, on each of their streams once.
///
/// Confined to one thread.
final class IsolationTrace implements AutoCloseable {
  private static final int MAX_STREAMS = 3;
  private static final int KEPT_STATES = 12;

  /// All names of a trace look like this, and hardly anything else does.
  private static final Pattern NAME =
      Pattern.compile("(?:user|room|key|value)\\.[0-9]+\\.[0-9]+|(?:group|client)[0-9]+");

  private final ServiceClient client;
  private final ServiceClient past;
  private final ServiceClient forger;
  private final String run;
  private final boolean isDirect;
  private final Duration patience;
  private final ViewModel model = new ViewModel();
  private final List<User> users = new ArrayList<>();
  private final List<String> codes = new ArrayList<>();
  private final Listener fence;
  private long lastStamp;
  private int values;

  /// @param isDirect whether owners add members without asking them
  /// @param run names the trace: digits
  /// @param patience how long a poke may take
  IsolationTrace(TestService service, boolean isDirect, String run, Duration patience) {
    this.run = run;
    this.isDirect = isDirect;
    this.patience = patience;
    client = service.client();
    int port = service.application().port();
    int adminPort = service.application().adminPort();
    Clock yesterday = Clock.offset(Clock.systemUTC(), Duration.ofDays(-1));
    past = new ServiceClient(port, adminPort, TestService.settings(), yesterday);
    forger =
        new ServiceClient(
            port,
            adminPort,
            TestService.settings("AUTH_SECRET", "another secret of 32 bytes or more"),
            Clock.systemUTC());
    for (int i = 0; i < IsolationStep.USERS; i++) {
      users.add(new User(i));
    }
    fence = new Listener(client.connected(fenceId()));
    lastStamp = stamp();
    for (User user : users) {
      user.pokes = new Pokes(0, lastStamp);
      open(user, "");
    }
  }

  /// The stamps between which a user was poked last.
  private record Pokes(long after, long before) {
    boolean has(long stamp) {
      return stamp > after && stamp < before;
    }
  }

  /// What a client has persisted.
  private record State(int group, JsonValue cookie, Map<String, JsonValue> view) {}

  /// One open stream.
  private final class Listener implements AutoCloseable {
    private final StreamClient stream;
    String lastEventId = "";

    Listener(StreamClient stream) {
      this.stream = stream;
    }

    /// The stamp of the next event, which has to be `data`.
    long expect(String data) {
      ServerSentEvent event = stream.poll(patience);
      if (event == null) {
        throw new AssertionError("no " + data + " comes");
      }
      assertThat(event.data()).isEqualTo(data);
      lastEventId = event.lastEventId();
      return event.stamp();
    }

    @Override
    public void close() {
      stream.close();
    }
  }

  private final class User {
    final String id;

    /// One client of each of the user's groups.
    final List<Replica> clients;

    final List<State> states = new ArrayList<>();
    final List<Listener> listeners = new ArrayList<>();

    /// The last event of each stream that was closed, and whether there was a poke since.
    final Map<String, Boolean> left = new TreeMap<>();

    Pokes pokes = new Pokes(0, 0);

    /// A user with something in the private space.
    User(int number) {
      id = name("user", number);
      clients = List.of(Replica.of(client, id), Replica.of(client, id));
      String key = key(IsolationStep.KEYS + number);
      for (Replica each : clients) {
        JsonValue value = value();
        each.push(each.put(key, value));
        model.put(id, key, value);
      }
    }

    State newest(int group) {
      return states.reversed().stream()
          .filter(state -> state.group == group)
          .findFirst()
          .orElseGet(() -> new State(group, JsonValue.ofNull(), Map.of()));
    }
  }

  private String name(String kind, int number) {
    return kind + "." + run + "." + number;
  }

  private String key(int number) {
    return name("key", number);
  }

  private String fenceId() {
    return "fence." + run;
  }

  private JsonValue value() {
    return JsonValue.object().with("put", name("value", values++)).build();
  }

  @Override
  public void close() {
    fence.close();
    users.forEach(user -> user.listeners.forEach(Listener::close));
  }

  /// Takes one step and checks what came of it.
  void step(IsolationStep step) {
    User user = users.get(step.user());
    User other = users.get(step.other());
    String room = name("room", step.room());
    int group = step.pick() % user.clients.size();
    Map<String, Map<String, JsonValue>> before = views();
    Set<String> poked =
        switch (step.action()) {
          case PUT, PATCH, DEL -> write(user, group, step, Optional.empty());
          case PUT_IN_ROOM, PATCH_IN_ROOM, DEL_IN_ROOM ->
              write(user, group, step, Optional.of(room));
          case PUT_AND_DEL_IN_ROOM -> putAndDelete(user, group, room, key(step.key()));
          case PULL -> pull(user, user.newest(group), group);
          case PULL_WITHOUT_COOKIE ->
              pull(user, new State(group, JsonValue.ofNull(), Map.of()), group);
          case PULL_WITH_OLD_COOKIE -> {
            State old = old(user, step.pick());
            yield pull(user, old, old.group);
          }
          case PULL_WITH_COOKIE_OF_OTHER_GROUP -> {
            State old = old(user, step.pick());
            yield pull(user, old, 1 - old.group);
          }
          case PULL_WITH_COOKIE_OF_OTHER_USER -> pullWithCookieOf(other, user, group, step.pick());
          case PULL_WITH_FORGED_COOKIE -> pullWithForgedCookie(user, group, room, step.pick());
          case PULL_AS_GROUP_OF_OTHER_USER -> useGroupOf(other, user, "/pull");
          case PUSH_AS_GROUP_OF_OTHER_USER -> useGroupOf(other, user, "/push");
          case CREATE_ROOM -> createRoom(user, room);
          case DELETE_ROOM -> deleteRoom(user, room);
          case PUT_MEMBER -> putMember(user, room, other.id, step.role());
          case REMOVE_MEMBER -> removeMember(user, room, other.id);
          case LEAVE -> removeMember(user, room, user.id);
          case JOIN -> join(user, room);
          case DECLINE -> decline(user, room);
          case WITHDRAW -> withdraw(user, room, other.id);
          case MAKE_LINK -> makeLink(user, room, step.linkRole());
          case JOIN_BY_LINK -> joinByLink(user, step.pick());
          case END_LINK -> endLink(user, step.pick());
          case LIST_INVITATIONS -> listInvitations(user);
          case LIST_INVITATIONS_OF_ROOM -> listInvitationsOf(user, room);
          case LIST_PRESENCE -> listPresence(user, room);
          case BACKEND_CREATES_ROOM -> backendCreates(room, user.id);
          case BACKEND_DELETES_ROOM -> backendDeletes(room);
          case BACKEND_PUTS_MEMBER -> backendPuts(room, other.id, step.role());
          case BACKEND_REMOVES_MEMBER -> backendRemoves(room, other.id);
          case RULE_LETS_IN -> ruleLetsIn(user, group, room);
          case RULE_WRITES -> ruleWrites(user, group, room, key(step.key()));
          case LIST_ROOMS -> listRooms(user);
          case LIST_MEMBERS -> listMembers(user, room);
          case POKE_SELF -> poke(user, client.token(user.id), Set.of(user), "");
          case POKE_OTHER ->
              poke(
                  user,
                  client.token(user.id),
                  other == user ? Set.of(user) : Set.of(),
                  "{\"userId\":\"" + other.id + "\"}");
          case POKE_AS_SERVICE ->
              poke(
                  user,
                  client.token(user.id, "replicache:poke"),
                  new HashSet<>(List.of(user, other)),
                  "{\"userIds\":[\"" + other.id + "\",\"" + user.id + "\"]}");
          case POKE_ROOM -> pokeRoom(user, room);
          case COME_WITH_BAD_TOKEN -> comeWithBadToken(user, other, room, step);
          case OPEN_STREAM -> {
            if (user.listeners.size() < MAX_STREAMS) {
              List<String> left = new ArrayList<>(user.left.keySet());
              left.add("");
              open(user, left.get(step.pick() % left.size()));
            }
            yield Set.of();
          }
          case CLOSE_STREAM -> closeStream(user);
        };
    Map<String, Map<String, JsonValue>> after = views();
    for (User each : users) {
      if (!requireNonNull(after.get(each.id)).equals(before.get(each.id))) {
        assertThat(poked).as("whose view changed").contains(each.id);
      }
    }
    expectPokes(poked);
  }

  /// Checks once more that everybody sees all that is granted, and that no poke was left over.
  void end() {
    for (User user : users) {
      client.poke(user.id);
    }
    Set<String> all = new HashSet<>();
    users.forEach(user -> all.add(user.id));
    expectPokes(all);
    for (User user : users) {
      pull(user, user.newest(0), 0);
      pull(user, user.newest(1), 1);
      pull(user, new State(0, JsonValue.ofNull(), Map.of()), 0);
      List.copyOf(user.states).forEach(state -> pull(user, state, state.group));
      listRooms(user);
    }
  }

  private Map<String, Map<String, JsonValue>> views() {
    Map<String, Map<String, JsonValue>> views = new HashMap<>();
    users.forEach(user -> views.put(user.id, model.view(user.id)));
    return views;
  }

  // pokes

  /// Pokes a user of the test's own, and returns the stamp: each poke takes the next one.
  private long stamp() {
    client.poke(fenceId());
    return fence.expect("sync");
  }

  private void expectPokes(Set<String> poked) {
    long after = lastStamp;
    lastStamp = stamp();
    assertThat(lastStamp - after - 1)
        .as("pokes, which should be of " + poked)
        .isEqualTo(poked.size());
    for (User user : users) {
      if (poked.contains(user.id)) {
        user.pokes = new Pokes(after, lastStamp);
        user.left.replaceAll((_, _) -> true);
        for (Listener listener : user.listeners) {
          assertThat(listener.expect("sync")).as("a poke of " + user.id).matches(user.pokes::has);
        }
      }
    }
  }

  private void open(User user, String lastEventId) {
    HttpRequest request = client.stream(user.id);
    Listener listener =
        new Listener(
            client.open(
                lastEventId.isEmpty() ? request : request.with("Last-Event-ID", lastEventId)));
    user.listeners.add(listener);
    boolean missed = user.left.getOrDefault(lastEventId, false);
    user.left.remove(lastEventId);
    long connected = listener.expect("connected");
    if (missed) {
      assertThat(listener.expect("sync")).as("a poke of " + user.id).matches(user.pokes::has);
    } else {
      assertThat(connected).as("the last poke of " + user.id).matches(user.pokes::has);
    }
  }

  private Set<String> closeStream(User user) {
    if (!user.listeners.isEmpty()) {
      Listener listener = user.listeners.removeFirst();
      listener.close();
      user.left.put(listener.lastEventId, false);
      Eventually.holds(
          "the stream is gone", () -> client.connections(user.id) == user.listeners.size());
    }
    return Set.of();
  }

  private Set<String> poke(User user, String token, Set<User> poked, String body) {
    HttpRequest request = HttpRequest.api("POST", "/poke-user").by(token).with(body);
    HttpReply reply = send(user, request);
    if (poked.isEmpty()) {
      Problems.detail(reply, 403);
      return Set.of();
    }
    return expectNotified(reply, poked);
  }

  private Set<String> pokeRoom(User user, String room) {
    HttpRequest request = request(user, "POST", "/rooms/" + room + "/poke");
    HttpReply reply = send(user, request);
    Optional<Role> role = model.role(room, user.id);
    if (role.isEmpty()) {
      return expectHidden(reply, user, request, room);
    }
    if (!role.get().writes()) {
      Problems.detail(reply, 403);
      return Set.of();
    }
    Set<User> members = new HashSet<>(users);
    members.removeIf(each -> !model.isMember(room, each.id));
    return expectNotified(reply, members);
  }

  private static Set<String> expectNotified(HttpReply reply, Set<User> poked) {
    expectStatus(reply, 200);
    assertThat(reply.json().getInt("clientsNotified"))
        .isEqualTo(poked.stream().mapToInt(each -> each.listeners.size()).sum());
    Set<String> ids = new HashSet<>();
    poked.forEach(each -> ids.add(each.id));
    return ids;
  }

  // requests

  private HttpRequest request(User user, String method, String route) {
    return HttpRequest.api(method, route).by(client.token(user.id));
  }

  /// Sends a request, whose answer may name what the user sees or the request named.
  private HttpReply send(User user, HttpRequest request) {
    HttpReply reply = client.send(request);
    Set<String> allowed = granted(user);
    allowed.addAll(names(request.toString()));
    assertThat(allowed).as(reply.toString()).containsAll(names(reply.toString()));
    Problems.tellsNothingOfTheCode(reply);
    return reply;
  }

  private static Set<String> names(String text) {
    Set<String> names = new TreeSet<>();
    Matcher matcher = NAME.matcher(text);
    while (matcher.find()) {
      names.add(matcher.group());
    }
    return names;
  }

  /// All that a user may see.
  private Set<String> granted(User user) {
    Set<String> granted = new TreeSet<>(Set.of(user.id));
    for (Replica each : user.clients) {
      granted.add(each.groupId);
      granted.add(each.clientId);
    }
    model
        .rooms(user.id)
        .keySet()
        .forEach(room -> {
          granted.add(room);
          granted.addAll(model.members(room).keySet());
        });
    model
        .invitationsOf(user.id)
        .forEach((room, invited) -> {
          granted.add(room);
          granted.add(invited.by());
        });
    for (Map<String, JsonValue> space : model.spaces(user.id)) {
      space.forEach((key, value) -> {
        granted.add(key);
        granted.addAll(names(value.toJson()));
      });
    }
    return granted;
  }

  private static void expectStatus(HttpReply reply, int status) {
    assertThat(reply.status()).as(reply.toString()).isEqualTo(status);
  }

  /// Checks an answer about a room that the user is not in: it has to be that about no room.
  private Set<String> expectHidden(HttpReply reply, User user, HttpRequest request, String room) {
    Problems.detail(reply, 404);
    String target = request.target().replace(room, name("room", IsolationStep.ROOMS));
    HttpReply other =
        send(user, new HttpRequest(request.method(), target, request.headers(), request.body()));
    assertThat(withoutDate(other)).isEqualTo(withoutDate(reply));
    return Set.of();
  }

  private static String withoutDate(HttpReply reply) {
    return reply.statusLine()
        + reply.headers().stream().filter(header -> !header.getKey().equals("date")).toList()
        + reply.body();
  }

  private Set<String> comeWithBadToken(User user, User other, String room, IsolationStep step) {
    List<HttpRequest> routes =
        List.of(
            HttpRequest.api("GET", "/rooms"),
            HttpRequest.api("POST", "/rooms").with("{\"id\":\"" + room + "\"}"),
            HttpRequest.api("DELETE", "/rooms/" + room),
            HttpRequest.api("GET", "/rooms/" + room + "/members"),
            HttpRequest.api("PUT", "/rooms/" + room + "/members/" + other.id)
                .with("{\"role\":\"owner\"}"),
            HttpRequest.api("DELETE", "/rooms/" + room + "/members/" + other.id),
            HttpRequest.api("POST", "/rooms/" + room + "/poke"),
            HttpRequest.api("GET", "/invitations"),
            HttpRequest.api("DELETE", "/invitations/" + room),
            HttpRequest.api("POST", "/rooms/" + room + "/join"),
            HttpRequest.api("GET", "/rooms/" + room + "/invitations"),
            HttpRequest.api("POST", "/rooms/" + room + "/links").with("{\"role\":\"writer\"}"),
            HttpRequest.api("POST", "/join").with("{\"code\":\"x\"}"),
            HttpRequest.api("POST", "/poke-user"),
            HttpRequest.api("POST", "/ticket"),
            HttpRequest.api("GET", "/stats"),
            HttpRequest.api("GET", "/stream"),
            json("/pull", user.clients.getFirst().pullBody(user.newest(0).cookie)),
            json("/push", user.clients.getFirst().pushBody(List.of(next(user, key(step.key()))))));
    HttpRequest request = routes.get(step.pick() / 4 % routes.size());
    HttpReply reply =
        client.send(
            switch (step.pick() % 4) {
              case 0 -> request;
              case 1 -> request.by(past.token(user.id, "replicache:poke", "replicache:write"));
              case 2 -> request.by(forger.token(user.id, "replicache:poke", "replicache:write"));
              default -> request.by("x." + client.token(user.id));
            });
    Problems.detail(reply, 401);
    assertThat(reply.header("WWW-Authenticate")).startsWith("Bearer");
    assertThat(names(request.toString())).as(reply.toString()).containsAll(names(reply.toString()));
    return Set.of();
  }

  private static HttpRequest json(String route, JsonValue body) {
    return HttpRequest.api("POST", route)
        .with("Content-Type", "application/json")
        .with(body.toJson());
  }

  // pushes

  /// A mutation that the user's first client could make next, if it was asked.
  private JsonValue next(User user, String key) {
    return user.clients
        .getFirst()
        .mutation(
            1_000_000, "put", JsonValue.object().with("key", key).with("value", value()).build());
  }

  private static JsonValue.Obj args(
      Optional<String> room, String key, String name, JsonValue value) {
    JsonValue.Obj args = JsonValue.object().with("key", key).with(name, value).build();
    return room.isPresent() ? args.with("room", JsonValue.of(room.get())) : args;
  }

  private Set<String> write(User user, int group, IsolationStep step, Optional<String> room) {
    Replica replica = user.clients.get(group);
    String key = key(step.key());
    JsonValue value = value();
    return switch (step.action()) {
      case PUT, PUT_IN_ROOM -> {
        Set<String> concerned = model.write(user.id, room, key, _ -> Optional.of(value));
        yield push(
            user, replica, concerned, replica.mutation("put", args(room, key, "value", value)));
      }
      case PATCH, PATCH_IN_ROOM -> {
        JsonValue patch = JsonValue.object().with("patch", value.get("put")).build();
        Set<String> concerned =
            model.write(user.id, room, key, before -> Optional.of(merged(before, patch)));
        JsonValue.Obj args = args(room, key, "merge", patch).with("create", JsonValue.of(true));
        yield push(user, replica, concerned, replica.mutation("patch", args));
      }
      default -> {
        Set<String> concerned = model.write(user.id, room, key, _ -> Optional.empty());
        yield push(user, replica, concerned, replica.mutation("del", args(room, key, "x", value)));
      }
    };
  }

  private static JsonValue merged(Optional<JsonValue> before, JsonValue patch) {
    return before.isPresent() && before.get() instanceof JsonValue.Obj object
        ? object.with("patch", patch.get("patch"))
        : patch;
  }

  /// Of which nobody may learn anything, should the key have been away before.
  private Set<String> putAndDelete(User user, int group, String room, String key) {
    Replica replica = user.clients.get(group);
    JsonValue value = value();
    Set<String> concerned =
        new HashSet<>(model.write(user.id, Optional.of(room), key, _ -> Optional.of(value)));
    model.write(user.id, Optional.of(room), key, _ -> Optional.empty());
    return push(
        user,
        replica,
        concerned,
        replica.mutation("put", args(Optional.of(room), key, "value", value)),
        replica.mutation("del", args(Optional.of(room), key, "x", value)));
  }

  private Set<String> push(
      User user, Replica replica, Set<String> concerned, JsonValue... mutations) {
    HttpReply reply = replica.send(mutations);
    expectStatus(reply, 200);
    assertThat(reply.body()).isEqualTo("{}");
    Set<String> poked = new HashSet<>(concerned);
    poked.add(user.id);
    return poked;
  }

  private Set<String> useGroupOf(User owner, User user, String route) {
    if (owner != user) {
      Replica replica = owner.clients.getFirst();
      JsonValue body =
          route.equals("/pull")
              ? replica.pullBody(user.newest(0).cookie)
              : replica.pushBody(List.of(next(owner, key(0))));
      Problems.detail(send(user, json(route, body).by(client.token(user.id))), 403);
    }
    return Set.of();
  }

  // pulls

  private static State old(User user, int pick) {
    return user.states.isEmpty() ? user.newest(0) : user.states.get(pick % user.states.size());
  }

  /// Pulls as a group with the cookie of a state, which need not be the group's.
  private Set<String> pull(User user, State from, int group) {
    HttpReply reply = user.clients.get(group).sendPull(from.cookie);
    expectStatus(reply, 200);
    JsonValue answer = JsonValue.parse(reply.body());
    Map<String, JsonValue> view = new TreeMap<>(from.view);
    Set<String> deleted = new TreeSet<>();
    for (JsonValue operation : answer.get("patch").asElements()) {
      switch (operation.get("op").asText()) {
        case "clear" -> view.clear();
        case "put" -> view.put(operation.get("key").asText(), operation.get("value"));
        default -> {
          deleted.add(operation.get("key").asText());
          view.remove(operation.get("key").asText());
        }
      }
    }
    assertThat(from.view.keySet()).as("held, and told to delete").containsAll(deleted);
    Set<String> allowed = granted(user);
    allowed.addAll(deleted);
    assertThat(allowed).as(reply.toString()).containsAll(names(reply.toString()));
    assertThat(view).as("the view of " + user.id).isEqualTo(model.view(user.id));
    Set<String> spaces = new TreeSet<>(Set.of("u/" + user.id));
    model.rooms(user.id).keySet().forEach(room -> spaces.add("r/" + room));
    JsonValue cookie = answer.get("cookie");
    assertThat(cookie.get("spaces").asMembers().keySet()).isEqualTo(spaces);
    user.states.add(new State(group, cookie, view));
    if (user.states.size() > KEPT_STATES) {
      user.states.remove(values % user.states.size()); // some of them grow old
    }
    return Set.of();
  }

  /// Pulls with a cookie that is worth nothing, of which no other one may be worth more.
  private Set<String> pullWithUnknown(User user, int group, JsonValue cookie) {
    Replica replica = user.clients.get(group);
    JsonValue answer = replica.answer(cookie);
    assertThat(answer.get("patch").asElements().getFirst().toJson())
        .isEqualTo("{\"op\":\"clear\"}");
    JsonValue unknown =
        cookie instanceof JsonValue.Obj object
            ? object.with("mac", JsonValue.of("none"))
            : JsonValue.ofNull();
    assertThat(answer.toJson()).isEqualTo(replica.answer(unknown).toJson());
    return pull(user, new State(group, cookie, Map.of()), group);
  }

  private Set<String> pullWithCookieOf(User other, User user, int group, int pick) {
    return other == user || other.states.isEmpty()
        ? Set.of()
        : pullWithUnknown(user, group, old(other, pick).cookie);
  }

  /// Claims to hold a room, or another version of what is held.
  private Set<String> pullWithForgedCookie(User user, int group, String room, int pick) {
    if (!(old(user, pick).cookie instanceof JsonValue.Obj cookie)) {
      return Set.of();
    }
    Map<String, JsonValue> spaces = new TreeMap<>(cookie.get("spaces").asMembers());
    if (pick % 2 == 0) {
      spaces.replaceAll((_, version) -> JsonValue.of(version.asLong() + 1));
    } else {
      spaces.merge(
          "r/" + room, JsonValue.of(2), (held, _) -> JsonValue.of(Math.max(0, held.asLong() - 1)));
    }
    return pullWithUnknown(user, group, cookie.with("spaces", JsonValue.object(spaces)));
  }

  // rooms

  private Set<String> createRoom(User user, String room) {
    HttpReply reply = send(user, request(user, "POST", "/rooms").with("{\"id\":\"" + room + "\"}"));
    if (model.hasRoom(room)) {
      Problems.detail(reply, 409);
      return Set.of();
    }
    expectStatus(reply, 201);
    model.createRoom(room, user.id);
    return Set.of(user.id);
  }

  private Set<String> deleteRoom(User user, String room) {
    HttpRequest request = request(user, "DELETE", "/rooms/" + room);
    HttpReply reply = send(user, request);
    if (!model.isMember(room, user.id)) {
      return expectHidden(reply, user, request, room);
    }
    if (!isOwner(user, room)) {
      Problems.detail(reply, 403);
      return Set.of();
    }
    expectStatus(reply, 204);
    Set<String> members = new HashSet<>(model.members(room).keySet());
    model.deleteRoom(room);
    return members;
  }

  private boolean isOwner(User user, String room) {
    return model.role(room, user.id).filter(role -> role == Role.OWNER).isPresent();
  }

  private Set<String> putMember(User user, String room, String memberId, Role role) {
    HttpRequest request =
        request(user, "PUT", "/rooms/" + room + "/members/" + memberId)
            .with("{\"role\":\"" + role.label() + "\"}");
    HttpReply reply = send(user, request);
    if (!model.isMember(room, user.id)) {
      return expectHidden(reply, user, request, room);
    }
    if (!isOwner(user, room)) {
      Problems.detail(reply, 403);
      return Set.of();
    }
    if (model.isLastOwner(room, memberId) && role != Role.OWNER) {
      Problems.detail(reply, 409);
      return Set.of();
    }
    boolean isNew = !model.isMember(room, memberId);
    if (isNew && !isDirect) {
      expectStatus(reply, 202);
      return model.invite(room, memberId, role, user.id) ? Set.of(memberId) : Set.of();
    }
    expectStatus(reply, isNew ? 201 : 200);
    model.join(room, memberId, role);
    return isNew ? Set.of(memberId) : Set.of();
  }

  // invitations and links

  private Set<String> join(User user, String room) {
    HttpRequest request = request(user, "POST", "/rooms/" + room + "/join");
    HttpReply reply = send(user, request);
    if (model.isMember(room, user.id)) {
      expectStatus(reply, 200);
      return Set.of();
    }
    Optional<ViewModel.Invited> invited =
        model.invitation(room, user.id).filter(each -> !each.isWithdrawn());
    if (invited.isEmpty()) {
      return expectHidden(reply, user, request, room);
    }
    expectStatus(reply, 201);
    model.join(room, user.id, invited.get().role());
    return Set.of(user.id);
  }

  private Set<String> decline(User user, String room) {
    HttpRequest request = request(user, "DELETE", "/invitations/" + room);
    HttpReply reply = send(user, request);
    if (model.invitation(room, user.id).filter(ViewModel.Invited::isOpen).isEmpty()) {
      return expectHidden(reply, user, request, room);
    }
    expectStatus(reply, 204);
    model.decline(room, user.id);
    return Set.of();
  }

  private Set<String> withdraw(User user, String room, String userId) {
    HttpRequest request = request(user, "DELETE", "/rooms/" + room + "/invitations/" + userId);
    HttpReply reply = send(user, request);
    if (!model.isMember(room, user.id)) {
      return expectHidden(reply, user, request, room);
    }
    if (!isOwner(user, room)) {
      Problems.detail(reply, 403);
      return Set.of();
    }
    if (!model.shownToOwners(room).containsKey(userId)) {
      Problems.detail(reply, 404);
      return Set.of();
    }
    expectStatus(reply, 204);
    model.withdraw(room, userId);
    return Set.of();
  }

  private Set<String> makeLink(User user, String room, Role role) {
    HttpRequest request =
        request(user, "POST", "/rooms/" + room + "/links")
            .with("{\"role\":\"" + role.label() + "\"}");
    HttpReply reply = send(user, request);
    if (!model.isMember(room, user.id)) {
      return expectHidden(reply, user, request, room);
    }
    if (!isOwner(user, room)) {
      Problems.detail(reply, 403);
      return Set.of();
    }
    expectStatus(reply, 201);
    codes.add(reply.json().getString("code"));
    model
        .links()
        .put(
            codes.getLast(), new ViewModel.Link(room, reply.json().getString("id"), role, user.id));
    return Set.of();
  }

  /// Any code that there was, so some that are good for nothing.
  private Set<String> joinByLink(User user, int pick) {
    if (codes.isEmpty()) {
      return Set.of();
    }
    String code = codes.get(pick % codes.size());
    ViewModel.Link link = model.links().get(code);
    HttpReply reply =
        client.send(request(user, "POST", "/join").with("{\"code\":\"" + code + "\"}"));
    if (link == null) {
      Problems.detail(reply, 404);
      assertThat(names(reply.toString())).isEmpty();
      return Set.of();
    }
    assertThat(Set.of(user.id, link.room())).containsAll(names(reply.toString()));
    if (model.isMember(link.room(), user.id)) {
      expectStatus(reply, 200);
      return Set.of();
    }
    expectStatus(reply, 201);
    Role role =
        model
            .invitation(link.room(), user.id)
            .filter(each -> !each.isWithdrawn())
            .map(ViewModel.Invited::role)
            .filter(invited -> invited.compareTo(link.role()) < 0)
            .orElse(link.role());
    assertThat(reply.json().getString("role")).isEqualTo(role.label());
    model.join(link.room(), user.id, role);
    return Set.of(user.id);
  }

  private Set<String> endLink(User user, int pick) {
    if (codes.isEmpty()) {
      return Set.of();
    }
    String code = codes.get(pick % codes.size());
    ViewModel.Link link = model.links().get(code);
    if (link != null && isOwner(user, link.room())) {
      expectStatus(
          send(user, request(user, "DELETE", "/rooms/" + link.room() + "/links/" + link.id())),
          204);
      model.links().remove(code);
    }
    return Set.of();
  }

  private Set<String> listInvitations(User user) {
    HttpReply reply = send(user, request(user, "GET", "/invitations"));
    expectStatus(reply, 200);
    Map<String, Role> invited = new TreeMap<>();
    model.invitationsOf(user.id).forEach((room, each) -> invited.put(room, each.role()));
    expectRoles(reply, "invitations", "room", invited);
    return Set.of();
  }

  private Set<String> listInvitationsOf(User user, String room) {
    HttpRequest request = request(user, "GET", "/rooms/" + room + "/invitations");
    HttpReply reply =
        isOwner(user, room) ? client.send(request) : send(user, request); // which names the invited
    if (!model.isMember(room, user.id)) {
      return expectHidden(reply, user, request, room);
    }
    if (!isOwner(user, room)) {
      Problems.detail(reply, 403);
      return Set.of();
    }
    expectStatus(reply, 200);
    expectRoles(reply, "invitations", "userId", model.shownToOwners(room));
    return Set.of();
  }

  /// Members who are connected are there; who has just gone may be.
  private Set<String> listPresence(User user, String room) {
    HttpRequest request = request(user, "GET", "/rooms/" + room + "/presence");
    HttpReply reply = send(user, request);
    if (!model.isMember(room, user.id)) {
      return expectHidden(reply, user, request, room);
    }
    expectStatus(reply, 200);
    Set<String> present = new TreeSet<>();
    for (JsonValue each : JsonValue.parse(reply.body()).get("users").asElements()) {
      present.add(each.get("userId").asText());
    }
    assertThat(model.members(room).keySet()).containsAll(present);
    for (User each : users) {
      if (model.isMember(room, each.id) && !each.listeners.isEmpty()) {
        assertThat(present).contains(each.id);
      }
    }
    return Set.of();
  }

  // backends and rules, who need no membership

  private HttpReply backend(HttpRequest request) {
    HttpReply reply = client.send(request.by(client.token("backend", "replicache:write")));
    assertThat(names(request.toString())).containsAll(names(reply.toString()));
    return reply;
  }

  private Set<String> backendCreates(String room, String owner) {
    HttpReply reply =
        backend(
            HttpRequest.api("POST", "/rooms")
                .with("{\"id\":\"" + room + "\",\"owner\":\"" + owner + "\"}"));
    if (model.hasRoom(room)) {
      Problems.detail(reply, 409);
      return Set.of();
    }
    expectStatus(reply, 201);
    model.createRoom(room, owner);
    return Set.of(owner);
  }

  private Set<String> backendDeletes(String room) {
    HttpReply reply = backend(HttpRequest.api("DELETE", "/rooms/" + room));
    if (!model.hasRoom(room)) {
      Problems.detail(reply, 404);
      return Set.of();
    }
    expectStatus(reply, 204);
    Set<String> members = new HashSet<>(model.members(room).keySet());
    model.deleteRoom(room);
    return members;
  }

  private Set<String> backendPuts(String room, String userId, Role role) {
    HttpReply reply =
        backend(
            HttpRequest.api("PUT", "/rooms/" + room + "/members/" + userId)
                .with("{\"role\":\"" + role.label() + "\"}"));
    if (!model.hasRoom(room)) {
      Problems.detail(reply, 404);
      return Set.of();
    }
    if (model.isLastOwner(room, userId) && role != Role.OWNER) {
      Problems.detail(reply, 409);
      return Set.of();
    }
    boolean isNew = !model.isMember(room, userId);
    expectStatus(reply, isNew ? 201 : 200);
    model.join(room, userId, role);
    return isNew ? Set.of(userId) : Set.of();
  }

  private Set<String> backendRemoves(String room, String userId) {
    HttpReply reply = backend(HttpRequest.api("DELETE", "/rooms/" + room + "/members/" + userId));
    if (!model.isMember(room, userId)) {
      Problems.detail(reply, 404);
      return Set.of();
    }
    if (model.isLastOwner(room, userId)) {
      Problems.detail(reply, 409);
      return Set.of();
    }
    expectStatus(reply, 204);
    model.leave(room, userId);
    return Set.of(userId);
  }

  /// The rule that lets anybody into any room to read.
  private Set<String> ruleLetsIn(User user, int group, String room) {
    if (model.hasRoom(room) && !model.isMember(room, user.id)) {
      model.join(room, user.id, Role.READER);
    }
    Replica replica = user.clients.get(group);
    return push(
        user, replica, Set.of(), replica.mutation(OpenDoorMutators.LET_IN, JsonValue.of(room)));
  }

  /// The rule that lets anybody write in any room.
  private Set<String> ruleWrites(User user, int group, String room, String key) {
    Replica replica = user.clients.get(group);
    JsonValue value = value();
    Set<String> concerned = model.writeUnrestricted(room, key, value);
    return push(
        user,
        replica,
        concerned,
        replica.mutation(OpenDoorMutators.WRITE, args(Optional.of(room), key, "value", value)));
  }

  private Set<String> removeMember(User user, String room, String memberId) {
    HttpRequest request = request(user, "DELETE", "/rooms/" + room + "/members/" + memberId);
    HttpReply reply = send(user, request);
    if (!model.isMember(room, user.id)) {
      return expectHidden(reply, user, request, room);
    }
    if (!memberId.equals(user.id) && !isOwner(user, room)) {
      Problems.detail(reply, 403);
      return Set.of();
    }
    if (!model.isMember(room, memberId)) {
      Problems.detail(reply, 404);
      return Set.of();
    }
    if (model.isLastOwner(room, memberId)) {
      Problems.detail(reply, 409);
      return Set.of();
    }
    expectStatus(reply, 204);
    model.leave(room, memberId);
    return Set.of(memberId);
  }

  private Set<String> listRooms(User user) {
    HttpReply reply = send(user, request(user, "GET", "/rooms"));
    expectStatus(reply, 200);
    expectRoles(reply, "rooms", "id", model.rooms(user.id));
    return Set.of();
  }

  private Set<String> listMembers(User user, String room) {
    HttpRequest request = request(user, "GET", "/rooms/" + room + "/members");
    HttpReply reply = send(user, request);
    if (!model.isMember(room, user.id)) {
      return expectHidden(reply, user, request, room);
    }
    expectStatus(reply, 200);
    expectRoles(reply, "members", "userId", model.members(room));
    return Set.of();
  }

  private static void expectRoles(
      HttpReply reply, String list, String id, Map<String, Role> expected) {
    Map<String, String> told = new TreeMap<>();
    for (JsonValue each : JsonValue.parse(reply.body()).get(list).asElements()) {
      told.put(each.get(id).asText(), each.get("role").asText());
    }
    Map<String, String> roles = new TreeMap<>();
    expected.forEach((name, role) -> roles.put(name, role.label()));
    assertThat(told).isEqualTo(roles);
  }
}
