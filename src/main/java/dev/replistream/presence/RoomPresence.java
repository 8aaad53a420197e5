package dev.replistream.presence;

import dev.replistream.api.Membership;
import dev.replistream.data.MemberChange;
import dev.replistream.data.RoomSettings;
import dev.replistream.data.RoomStore;
import dev.replistream.data.Spaces;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.nodes.Nodes;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.invoke.VarHandle;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Tells connections that asked for it who is present in the rooms of their users, and nobody else:
/// without such a connection it does nothing.
///
/// Who comes, goes, joins or leaves is only noted; one thread looks up in the database whom that
/// concerns, makes the list of each room once for all, and lets the connections write it. While
/// they wait, several notes about one user or room become one.
///
/// Who may see a room: the thread puts a connection in a room after it has read that the user is a
/// member. Whoever changes members says so after the commit, {@link #membersChanged}, which takes
/// the user's connections out of the room at once; what the thread has read of that user before no
/// longer counts, and is read again.
///
/// Thread-safe by its lock, which is taken before the monitor of a {@link PresenceWatch}, and under
/// which nothing is read or written.
public final class RoomPresence implements PresenceFeed.Source, AutoCloseable {
  private static final Logger LOGGER = System.getLogger(RoomPresence.class.getName());

  /// How many users who came or went are noted; beyond that all watched rooms are looked at.
  private static final int MAX_CHANGED = 10_000;

  /// How many users or rooms are looked up in one snapshot, which holds one of few connections.
  private static final int BATCH = 100;

  private static final String MEMBERS = "members";
  private static final Duration RETRY = Duration.ofSeconds(1);

  private final Database database;
  private final RoomSettings limits;
  private final Clock clock;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition hasWork = lock.newCondition();
  private final Map<String, Set<PresenceWatch>> watchesByUser = new HashMap<>();
  private final Map<String, WatchedRoom> rooms = new HashMap<>();

  /// Users with watches whose rooms are to be read.
  private final Set<String> joining = new LinkedHashSet<>();

  /// Users who came or went.
  private final Set<String> changed = new LinkedHashSet<>();

  /// Rooms whose list may be another now.
  private final Set<WatchedRoom> stale = new LinkedHashSet<>();

  private final CountDownLatch closing = new CountDownLatch(1);
  private volatile boolean isWatched;
  private volatile @Nullable Nodes nodes;

  /// The presence of a database's rooms, which is told to nobody before it is started.
  public RoomPresence(Database database, RoomSettings limits, Clock clock) {
    this.database = database;
    this.limits = limits;
    this.clock = clock;
  }

  /// Begins to tell what `presence` knows, and to hear of changes on other nodes.
  public void start(Presence presence, Nodes others) {
    nodes = others;
    others.listen(Presence.CHANGED, this::userChanged);
    others.listen(MEMBERS, text -> membersChangedHere(MemberChange.parse(text)));
    others.onTopologyChange(this::allChanged);
    presence.subscribe(this::userChanged);
    Thread.ofVirtual().name("room-presence").start(() -> run(presence));
  }

