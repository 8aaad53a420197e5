package dev.replistream.sync;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Rounds;
import dev.replistream.api.JsonValue;
import dev.replistream.api.Role;
import dev.replistream.data.RoomLimits;
import dev.replistream.data.RoomPurge;
import dev.replistream.data.Spaces;
import dev.replistream.data.TestTransactions;
import dev.replistream.db.Database;
import dev.replistream.http.WholeAnswer;
import dev.replistream.rules.MutatorRegistry;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// For any history of writes, joins, leaves, keys in several spaces, rooms that are deleted at once
/// or by and by and made again, compactions, folded clients, forks and foreign cookies: applying
/// the patch for any earlier cookie to what the client held with it gives the whole view, and
/// exactly the acknowledgements of its group.
abstract class PullModel {
  private static final Duration TIME = Duration.ofSeconds(Rounds.of(3, 8));
  private static final int LEAST_HISTORIES = 10;
  private static final int STEPS = 80;
  private static final int KEPT_STATES = 12;

  private final Database database;
  private final Push push;
  private final Pull pull;
  private long leftToPurge;
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");

  PullModel(Database database) {
    this.database = database;
    SyncMetrics metrics = new SyncMetrics(Services.get(MetricsFactory.class).globalRegistry());
    Clock clock =
        new Clock() {
          @Override
          public Instant instant() {
            return now;
          }

          @Override
          public ZoneOffset getZone() {
            return ZoneOffset.UTC;
          }

          @Override
          public Clock withZone(java.time.ZoneId zone) {
            return this;
          }
        };
    push =
        new Push(
            TestTransactions.of(database),
            MutatorRegistry.of(List.of(new TestMutators()), Optional.of(true)),
            1_000,
            RoomLimits.direct(1_000, 10_000),
            TestStorage.unlimited(database),
            TestStorage.NO_FEEDBACK,
            clock,
            metrics);
    pull = new Pull(database, metrics);
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void fromAnyEarlierCookieThePatchesLeadToTheWholeView() {
    long end = System.nanoTime() + TIME.toNanos();
    for (int seed = 0; seed < LEAST_HISTORIES || System.nanoTime() < end; seed++) {
      new History(seed).run();
    }
    assertThat(leftToPurge).isPositive();
  }

  /// What a client has persisted.
  private record State(
      String userId,
      String group,
      JsonValue cookie,
      Map<String, JsonValue> view,
      Map<String, Long> acknowledged) {}

  /// One random history, with users and rooms of its own, beside the model.
  private final class History {
    private final int seed;
    private final Random random;
    private final List<String> users = new ArrayList<>();
    private final List<String> rooms = new ArrayList<>();
    private final ViewModel model = new ViewModel();
    private final Map<String, Map<String, Long>> acknowledged = new HashMap<>();
    private final Map<String, List<String>> groups = new HashMap<>();
    private final List<State> states = new ArrayList<>();
    private int values;

    History(int seed) {
      this.seed = seed;
      random = new Random(seed);
      for (int i = 0; i < 3; i++) {
        String user = "u" + seed + "-" + i;
        users.add(user);
        rooms.add("r" + seed + "-" + i);
        groups.put(user, new ArrayList<>(List.of(user + "-g0", user + "-g1")));
      }
    }

    void run() {
      for (int step = 0; step < STEPS; step++) {
        now = now.plusSeconds(1);
        String did = step();
        pullAndCompare("seed " + seed + ", step " + step + ": " + did);
        pullAndCompare("seed " + seed + ", step " + step + ": " + did);
      }
    }

    private String step() {
      return switch (random.nextInt(16)) {
        case 0, 1, 2 -> put(any(users), key(), JsonValue.of(++values));
        case 3, 4, 5, 6 -> put(any(users), any(rooms), key(), JsonValue.of(++values));
        case 7, 8 -> delete(any(users), key());
        case 9, 10 -> createOrDelete(any(rooms));
        case 11, 12 -> joinOrLeave(any(rooms), users.get(1 + random.nextInt(2)));
        case 13 -> compact();
        case 14 -> purge();
        default -> fold();
      };
    }

    private <T> T any(List<T> list) {
      return list.get(random.nextInt(list.size()));
    }

    private String key() {
      return "k" + random.nextInt(6);
    }

    private String put(String user, String key, JsonValue value) {
      mutate(user, "put", JsonValue.object().with("key", key).with("value", value).build());
      model.put(user, key, value);
      return "put";
    }

    private String put(String user, String room, String key, JsonValue value) {
      mutate(
          user,
          "put",
          JsonValue.object().with("room", room).with("key", key).with("value", value).build());
      model.put(user, room, key, value);
      return "put into a room";
    }

    private String delete(String user, String key) {
      mutate(user, "del", JsonValue.object().with("key", key).build());
      model.delete(user, key);
      return "del";
    }

    private String createOrDelete(String room) {
      if (!model.hasRoom(room)) {
        mutate(users.getFirst(), "createRoom", JsonValue.of(room));
        model.createRoom(room, users.getFirst());
        return "create a room";
      }
      if (random.nextBoolean()) {
        return delete(room);
      }
      mutate(users.getFirst(), "createRoom", JsonValue.of(room));
      return "create a room that is there";
    }

    /// Deletes a room, half of the time one of which a whole batch is purged before what the users
    /// have put there.
    private String delete(String room) {
      String space = Spaces.ofRoom(room);
      boolean isLarge = random.nextBoolean();
      if (isLarge) {
        TestDatabase.fill(database, space, RoomPurge.BATCH, 0);
      }
      mutate(users.getFirst(), "deleteRoom", JsonValue.of(room));
      model.deleteRoom(room);
      if (isLarge) {
        TestDatabase.execute(database, "DELETE FROM tombstone WHERE space = ? AND born = 0", space);
        leftToPurge +=
            TestDatabase.number(database, "SELECT COUNT(*) FROM entry WHERE space = ?", space);
      }
      return "delete a room" + (isLarge ? " in part" : "");
    }

    private String purge() {
      new DeletedRooms(database).purge(now, () -> false);
      return "purge";
    }

    private String joinOrLeave(String room, String user) {
      boolean joins = !model.isMember(room, user);
      mutate(
          users.getFirst(),
          joins ? "join" : "leave",
          JsonValue.object()
              .with("room", room)
              .with("user", user)
              .with("role", Role.WRITER.label())
              .build());
      if (joins) {
        model.join(room, user, Role.WRITER);
      } else {
        model.leave(room, user);
      }
      return joins ? "join" : "leave";
    }

    private String compact() {
      new Tombstones(database).remove(now.minusSeconds(random.nextInt(40)), () -> false);
      return "compact";
    }

    private String fold() {
      new IdleClients(database).fold(now.minusSeconds(random.nextInt(20)), () -> false);
      return "fold";
    }

    /// Pushes a mutation by one of the user's clients, and some again that came before it.
    private void mutate(String user, String name, JsonValue args) {
      String group = any(requireNonNull(groups.get(user)));
      String client = group + "-c" + random.nextInt(2);
      Map<String, Long> clients = acknowledged.computeIfAbsent(group, _ -> new TreeMap<>());
      long id = clients.getOrDefault(client, 0L) + 1;
      List<Mutation> mutations = new ArrayList<>();
      for (long i = Math.max(1, id - random.nextInt(3)); i <= id; i++) {
        mutations.add(new Mutation(i, client, name, args.toJson()));
      }
      assertThat(push.push(TestPusher.of(user), new PushRequest("p", group, "", mutations, false)))
          .isEqualTo(Push.Outcome.DONE);
      clients.put(client, id);
    }

    /// Pulls from any earlier state or none, and now and then as a new group or with a cookie of
    /// another user.
    private void pullAndCompare(String where) {
      String user = any(users);
      List<State> mine = states.stream().filter(state -> state.userId.equals(user)).toList();
      List<State> others = states.stream().filter(state -> !state.userId.equals(user)).toList();
      List<String> groupsOfUser = requireNonNull(groups.get(user));
      State from =
          mine.isEmpty() || random.nextInt(10) == 0
              ? new State(user, any(groupsOfUser), JsonValue.ofNull(), Map.of(), Map.of())
              : any(mine);
      boolean isFork = random.nextInt(6) == 0;
      boolean isForeign = !others.isEmpty() && random.nextInt(15) == 0;
      String group = isFork ? user + "-g" + groupsOfUser.size() : from.group;
      if (isFork) {
        groupsOfUser.add(group);
      }

      JsonValue sent = isForeign ? any(others).cookie : from.cookie;
      JsonValue answer = pull(user, group, sent);

      Map<String, JsonValue> view = new TreeMap<>(from.view);
      boolean clears = apply(where, answer, view);
      assertThat(view).as(where).isEqualTo(model.view(user));
      assertThat(clears || !isForeign).as(where).isTrue();
      assertThat(answer.get("cookie").get("order").asLong())
          .as(where)
          .isGreaterThanOrEqualTo(Replica.order(sent));
      Map<String, Long> known = new TreeMap<>(isFork || clears ? Map.of() : from.acknowledged);
      answer
          .get("lastMutationIDChanges")
          .asMembers()
          .forEach((client, last) -> known.put(client, last.asLong()));
      assertThat(known).as(where).isEqualTo(acknowledged.getOrDefault(group, Map.of()));
      states.add(new State(user, group, answer.get("cookie"), view, known));
      if (states.size() > KEPT_STATES) {
        states.remove(random.nextInt(states.size()));
      }
    }

    /// Only what the client holds is deleted: another key's name is nothing that it knows. It may
    /// be deleted twice, where it stood in two spaces.
    private boolean apply(String where, JsonValue answer, Map<String, JsonValue> view) {
      Set<String> held = Set.copyOf(view.keySet());
      boolean clears = false;
      for (JsonValue operation : answer.get("patch").asElements()) {
        switch (operation.get("op").asText()) {
          case "clear" -> {
            view.clear();
            clears = true;
          }
          case "put" -> view.put(operation.get("key").asText(), operation.get("value"));
          default -> {
            view.remove(operation.get("key").asText());
            assertThat(held).as(where).contains(operation.get("key").asText());
          }
        }
      }
      return clears;
    }
  }

  private JsonValue pull(String user, String group, JsonValue cookie) {
    return answer(pull, user, group, cookie);
  }

  /// The answer of `pull`, whole.
  static JsonValue answer(Pull pull, String user, String group, JsonValue cookie) {
    PullRequest request = new PullRequest("p", group, "", cookie);
    return JsonValue.parse(WholeAnswer.of(user, chunks -> pull.answer(user, request, chunks)));
  }
}
