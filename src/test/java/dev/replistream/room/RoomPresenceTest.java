package dev.replistream.room;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.api.Role;
import dev.replistream.data.Actor;
import dev.replistream.data.Journal;
import dev.replistream.data.Outbox;
import dev.replistream.data.RoomLimits;
import dev.replistream.data.RoomSettings;
import dev.replistream.data.Transactions;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.db.TransactionCallback;
import dev.replistream.nodes.Present;
import dev.replistream.nodes.SingleNode;
import dev.replistream.poke.PokedUsers;
import dev.replistream.presence.Presence;
import dev.replistream.presence.PresenceFeed;
import dev.replistream.presence.RoomPresence;
import dev.replistream.sync.TestDatabase;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What becomes of presence when a step of it comes at a bad moment. The connections are the
/// tests', the rooms stand in a real database.
class RoomPresenceTest {
  private static final RoomSettings LIMITS = RoomLimits.direct(10, 10);
  private static final Pattern LIST =
      Pattern.compile("\\{\"room\":\"(.*?)\",\"count\":(\\d+),\"users\":\\[(.*)]}");
  private static final Pattern USER = Pattern.compile("\"userId\":\"(.*?)\"");

  @TempDir private Path directory;
  private final Users users = new Users();
  private final List<Screen> screens = new ArrayList<>();
  private GatedDatabase database;
  private RoomPresence presence;
  private Rooms rooms;

  @BeforeEach
  void open() {
    database = new GatedDatabase(TestDatabase.sqlite(directory));
    presence = new RoomPresence(database, LIMITS, RoomRules.NOON);
    Outbox outbox = new Outbox(database, new PokedUsers().bus(), false);
    rooms =
        new Rooms(
            database,
            new Transactions(
                database, outbox, new Journal(Duration.ZERO), presence::membersChanged, _ -> {}),
            outbox,
            LIMITS,
            RoomRules.NOON);
    presence.start(users, new SingleNode());
  }

  @AfterEach
  void close() {
    database.letGo();
    presence.close();
    database.close();
  }

  /// Who is connected, as the test says.
  private static final class Users implements Presence {
    private final Set<String> present = ConcurrentHashMap.newKeySet();
    private volatile Consumer<String> listener = _ -> {};

    void come(String userId) {
      present.add(userId);
      listener.accept(userId);
    }

    void go(String userId) {
      present.remove(userId);
      listener.accept(userId);
    }

    @Override
    public Map<String, Present> of(Collection<String> userIds) {
      Map<String, Present> some = new HashMap<>();
      for (String userId : userIds) {
        if (present.contains(userId)) {
          some.put(userId, new Present(1, Instant.EPOCH));
        }
      }
      return some;
    }

    @Override
    public void subscribe(Consumer<String> changed) {
      listener = changed;
    }
  }

  /// A database whose readings can be held up when they are done, or fail.
  private static final class GatedDatabase implements Database {
    private final Database database;
    private final AtomicInteger readings = new AtomicInteger();
    private final AtomicReference<@Nullable CountDownLatch> gate = new AtomicReference<>();
    private final AtomicInteger held = new AtomicInteger();
    private final AtomicInteger passing = new AtomicInteger();
    private final AtomicBoolean isAway = new AtomicBoolean();

    GatedDatabase(Database database) {
      this.database = database;
    }

    /// Holds up what is read from now on, but for the first few readings.
    void hold(int first) {
      passing.set(first);
      gate.set(new CountDownLatch(1));
    }

    void awaitHeld() {
      Eventually.holds("a reading is held up", () -> held.get() > 0);
    }

    void letGo() {
      CountDownLatch latch = gate.getAndSet(null);
      if (latch != null) {
        latch.countDown();
      }
    }

    @Override
    public <T> T inTransaction(TransactionCallback<T> work) {
      return database.inTransaction(work);
    }

    @Override
    public <T> T inSnapshot(TransactionCallback<T> work) {
      readings.incrementAndGet();
      if (isAway.get()) {
        throw new DatabaseUnavailableException("away", new IOException("away"));
      }
      T result = database.inSnapshot(work);
      CountDownLatch latch = gate.get();
      if (latch != null && passing.getAndDecrement() <= 0) {
        held.incrementAndGet();
        try {
          latch.await();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new DatabaseUnavailableException("interrupted", e);
        } finally {
          held.decrementAndGet();
        }
      }
      return result;
    }

    @Override
    public boolean isAvailable() {
      return database.isAvailable();
    }

    @Override
    public void close() {
      database.close();
    }
  }

  /// A connection that reads only after it was woken.
  private final class Screen implements AutoCloseable {
    private final String userId;
    private final AtomicBoolean isWoken = new AtomicBoolean();
    private final PresenceFeed feed;