  /// Tells nothing any more. The thread ends, at the latest when the database is closed: an
  /// interrupt would cost a connection.
  @Override
  public void close() {
    closing.countDown();
    lock.lock();
    try {
      hasWork.signal();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public PresenceFeed open(String userId, Runnable wake) {
    PresenceWatch watch = new PresenceWatch(userId, wake, this::remove);
    lock.lock();
    try {
      watchesByUser.computeIfAbsent(userId, _ -> new HashSet<>()).add(watch);
      joining.add(userId);
      isWatched = true;
      hasWork.signal();
    } finally {
      lock.unlock();
    }
    // whoever comes or goes from here on sees that it matters; whoever did before is seen by the
    // reading that follows
    VarHandle.fullFence();
    return watch;
  }

  private void remove(PresenceWatch watch) {
    lock.lock();
    try {
      Set<PresenceWatch> others = watchesByUser.get(watch.userId());
      if (others == null || !others.remove(watch)) {
        return; // closed before
      }
      if (others.isEmpty()) {
        watchesByUser.remove(watch.userId());
        isWatched = !watchesByUser.isEmpty();
      }
      List.copyOf(watch.rooms).forEach(room -> takeOut(watch, room));
    } finally {
      lock.unlock();
    }
  }

  private void takeOut(PresenceWatch watch, WatchedRoom room) {
    watch.rooms.remove(room);
    room.watches.remove(watch);
    if (room.watches.isEmpty()) {
      rooms.remove(room.id());
      stale.remove(room);
    }
  }

  /// Whatever may have changed, nobody said so.
  private void allChanged() {
    lock.lock();
    try {
      joining.addAll(watchesByUser.keySet());
      stale.addAll(rooms.values());
      hasWork.signal();
    } finally {
      lock.unlock();
    }
  }

  /// A user came or went, here or on another node.
  private void userChanged(String userId) {
    VarHandle.fullFence(); // see open
    if (!isWatched) {
      return;
    }
    lock.lock();
    try {
      if (changed.size() < MAX_CHANGED) {
        changed.add(userId);
      } else {
        stale.addAll(rooms.values());
      }
      hasWork.signal();
    } finally {
      lock.unlock();
    }
  }

  /// Some users have joined rooms or left them. Call it after the commit and before anybody is
  /// answered: when it returns, nobody on this node is told anything more of a room that they were
  /// removed from. Other nodes hear of it at once, and at the latest before they tell anything new
  /// of the room.
  public void membersChanged(Collection<MemberChange> changes) {
    if (changes.isEmpty()) {
      return;
    }
    membersChangedHere(changes);
    Nodes others = nodes;
    if (others != null) {
      others.tell(MEMBERS, MemberChange.text(changes));
    }
  }

  private void membersChangedHere(Collection<MemberChange> changes) {
    VarHandle.fullFence(); // see open
    if (!isWatched) {
      return;
    }
    List<PresenceWatch> woken = new ArrayList<>();
    lock.lock();
    try {
      for (MemberChange change : changes) {
        membersChanged(change, woken);
      }
      hasWork.signal();
    } finally {
      lock.unlock();
    }
    woken.forEach(PresenceWatch::wake);
  }

  private void membersChanged(MemberChange change, List<PresenceWatch> woken) {
    WatchedRoom room = rooms.get(change.room());
    if (room != null) {
      stale.add(room);
    }
    for (PresenceWatch watch : watchesByUser.getOrDefault(change.userId(), Set.of())) {
      joining.add(change.userId());
      if (room != null && room.watches.contains(watch)) {
        leave(watch, room, woken);
      }
    }
  }

  private void leave(PresenceWatch watch, WatchedRoom room, List<PresenceWatch> woken) {
    takeOut(watch, room);
    if (watch.gone(room)) {
      woken.add(watch);
    }
  }

  private void run(Presence presence) {
    try {
      while (awaitWork()) {
        try {
          readMemberships();
          makeLists(presence);
        } catch (DatabaseUnavailableException _) {
          // what was taken up has been put back
          closing.await(RETRY.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RuntimeException e) { // such as of one user, and the others wait
          LOGGER.log(Level.ERROR, "event=error where=presence", e);
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /// Returns whether there is work; else it is closed.
  private boolean awaitWork() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (closing.getCount() > 0) {
        if (!joining.isEmpty() || !changed.isEmpty()) {
          return true;
        }
        long pauseNanos = Long.MAX_VALUE;
        long now = System.nanoTime();
        for (WatchedRoom room : stale) {
          pauseNanos = Math.min(pauseNanos, room.pauseNanos(now));
        }
        if (pauseNanos <= 0) {
          return true;
        }
        hasWork.awaitNanos(pauseNanos);
      }
      return false;
    } finally {
      lock.unlock();
    }
  }

  /// Puts the watches of some users in their rooms, and finds the rooms where somebody came or
  /// went.
  private void readMemberships() {
    List<String> joined;
    List<String> moved;
    lock.lock();
    try {
      joined = take(joining);
      moved = take(changed);
    } finally {
      lock.unlock();
    }
    if (joined.isEmpty() && moved.isEmpty()) {
      return;
    }
    Set<String> users = new LinkedHashSet<>(joined);
    users.addAll(moved);
    List<PresenceWatch> woken = new ArrayList<>();
    Map<String, List<Membership>> memberships;
    try {
      memberships = readEach(users, RoomStore::memberships);
    } catch (DatabaseUnavailableException e) {
      putBack(joined, moved);
      throw e;
    }
    lock.lock();
    try {
      for (String userId : moved) {
        for (Membership membership : memberships.getOrDefault(userId, List.of())) {
          WatchedRoom room = rooms.get(membership.room());
          if (room != null) {
            stale.add(room);
          }
        }
      }
      for (String userId : joined) {
        if (!joining.contains(userId)) { // else it may have been taken out of a room meanwhile
          enter(userId, memberships.getOrDefault(userId, List.of()), woken);
        }
      }
    } finally {
      lock.unlock();
    }
    woken.forEach(PresenceWatch::wake);
  }

  private void putBack(List<String> joined, List<String> moved) {
    lock.lock();
    try {
      joined.stream().filter(watchesByUser::containsKey).forEach(joining::add);
      changed.addAll(moved);
    } finally {
      lock.unlock();
    }
  }

  private static <T> List<T> take(Set<T> from) {
    List<T> taken = new ArrayList<>();
    Iterator<T> each = from.iterator();
    while (each.hasNext() && taken.size() < BATCH) {
      taken.add(each.next());
      each.remove();
    }
    return taken;
  }

  private void enter(String userId, List<Membership> memberships, List<PresenceWatch> woken) {
    for (PresenceWatch watch : watchesByUser.getOrDefault(userId, Set.of())) {
      for (Membership membership : memberships) {
        WatchedRoom room = rooms.computeIfAbsent(membership.room(), WatchedRoom::new);
        if (room.watches.add(watch)) {
          watch.rooms.add(room);
          if (!room.hasList()) {
            stale.add(room);
          } else if (watch.offer(room)) {
            woken.add(watch);
          }
        }
      }
    }
  }

  /// Makes the lists of some rooms that may be others now.
  private void makeLists(Presence presence) {
    List<WatchedRoom> due = takeDue(System.nanoTime());
    if (due.isEmpty()) {
      return;
    }
    Map<WatchedRoom, Set<String>> members;
    try {
      members = readEach(due, (store, room) -> store.memberIds(room.id()));
    } catch (DatabaseUnavailableException e) {
      putBack(due);
      throw e;
    }
    List<PresenceWatch> woken = new ArrayList<>();
    members.forEach((room, userIds) -> {
      byte[] list = room.listOf(presence.of(userIds));
      lock.lock();
      try {
        for (PresenceWatch watch : List.copyOf(room.watches)) {
          if (!userIds.contains(watch.userId())) { // taken out by somebody who did not say so
            leave(watch, room, woken);
          }
        }
        if (!Arrays.equals(list, room.get())) {
          room.set(list);
          room.watches.stream().filter(watch -> watch.offer(room)).forEach(woken::add);
        }
        room.pause(System.nanoTime());
      } finally {
        lock.unlock();
      }
    });
    woken.forEach(PresenceWatch::wake);
  }

  private List<WatchedRoom> takeDue(long nowNanos) {
    List<WatchedRoom> due = new ArrayList<>();
    lock.lock();
    try {
      Iterator<WatchedRoom> each = stale.iterator();
      while (each.hasNext() && due.size() < BATCH) {
        WatchedRoom room = each.next();
        if (room.pauseNanos(nowNanos) <= 0) {
          due.add(room);
          each.remove();
        }
      }
    } finally {
      lock.unlock();
    }
    return due;
  }

  private void putBack(List<WatchedRoom> due) {
    lock.lock();
    try {
      due.stream().filter(room -> rooms.get(room.id()) == room).forEach(stale::add);
    } finally {
      lock.unlock();
    }
  }

  /// Something that is read from the store.
  @FunctionalInterface
  private interface Reading<K, V> {
    V of(RoomStore store, K key) throws SQLException;
  }

  private <K, V> Map<K, V> readEach(Collection<K> keys, Reading<K, V> reading) {
    return database.inSnapshot(session -> {
      RoomStore store = new RoomStore(session, new Spaces(session), clock.instant(), limits);
      Map<K, V> values = new HashMap<>();
      for (K key : keys) {
        values.put(key, reading.of(store, key));
      }
      return values;
    });
  }
}
