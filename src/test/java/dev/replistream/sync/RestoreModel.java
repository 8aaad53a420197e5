package dev.replistream.sync;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.replistream.Rounds;
import dev.replistream.api.JsonValue;
import dev.replistream.data.Epoch;
import dev.replistream.data.RoomLimits;
import dev.replistream.data.TestTransactions;
import dev.replistream.db.Database;
import dev.replistream.rules.MutatorRegistry;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// For any history of pushes, pulls, backups and restores: no client is left stuck or wrong.
/// Clients live by the rules of Replicache's: tabs of a group share what they persist, pages are
/// reloaded, groups forked, what a group left behind is recovered, and pushes come before pulls.
///
/// The system property `restore.seconds` says how long, `restore.seed` where to begin.
abstract class RestoreModel {
  private static final Duration TIME =
      Duration.ofSeconds(Long.getLong("restore.seconds", Rounds.of(2, 30)));
  private static final long SEED = Long.getLong("restore.seed", System.nanoTime() & 0xffff_ffffL);
  private static final int LEAST_HISTORIES = 5;

  /// So many, where nothing happened that was to be tried.
  private static final int MOST_HISTORIES = 300;

  private static final int STEPS = 100;
  private static final int MAX_TABS = 3;
  private static final int MAX_BACKUPS = 3;
  private static final int LAST_ROUNDS = 3;

  private final SyncMetrics metrics =
      new SyncMetrics(Services.get(MetricsFactory.class).globalRegistry());
  private Database database;
  private Push push;
  private Pull pull;

  /// How often a client was told that its state is not found, over all histories.
  private int told;

  private int recovered;
  private int kept;

  RestoreModel(Database database) {
    this.database = database;
    push = push();
    pull = new Pull(database, metrics);
  }

  /// Keeps a copy of all that the database holds.
  ///
  /// @return the database to go on with
  abstract Database save(Database present, String name);

  /// Sets the database back to a copy that was saved in this history.
  ///
  /// @return the database to go on with
  abstract Database restore(Database present, String name);

  private Push push() {
    return new Push(
        TestTransactions.of(database),
        MutatorRegistry.of(List.of(new TestMutators()), Optional.of(true)),
        1_000,
        RoomLimits.direct(1_000, 10_000),
        TestStorage.unlimited(database),
        TestStorage.NO_FEEDBACK,
        Clock.systemUTC(),
        metrics);
  }