    /// What it shows of each room.
    private final Map<String, Set<String>> shown = new HashMap<>();

    private int lists;

    Screen(String userId) {
      this.userId = userId;
      feed = presence.open(userId, () -> isWoken.set(true));
      screens.add(this);
    }

    /// Reads a few lists, if there are some.
    void read(int most, Consumer<String> seen) {
      boolean hasMore = isWoken.getAndSet(false);
      for (int i = 0; i < most && hasMore; i++) {
        hasMore = feed.next(json -> show(json, seen));
      }
      if (hasMore) {
        isWoken.set(true);
      }
    }

    private void show(byte[] json, Consumer<String> seen) {
      lists++;
      Matcher list = LIST.matcher(new String(json, StandardCharsets.UTF_8));
      assertThat(list.matches()).isTrue();
      Set<String> userIds = new TreeSet<>();
      Matcher user = USER.matcher(list.group(3));
      while (user.find()) {
        userIds.add(user.group(1));
      }
      assertThat(userIds).hasSize(Integer.parseInt(list.group(2)));
      if (userIds.isEmpty()) {
        shown.remove(list.group(1));
      } else {
        seen.accept(list.group(1));
        shown.put(list.group(1), userIds);
      }
    }

    /// The rooms of which it is told somebody from now on, till it is told of `last`.
    Set<String> seenUntil(String last) {
      Set<String> seen = new HashSet<>();
      Eventually.holds(
          "told of " + last,
          () -> {
            read(Integer.MAX_VALUE, seen::add);
            return seen.contains(last);
          });
      return seen;
    }

    void awaitShown(Map<String, Set<String>> expected) {
      Eventually.holds(
          userId + " is shown " + expected + " and not " + shown,
          () -> {
            read(Integer.MAX_VALUE, _ -> {});
            return shown.equals(expected);
          });
    }

    @Override
    public void close() {
      feed.close();
      screens.remove(this);
    }
  }

  private void createPlan() {
    rooms.create("plan", "alice");
    rooms.put("plan", Actor.of("alice"), "bob", Role.READER, () -> {});
  }

  @Test
  void withoutAConnectionThatAskedNothingIsRead() {
    createPlan();
    users.come("alice");
    Screen alice = new Screen("alice");
    alice.awaitShown(Map.of("plan", Set.of("alice")));
    alice.close();
    alice.close();
    int before = database.readings.get();

    for (int i = 0; i < 1_000; i++) {
      users.come("user-" + i);
      users.go("user-" + i);
    }
    rooms.put("plan", Actor.of("alice"), "eve", Role.READER, () -> {});
    Screen bob = new Screen("bob");
    bob.awaitShown(Map.of("plan", Set.of("alice")));

    assertThat(database.readings.get() - before).isLessThanOrEqualTo(2);
    bob.close();
  }

  @Test
  void aListThatWasReadBeforeSomebodyWasTakenOutIsNotToldToHim() {
    createPlan();
    users.come("alice");
    Screen bob = new Screen("bob");
    bob.awaitShown(Map.of("plan", Set.of("alice")));
    database.hold(1); // his rooms are read, and then the members of this one
    users.come("bob");
    database.awaitHeld();

    rooms.remove("plan", Actor.of("alice"), "bob");
    users.come("eve");
    database.letGo();
    rooms.create("own", "bob");

    assertThat(bob.seenUntil("own")).containsExactly("own");
  }

  @Test
  void aMembershipThatWasReadBeforeItEndedBringsNobodyIn() {
    createPlan();
    users.come("alice");
    Screen alice = new Screen("alice");
    alice.awaitShown(Map.of("plan", Set.of("alice")));
    database.hold(0);
    Screen bob = new Screen("bob");
    database.awaitHeld();

    rooms.remove("plan", Actor.of("alice"), "bob");
    database.letGo();
    rooms.create("own", "bob");
    users.come("bob");

    assertThat(bob.seenUntil("own")).containsExactly("own");
  }

  @Test
  void whatIsPendingOfARoomIsForgottenWithIt() {
    createPlan();
    users.come("alice");
    Screen bob = new Screen("bob");
    Eventually.holds("something is pending", bob.isWoken::get);

    rooms.delete("plan", Actor.of("alice"));
    bob.read(Integer.MAX_VALUE, room -> assertThat(room).isNotEqualTo("plan"));

    assertThat(bob.lists).isEqualTo(1);
    assertThat(bob.shown).isEmpty();
  }

  @Test
  void aDatabaseThatIsAwayIsWaitedFor() {
    createPlan();
    users.come("alice");
    Screen alice = new Screen("alice");
    alice.awaitShown(Map.of("plan", Set.of("alice")));
    database.isAway.set(true);
    int before = database.readings.get();
    users.come("bob");
    Screen bob = new Screen("bob");
    Eventually.holds("it was tried", () -> database.readings.get() > before);

    database.isAway.set(false);

    alice.awaitShown(Map.of("plan", Set.of("alice", "bob")));
    bob.awaitShown(Map.of("plan", Set.of("alice", "bob")));
  }

  @Test
  void moreThanAreNotedAreNotForgotten() {
    createPlan();
    users.come("alice");
    Screen alice = new Screen("alice");
    alice.awaitShown(Map.of("plan", Set.of("alice")));
    database.hold(0);
    users.come("user");
    database.awaitHeld();
    for (int i = 0; i < 20_000; i++) {
      users.come("user-" + i);
    }
    users.come("bob");

    database.letGo();

    alice.awaitShown(Map.of("plan", Set.of("alice", "bob")));
  }

  @Test
  void aListIsToldTenTimesASecondAtTheMost() {
    createPlan();
    users.come("alice");
    Screen alice = new Screen("alice");
    alice.awaitShown(Map.of("plan", Set.of("alice")));
    long begin = System.nanoTime();
    long tookMillis = 0;
    // that bob happens to be where he was when the list before was made is told to nobody
    for (int i = 0; tookMillis < 1_000 || alice.lists < 3; i++) {
      assertThat(tookMillis).isLessThan(20_000);
      if (i % 2 == 0) {
        users.come("bob");
      } else {
        users.go("bob");
      }
      alice.read(Integer.MAX_VALUE, _ -> {});
      tookMillis = (System.nanoTime() - begin) / 1_000_000;
    }

    assertThat(alice.lists).isLessThanOrEqualTo((int) (tookMillis / 100) + 3);
  }

  @Test
  void whoWasTakenOutElsewhereIsToldNoMoreAtTheNextList() {
    createPlan();
    users.come("alice");
    users.come("bob");
    Screen bob = new Screen("bob");
    bob.awaitShown(Map.of("plan", Set.of("alice", "bob")));
    database.inTransaction(
        session -> session.prepare("DELETE FROM member WHERE user_id = 'bob'").executeUpdate());

    users.go("alice");

    bob.awaitShown(Map.of());
    assertThat(bob.lists).isEqualTo(2);
  }

  /// Whatever happens in whatever order: nobody is ever told of a room that he is no member of, and
  /// in the end everybody is told what is so.
  @Test
  void aRandomHistoryIsToldAsItIs() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    List<String> userIds = List.of("alice", "bob", "eve", "zoe");
    List<String> roomIds = List.of("plan", "plan b", "other");
    Map<String, Set<String>> members = new HashMap<>();
    for (int turn = 0; turn < 25; turn++) {
      for (int step = 0; step < 40; step++) {
        String userId = userIds.get(random.nextInt(userIds.size()));
        String room = roomIds.get(random.nextInt(roomIds.size()));
        switch (random.nextInt(9)) {
          case 0 -> users.come(userId);
          case 1 -> users.go(userId);
          case 2 -> new Screen(userId);
          case 3 -> {
            if (screens.size() > 4) {
              screens.get(random.nextInt(screens.size())).close();
            }
          }
          case 4, 5 -> join(members, room, userId);
          case 6 -> leave(members, room, userId);
          default -> {
            if (!screens.isEmpty()) {
              Screen screen = screens.get(random.nextInt(screens.size()));
              screen.read(
                  1 + random.nextInt(3),
                  told ->
                      assertThat(members.getOrDefault(told, Set.of()))
                          .as("seed %d: %s", seed, told)
                          .contains(screen.userId));
            }
          }
        }
      }
      for (Screen screen : screens) {
        Map<String, Set<String>> expected = new HashMap<>();
        members.forEach((room, of) -> {
          Set<String> present = new TreeSet<>(of);
          present.retainAll(users.present);
          if (of.contains(screen.userId) && !present.isEmpty()) {
            expected.put(room, present);
          }
        });
        screen.awaitShown(expected);
      }
    }
  }

  /// The first one makes the room, and owns it.
  private void join(Map<String, Set<String>> members, String room, String userId) {
    Set<String> of = members.computeIfAbsent(room, _ -> new HashSet<>());
    if (of.isEmpty()) {
      rooms.create(room, userId);
    } else {
      rooms.put(room, Actor.of(of.iterator().next()), userId, Role.OWNER, () -> {});
    }
    of.add(userId);
  }

  /// With the last one the room goes.
  private void leave(Map<String, Set<String>> members, String room, String userId) {
    Set<String> of = members.getOrDefault(room, new HashSet<>());
    if (of.size() == 1 && of.contains(userId)) {
      rooms.delete(room, Actor.of(userId));
    } else if (of.contains(userId)) {
      rooms.remove(room, Actor.of(userId), userId);
    }
    of.remove(userId);
  }
}