  /// Goes on with a database; where it is another one, as the service does after a restart.
  @SuppressWarnings("ReferenceEquality") // another one is another object
  private void use(Database next) {
    if (!next.equals(database)) {
      database = next;
      push = push();
      pull = new Pull(database, metrics);
    }
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void aRestoreThatIsToldLeavesNobodyStuckOrWrong() {
    runFor(TIME, History::toldAtOnce);

    assertThat(kept).isPositive();
  }

  @Test
  void aRestoreThatIsToldLateLeavesNobodyStuckOrWrongFromThenOn() {
    runFor(TIME.dividedBy(2), History::toldLate);
  }

  /// Goes on beyond the time until clients were told something and recovered what was pending.
  private void runFor(Duration time, Consumer<History> kind) {
    long end = System.nanoTime() + time.toNanos();
    int histories = 0;
    while (histories < LEAST_HISTORIES
        || System.nanoTime() < end
        || (histories < MOST_HISTORIES && (told == 0 || recovered == 0))) {
      kind.accept(new History(SEED + histories++));
    }
    assertThat(told).as("of %d histories from seed %d", histories, SEED).isPositive();
    assertThat(recovered).as("of %d histories from seed %d", histories, SEED).isPositive();
  }

  /// Something that a client does.
  private record Edit(String client, long id, String name, JsonValue args) {}

  /// What a client group has persisted, or a tab has in memory: the base, which a pull gave, and
  /// what is to be pushed on top of it.
  private static final class State {
    JsonValue cookie = JsonValue.ofNull();
    Map<String, JsonValue> view = Map.of();
    Map<String, Long> acknowledged = Map.of();
    List<Edit> pending = List.of();

    State copy() {
      State copy = new State();
      copy.cookie = cookie;
      copy.view = view;
      copy.acknowledged = acknowledged;
      copy.pending = pending;
      return copy;
    }

    /// Takes the base of another state, if it is newer, and what that has pending besides.
    void merge(State other) {
      List<Edit> all = new ArrayList<>(pending);
      other.pending.stream().filter(each -> !all.contains(each)).forEach(all::add);
      if (Replica.order(other.cookie) > Replica.order(cookie)) {
        cookie = other.cookie;
        view = other.view;
        acknowledged = other.acknowledged;
      }
      all.removeIf(each -> each.id <= acknowledged.getOrDefault(each.client, 0L));
      all.sort(Comparator.comparingLong(Edit::id));
      pending = List.copyOf(all);
    }
  }

  /// A client group of a device.
  private static final class Group {
    final String id;
    final State stored;

    /// What any of its clients ever took as acknowledged.
    final Map<String, Long> seen = new HashMap<>();

    /// Its mutations, all of which have to be in the view in the end if nobody told it otherwise.
    final List<Edit> made = new ArrayList<>();

    boolean isDisabled;

    Group(String id, State stored) {
      this.id = id;
      this.stored = stored;
    }
  }

  /// A page that is open.
  private static final class Tab {
    final String client;
    final Group group;
    State state;
    long lastId;

    Tab(String client, Group group) {
      this.client = client;
      this.group = group;
      state = group.stored.copy();
    }
  }

  /// A browser profile.
  private static final class Device {
    final String user;
    final List<Group> groups = new ArrayList<>();
    final List<Tab> tabs = new ArrayList<>();

    Device(String user) {
      this.user = user;
    }
  }

  /// One random history, with users and a room of its own.
  private final class History {
    private final long seed;
    private final Random random;
    private final String room;
    private final List<Device> devices = new ArrayList<>();
    private final List<String> did = new ArrayList<>();

    /// The copies, each with how far the clients were then.
    private final Map<String, Map<String, Long>> backups = new LinkedHashMap<>();

    /// The least that was left of each client by a restore.
    private final Map<String, Long> leastLeft = new HashMap<>();

    private int names;
    private int restores;

    /// Whether a restore was not told of yet.
    private boolean isSetBack;

    private boolean isLate;

    History(long seed) {
      this.seed = seed;
      random = new Random(seed);
      room = "r" + seed;
      TestDatabase.clear(database);
      for (int i = 0; i < 3; i++) {
        Device device = new Device("u" + seed + "-" + i / 2);
        devices.add(device);
        open(device);
      }
      Tab tab = devices.getFirst().tabs.getFirst();
      edit(tab, "createRoom", JsonValue.of(room));
      edit(
          tab,
          "join",
          JsonValue.object()
              .with("room", room)
              .with("user", devices.getLast().user)
              .with("role", "writer")
              .build());
      push(devices.getFirst(), tab);
      pull(devices.getFirst(), tab);
    }

    void toldAtOnce() {
      boolean isTwice = random.nextInt(3) == 0;
      run(
          STEPS,
          () -> {
            if (restores < (isTwice ? 2 : 1)) {
              restore();
              note("restored: " + Epoch.end(database, false));
            }
          });
      settle();
    }

    void toldLate() {
      run(
          STEPS,
          () -> {
            if (restores == 0) {
              restore();
              isSetBack = true;
            }
          });
      note("restored late: " + Epoch.end(database, true));
      isSetBack = false;
      isLate = true;
      run(STEPS / 4, () -> {});
      settle();
    }

    private void run(int steps, Runnable restore) {
      for (int step = 0; step < steps; step++) {
        Device device = any(devices);
        if (device.tabs.isEmpty()) {
          open(device);
        }
        Tab tab = any(device.tabs);
        switch (random.nextInt(24)) {
          case 0, 1, 2, 3, 4, 5 -> put(tab);
          case 6, 7, 8, 9 -> push(device, tab);
          case 10, 11, 12, 13 -> pull(device, tab);
          case 14, 15 -> persist(tab);
          case 16 -> {
            if (device.tabs.size() < MAX_TABS) {
              open(device);
            }
          }
          case 17 -> closeTab(device, tab);
          case 18 -> reload(device, tab);
          case 19 -> fork(device);
          case 20 -> recover(device, tab);
          case 21, 22 -> {
            if (backups.size() < MAX_BACKUPS) {
              save();
            }
          }
          default -> {
            if (!backups.isEmpty()) {
              restore.run();
            }
          }
        }
      }
    }

    private void save() {
      String name = "backup" + seed + "-" + backups.size();
      use(RestoreModel.this.save(database, name));
      backups.put(name, lastMutationIDs());
      note("save " + name);
    }

    private Map<String, Long> lastMutationIDs() {
      return database.inSnapshot(session -> {
        Map<String, Long> ids = new HashMap<>();
        try (var row = session.prepare("SELECT id, last_mutation_id FROM client").executeQuery()) {
          while (row.next()) {
            ids.put(row.getString(1), row.getLong(2));
          }
        }
        return ids;
      });
    }

    private void restore() {
      restores++;
      String name = any(List.copyOf(backups.keySet()));
      use(RestoreModel.this.restore(database, name));
      Map<String, Long> left = requireNonNull(backups.get(name));
      for (Device device : devices) {
        for (Group group : device.groups) {
          for (String client : group.seen.keySet()) {
            leastLeft.merge(client, left.getOrDefault(client, 0L), Math::min);
          }
        }
      }
      note("restore " + name);
    }

    private <T> T any(List<T> list) {
      return list.get(random.nextInt(list.size()));
    }

    private void note(String what) {
      did.add(what);
    }

    private String name(String kind) {
      return kind + seed + "-" + ++names;
    }

    // what clients do

    private void put(Tab tab) {
      String key = tab.client + "/" + (tab.lastId + 1);
      var args = JsonValue.object().with("key", key).with("value", tab.lastId + 1);
      edit(tab, "put", (random.nextBoolean() ? args.with("room", room) : args).build());
    }

    private void edit(Tab tab, String name, JsonValue args) {
      Edit edit = new Edit(tab.client, ++tab.lastId, name, args);
      List<Edit> pending = new ArrayList<>(tab.state.pending);
      pending.add(edit);
      tab.state.pending = List.copyOf(pending);
      tab.group.made.add(edit);
    }

    /// Opens a page: in the device's group or, where that is disabled, in a fork of whatever is the
    /// newest there.
    private Tab open(Device device) {
      Group group =
          device.groups.reversed().stream()
              .filter(each -> !each.isDisabled)
              .findFirst()
              .orElseGet(() -> fork(device));
      Tab tab = new Tab(name("c"), group);
      device.tabs.add(tab);
      note("open " + tab.client + " in " + group.id);
      return tab;
    }

    private Group fork(Device device) {
      State base = new State();
      for (Group each : device.groups) {
        if (Replica.order(each.stored.cookie) > Replica.order(base.cookie)) {
          base.cookie = each.stored.cookie;
          base.view = each.stored.view;
        }
      }
      Group group = new Group(name("g"), base);
      device.groups.add(group);
      note("fork " + group.id);
      return group;
    }

    /// Closes a page: what it did not persist is gone.
    private void closeTab(Device device, Tab tab) {
      device.tabs.remove(tab);
      tab.group.made.removeIf(edit -> edit.client.equals(tab.client) && !isStored(tab, edit));
      note("close " + tab.client);
    }

    private static boolean isStored(Tab tab, Edit edit) {
      return !tab.state.pending.contains(edit) || tab.group.stored.pending.contains(edit);
    }

    private void reload(Device device, Tab tab) {
      if (random.nextInt(4) != 0) {
        persist(tab);
      }
      closeTab(device, tab);
      open(device);
    }

    /// Stores what a tab has, and takes what the others of its group have stored.
    private void persist(Tab tab) {
      if (!tab.group.isDisabled) {
        tab.group.stored.merge(tab.state);
        tab.state = tab.group.stored.copy();
      }
    }

    /// What the client does when it is told that its state is not found.
    private void notFound(Device device, Group group, String where) {
      note(where + ": " + group.id + " is not found");
      told++;
      if (!isSetBack && !isLate && restores < 2) {
        assertThat(group.seen.entrySet())
            .as("%s: nobody of %s has seen what was lost", this, group.id)
            .anyMatch(
                seen -> seen.getValue() > leastLeft.getOrDefault(seen.getKey(), Long.MAX_VALUE));
      }
      group.isDisabled = true;
      List<Tab> closed = device.tabs.stream().filter(tab -> tab.group == group).toList();
      device.tabs.removeAll(closed);
      open(device);
    }

    private void push(Device device, Tab tab) {
      if (tab.state.pending.isEmpty()) {
        return;
      }
      switch (push(device.user, tab.group, tab.state.pending)) {
        case DONE -> note("push by " + tab.client);
        case CLIENT_STATE_NOT_FOUND -> notFound(device, tab.group, "push by " + tab.client);
        case GAP -> gap(device, tab);
        case NO_ROOM -> fail("%s: nothing is limited here", this);
      }
    }

    /// Another tab may have pushed for this one, in a group that began after the restore: then the
    /// next pull tells.
    private void gap(Device device, Tab tab) {
      note("gap for " + tab.client);
      if (isSetBack) {
        return;
      }
      pull(device, tab);
      if (!tab.group.isDisabled) {
        fail("%s: %s is stuck with a gap before %s", this, tab.client, tab.state.pending);
      }
    }

    private Push.Outcome push(String user, Group group, List<Edit> edits) {
      List<Mutation> mutations =
          edits.stream()
              .map(each -> new Mutation(each.id, each.client, each.name, each.args.toJson()))
              .toList();
      return push.push(TestPusher.of(user), new PushRequest("p", group.id, "", mutations, false));
    }

    private void pull(Device device, Tab tab) {
      JsonValue answer = answer(device.user, tab.group.id, tab.state.cookie);
      if (answer.asMembers().containsKey("error")) {
        notFound(device, tab.group, "pull by " + tab.client);
      } else if (take(device, tab, answer)) {
        note("pull by " + tab.client);
      }
    }

    /// Applies an answer by the client's rules.
    ///
    /// @return false when it refuses it, which it would do for ever
    private boolean take(Device device, Tab tab, JsonValue answer) {
      State state = tab.state;
      Map<String, Long> changes = new TreeMap<>();
      answer
          .get("lastMutationIDChanges")
          .asMembers()
          .forEach((client, last) -> changes.put(client, last.asLong()));
      JsonValue cookie = answer.get("cookie");
      boolean isRefused =
          changes.entrySet().stream()
                  .anyMatch(
                      each -> each.getValue() < state.acknowledged.getOrDefault(each.getKey(), 0L))
              || Replica.order(cookie) < Replica.order(state.cookie);
      if (isRefused) {
        note("refused by " + tab.client);
        if (!isSetBack) {
          fail(
              "%s: %s is stuck with %s, holding %s", this, tab.client, changes, state.acknowledged);
        }
        return false;
      }
      if (cookie.equals(state.cookie)) {
        assertThat(changes).as("%s", this).isEmpty();
        assertThat(answer.get("patch").asElements()).as("%s", this).isEmpty();
      }
      State next = state.copy();
      next.cookie = cookie;
      next.view = patched(state.view, answer);
      next.acknowledged = new TreeMap<>(state.acknowledged);
      next.acknowledged.putAll(changes);
      next.merge(next.copy());
      tab.state = next;
      changes.forEach((client, last) -> tab.group.seen.merge(client, last, Math::max));
      if (!isSetBack && random.nextInt(4) == 0) {
        assertThat(next.view)
            .as("%s: the view of %s", this, tab.client)
            .isEqualTo(freshView(device.user));
      }
      return true;
    }

    private Map<String, JsonValue> freshView(String user) {
      return patched(Map.of(), answer(user, name("fresh"), JsonValue.ofNull()));
    }

    private static Map<String, JsonValue> patched(Map<String, JsonValue> view, JsonValue answer) {
      Map<String, JsonValue> next = new TreeMap<>(view);
      for (JsonValue operation : answer.get("patch").asElements()) {
        switch (operation.get("op").asText()) {
          case "clear" -> next.clear();
          case "put" -> next.put(operation.get("key").asText(), operation.get("value"));
          default -> next.remove(operation.get("key").asText());
        }
      }
      return next;
    }

    /// Pushes what other groups of the device have left pending, as a page does after its start.
    private void recover(Device device, Tab tab) {
      for (Group group : List.copyOf(device.groups)) {
        if (group != tab.group && !group.isDisabled && !group.stored.pending.isEmpty()) {
          recover(device, group);
        }
      }
    }

    private void recover(Device device, Group group) {
      Push.Outcome outcome = push(device.user, group, group.stored.pending);
      if (outcome == Push.Outcome.GAP) {
        assertThat(isSetBack).as("%s: a gap when %s is recovered", this, group.id).isTrue();
        return;
      }
      JsonValue answer = answer(device.user, group.id, group.stored.cookie);
      if (outcome == Push.Outcome.CLIENT_STATE_NOT_FOUND
          || answer.asMembers().containsKey("error")) {
        notFound(device, group, "recovery");
        return;
      }
      recovered++;
      Map<String, Long> last = new TreeMap<>(group.stored.acknowledged);
      answer
          .get("lastMutationIDChanges")
          .asMembers()
          .forEach((client, id) -> last.put(client, id.asLong()));
      last.forEach((client, id) -> group.seen.merge(client, id, Math::max));
      // the client keeps its base, and only forgets what was acknowledged
      group.stored.pending =
          group.stored.pending.stream()
              .filter(each -> each.id > last.getOrDefault(each.client, 0L))
              .toList();
      note("recover " + group.id);
    }

    // the end

    /// All come to rest: nothing is pending, each view is the server's, and each mutation of a
    /// group that was not told otherwise is in it.
    private void settle() {
      note("settle");
      for (Device device : devices) {
        if (device.tabs.isEmpty()) {
          open(device);
        }
      }
      for (int round = 0; round < LAST_ROUNDS; round++) {
        for (Device device : devices) {
          for (Tab tab : List.copyOf(device.tabs)) {
            if (device.tabs.contains(tab)) {
              put(tab);
            }
            rest(device, tab);
          }
          recover(device, device.tabs.getFirst());
        }
      }
      for (Device device : devices) {
        List.copyOf(device.tabs).forEach(tab -> rest(device, tab));
      }
      for (Device device : devices) {
        Map<String, JsonValue> view = freshView(device.user);
        for (Tab tab : device.tabs) {
          pull(device, tab);
          assertThat(tab.state.pending).as("%s: pending of %s", this, tab.client).isEmpty();
          assertThat(tab.state.view).as("%s: view of %s", this, tab.client).isEqualTo(view);
        }
        for (Group group : device.groups) {
          if (!group.isDisabled) {
            kept += restores > 0 ? 1 : 0;
            requireMade(device, group, view);
          }
        }
      }
    }

    private void rest(Device device, Tab tab) {
      if (random.nextBoolean()) {
        pull(device, tab);
      }
      if (device.tabs.contains(tab)) {
        persist(tab);
        push(device, tab);
      }
      if (device.tabs.contains(tab)) {
        pull(device, tab);
      }
    }

    /// Each mutation of a group has to be there, but those that a restore has lost after they were
    /// acknowledged, where no page knows of that any more.
    private void requireMade(Device device, Group group, Map<String, JsonValue> view) {
      for (Edit edit : group.made) {
        boolean isLost =
            edit.id <= group.seen.getOrDefault(edit.client, 0L)
                && edit.id > leastLeft.getOrDefault(edit.client, Long.MAX_VALUE);
        boolean isKnown =
            device.tabs.stream()
                .filter(tab -> tab.group == group)
                .anyMatch(tab -> tab.state.acknowledged.getOrDefault(edit.client, 0L) >= edit.id);
        if (edit.name.equals("put") && (isKnown || !isLost)) {
          assertThat(view)
              .as("%s: %s by %s", this, edit, group.id)
              .containsKey(edit.args.get("key").asText());
        }
      }
    }

    @Override
    public String toString() {
      return "seed " + seed + ": " + String.join("; ", did);
    }
  }

  private JsonValue answer(String user, String group, JsonValue cookie) {
    return PullModel.answer(pull, user, group, cookie);
  }
}
