package dev.replistream.stream;

import dev.replistream.auth.Caller;
import dev.replistream.auth.Revocation;
import dev.replistream.json.Json;
import dev.replistream.nodes.Nodes;
import dev.replistream.nodes.Present;
import dev.replistream.poke.EventId;
import dev.replistream.poke.Poke;
import dev.replistream.poke.PokeBus;
import dev.replistream.poke.Poker;
import dev.replistream.presence.Presence;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.invoke.VarHandle;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Who is connected: users to their open connections, within the limits of the node.
///
/// Thread-safe. A connection is counted from {@link #register} to {@link #remove}, which its own
/// thread calls whatever way it ends. A user without connections stays for the grace time, unless a
/// node that shuts down sends everybody elsewhere: then nobody has gone.
public final class SseManager
    implements PokeBus.Subscriber, Nodes.LocalUsers, Presence, AutoCloseable {
  private static final Logger LOGGER = System.getLogger(SseManager.class.getName());

  /// Whether a connection was let in.
  public enum Admission {
    /// It is registered.
    ADMITTED,
    /// Its user has as many connections as one may have.
    USER_LIMIT,
    /// The node has as many connections as it may have.
    NODE_LIMIT,
    /// The node is shutting down.
    DRAINING;

    String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /// To how many connections one thread brings a poke. A user with more has them served by several
  /// threads at once, while the poker goes on: it never waits for a write, yet each takes its time.
  private static final int SHARE = 64;

  /// What a client has seen of which nothing is known: an id of no epoch, so that it is told again
  /// should it come back before it was.
  private static final EventId NOTHING_KNOWN = new EventId("0", 0);

  private final ConcurrentMap<String, UserConnections> users = new ConcurrentHashMap<>();
  private final AtomicInteger total = new AtomicInteger();
  private final int maxConnections;
  private final int maxConnectionsPerUser;
  private final PokeBus bus;
  private final Nodes nodes;
  private final Poker poker;
  private final StreamMetrics metrics;
  private final Predicate<Caller> isRevoked;
  private final Clock clock;
  private final GracePeriods gracePeriods;
  private final PokeSpread pokeSpread;
  private volatile Consumer<String> presenceListener = _ -> {};
  private volatile boolean draining;
  private volatile long drainedNanoTime;

  /// Subscribes to `bus`, and says to `nodes` what this one holds.
  ///
  /// @param grace how long a user without connections still counts as present
  /// @param poker what users are poked by
  /// @param isRevoked whether a caller's token was revoked; it is told of new ones by {@link
  ///   #end(Revocation)}
  /// @param clock tells since when users are present
  public SseManager(
      StreamSettings settings,
      Duration grace,
      PokeBus bus,
      Nodes nodes,
      Poker poker,
      StreamMetrics metrics,
      Predicate<Caller> isRevoked,
      Clock clock) {
    this.maxConnections = settings.maxConnections();
    this.maxConnectionsPerUser = settings.maxConnectionsPerUser();
    this.bus = bus;
    this.nodes = nodes;
    this.poker = poker;
    this.metrics = metrics;
    this.isRevoked = isRevoked;
    this.clock = clock;
    this.gracePeriods = new GracePeriods(grace, settings.maxConnections(), this::letGo);
    metrics.countUsers(users::size);
    this.pokeSpread = new PokeSpread(this::deliver);
    bus.subscribe(this);
    nodes.register(this);
  }

  /// Forgets a user who has not come back in time.
  private void letGo(String userId) {
    if (draining) {
      return; // it was sent to another node
    }
    boolean[] isGone = {false};
    users.computeIfPresent(
        userId,
        (_, present) -> {
          // it may have come back, and left again, since its time was found to be up
          isGone[0] = present.size() == 0 && !gracePeriods.contains(userId);
          return isGone[0] ? null : present;
        });
    if (isGone[0]) {
      nodes.left(userId);
      changed(userId);
    }
  }

  private void changed(String userId) {
    presenceListener.accept(userId);
    nodes.tell(CHANGED, userId);
  }

  @Override
  public Map<String, Present> of(Collection<String> userIds) {
    Map<String, Present> present = new HashMap<>();
    for (String userId : userIds) {
      UserConnections connections = users.get(userId);
      if (connections != null) {
        present.put(
            userId,
            new Present(connections.size(), Instant.ofEpochMilli(connections.sinceMillis())));
      }
    }
    nodes.elsewhere(userIds).forEach((userId, there) -> present.merge(userId, there, Present::and));
    return present;
  }

  @Override
  public void subscribe(Consumer<String> changed) {
    presenceListener = changed;
  }

  /// Ends the threads of its own; the connections are the server's to close.
  @Override
  public void close() {
    gracePeriods.close();
    pokeSpread.close();
  }

  /// Pokes all clients of a user: for Java code that embeds the service and has written something
  /// that the user should pull.
  ///
  /// @return how many connections were notified
  public int notifyUser(String userId) {
    return poker.poke(List.of(userId), PokeBus.Source.JAVA);
  }

  /// How many connections a user has on this node.
  @Override
  public int connections(String userId) {
    UserConnections connections = users.get(userId);
    return connections == null ? 0 : connections.size();
  }

  /// How many connections this node has.
  @Override
  public int connections() {
    return total.get();
  }

  @Override
  public List<String> users() {
    return List.copyOf(users.keySet());
  }

  @Override
  public long presentSinceMillis(String userId) {
    UserConnections connections = users.get(userId);
    return connections == null ? -1 : connections.sinceMillis();
  }

  /// Whether the node has begun to send its clients elsewhere.
  public boolean isDraining() {
    return draining;
  }

  /// How long whoever is not let in has to stay away besides the usual time: till this node has
  /// gone, where it drains.
  Duration absence(Admission admission) {
    return admission == Admission.DRAINING
        ? Duration.ofNanos(Math.max(0, drainedNanoTime - System.nanoTime()))
        : Duration.ZERO;
  }

  /// Lets a connection in, or not. From here on pokes reach it.
  Admission register(Connection connection) {
    Admission admission = admit(connection);
    if (admission == Admission.ADMITTED) {
      metrics.connectionOpened(connection.transport());
      if (LOGGER.isLoggable(Level.DEBUG)) {
        LOGGER.log(
            Level.DEBUG,
            "event=connected user="
                + Json.quoted(connection.caller().userId())
                + " transport="
                + connection.transport().label());
      }
      if (isRevoked.test(connection.caller())) {
        connection.end(CloseReason.REVOKED); // since it was verified
      }
    } else {
      metrics.connectionRefused(admission);
    }
    return admission;
  }

  private Admission admit(Connection connection) {
    if (draining) {
      return Admission.DRAINING;
    }
    if (total.incrementAndGet() > maxConnections) {
      total.decrementAndGet();
      return Admission.NODE_LIMIT;
    }
    String userId = connection.caller().userId();
    boolean[] hasCome = {false};
    users.compute(
        userId,
        (_, present) -> {
          hasCome[0] = present == null;
          UserConnections connections =
              present == null ? new UserConnections(clock.millis()) : present;
          int size = connections.size();
          if (size == 0 && present != null) {
            gracePeriods.cancel(userId);
          }
          if (size < maxConnectionsPerUser) {
            connections.add(connection);
          }
          return connections;
        });
    if (connection.slot < 0) {
      total.decrementAndGet();
      return Admission.USER_LIMIT;
    }
    // the registration is seen by every poke whose stamp the following read of the cursor misses
    VarHandle.fullFence();
    if (!nodes.join(userId, connection.slot + 1)) {
      forget(connection);
      return Admission.USER_LIMIT;
    }
    if (hasCome[0]) {
      changed(userId);
    }
    return Admission.ADMITTED;
  }

  /// The open connections of a user on this node, the oldest first.
  List<Connection> open(String userId) {
    UserConnections connections = users.get(userId);
    return connections == null
        ? List.of()
        : Arrays.stream(connections.snapshot())
            .filter(connection -> connection.reason() == null)
            .sorted((one, other) -> Long.signum(one.openedNanoTime() - other.openedNanoTime()))
            .toList();
  }

  /// Ends an open connection of a user, whose client is told not to come back.
  ///
  /// @return whether this call ended it: there is one of that id, and nothing else was first
  boolean end(String userId, String id) {
    return open(userId).stream()
        .anyMatch(connection -> connection.id().equals(id) && connection.end(CloseReason.ENDED));
  }

  /// Ends the connections of all callers that `revocation` covers. One that is being registered
  /// meanwhile is found here, or finds that it is revoked.
  ///
  /// @return how many this call ended
  public int end(Revocation revocation) {
    VarHandle.fullFence(); // see register
    int ended = 0;
    for (UserConnections connections : ofUsers(revocation)) {
      for (Connection connection : connections.snapshot()) {
        if (revocation.covers(connection.caller()) && connection.end(CloseReason.REVOKED)) {
          ended++;
        }
      }
    }
    return ended;
  }

  private Collection<UserConnections> ofUsers(Revocation revocation) {
    if (revocation.kind() == Revocation.Kind.SID) {
      return users.values();
    }
    UserConnections connections = users.get(revocation.subject());
    return connections == null ? List.of() : List.of(connections);
  }

  /// Counts and logs a connection that has ended, and forgets it. Called once for each that was
  /// admitted.
  void remove(Connection connection, int events) {
    connection.end(CloseReason.FAILED); // counts only where no other reason was given
    try {
      count(connection, events);
    } finally {
      forget(connection); // last: who finds nobody connected finds in the log why
    }
  }

  private void count(Connection connection, int events) {
    CloseReason reason = Objects.requireNonNull(connection.reason());
    metrics.connectionClosed(connection.transport(), reason);
    if (LOGGER.isLoggable(Level.DEBUG)) {
      LOGGER.log(
          Level.DEBUG,
          "event=disconnected user="
              + Json.quoted(connection.caller().userId())
              + " transport="
              + connection.transport().label()
              + " reason="
              + reason.label()
              + " age="
              + Duration.ofNanos(System.nanoTime() - connection.openedNanoTime())
              + " events="
              + events);
    }
  }

  private void forget(Connection connection) {
    String userId = connection.caller().userId();
    AtomicReference<Optional<String>> tooMany = new AtomicReference<>(Optional.empty());
    users.computeIfPresent(
        userId,
        (_, present) -> {
          present.remove(connection);
          if (present.size() == 0) {
            tooMany.set(gracePeriods.add(userId, System.nanoTime()));
          }
          return present;
        });
    tooMany.get().ifPresent(this::letGo);
    total.decrementAndGet();
    nodes.left(userId);
  }

  /// What a client that has just been registered missed.
  ///
  /// @param lastEventId what the client says it saw last, if it says anything
  Resume resume(String userId, @Nullable String lastEventId) {
    EventId current = bus.latest(userId);
    if (lastEventId == null || lastEventId.isEmpty()) {
      return new Resume(current, null, -1);
    }
    if (lastEventId.equals(current.toString())) {
      return new Resume(current, null, current.stamp());
    }
    // an id of another epoch, or from the future, is no id of this counter: all may be missed
    EventId seen =
        EventId.parse(lastEventId)
            .filter(id -> id.epoch().equals(current.epoch()) && id.stamp() < current.stamp())
            .orElse(NOTHING_KNOWN);
    return new Resume(seen, new SyncEvent(current, 0), current.stamp());
  }

  /// How a client's stream begins.
  ///
  /// @param id the id of `connected`: how far the client has come before the catch-up. It is not
  ///   ahead of a sync that the client has not got, so a client that loses its connection between
  ///   the two still asks for it.
  /// @param catchUp the sync that makes up for what was missed, or null when nothing was
  /// @param toldStamp the last poke that needs no telling any more: one whose delivery is under way
  ///   while the client comes back must not be told twice. A client that comes for the first time
  ///   has been told nothing.
  record Resume(EventId id, @Nullable SyncEvent catchUp, long toldStamp) {}

  @Override
  public int deliver(Poke poke) {
    // see register: either this finds the connection, or the connection finds the stamp
    VarHandle.fullFence();
    UserConnections connections = users.get(poke.userId());
    if (connections == null) {
      return 0;
    }
    Connection[] targets = connections.snapshot();
    if (targets.length == 0) {
      return 0;
    }
    SyncEvent sync = new SyncEvent(poke.id(), poke.nanoTime());
    if (targets.length <= SHARE) {
      offer(sync, targets, 0);
    } else if (connections.offerFanOut(sync)) {
      fanOut(connections);
    }
    return targets.length;
  }

  @Override
  public void deliverAfter(Duration delay, Poke poke) {
    pokeSpread.add(delay, poke);
  }

  /// Brings the newest sync to a user's many connections, and when that is done the next: however
  /// fast the pokes come, a user has one thread for each share at the most.
  private void fanOut(UserConnections connections) {
    SyncEvent sync = connections.nextFanOut();
    if (sync == null) {
      return;
    }
    VarHandle.fullFence(); // see register
    Connection[] targets = connections.snapshot();
    AtomicInteger sharesLeft = new AtomicInteger((targets.length + SHARE - 1) / SHARE);
    if (targets.length == 0) {
      fanOut(connections);
    }
    for (int from = 0; from < targets.length; from += SHARE) {
      int begin = from;
      Thread.startVirtualThread(() -> {
        try {
          offer(sync, targets, begin);
        } finally {
          if (sharesLeft.decrementAndGet() == 0) {
            fanOut(connections);
          }
        }
      });
    }
  }

  /// Offers to one share of the targets.
  private void offer(SyncEvent sync, Connection[] targets, int from) {
    int coalesced = 0;
    for (int i = from; i < Math.min(from + SHARE, targets.length); i++) {
      if (targets[i].offer(sync)) {
        coalesced++;
      }
    }
    metrics.syncsCoalesced(coalesced);
  }

  /// Refuses new connections and ends the open ones, spread evenly over `window`, so that the nodes
  /// which take them in are not met by all at once. Pokes are delivered till each one's end, those
  /// that wait for their turn before it. Returns when all have ended, or one second after the
  /// window.
  public void drain(Duration window) throws InterruptedException {
    if (!draining) {
      drainedNanoTime = System.nanoTime() + window.toNanos();
    }
    draining = true;
    List<Connection> open = new ArrayList<>(total.get());
    users.values().forEach(connections -> Collections.addAll(open, connections.snapshot()));
    Collections.shuffle(open);
    long begin = System.nanoTime();
    for (int i = 0; i < open.size(); i++) {
      sleepUntil(begin + window.toNanos() * i / open.size());
      endDrained(open.get(i));
    }
    long deadline = System.nanoTime() + Duration.ofSeconds(1).toNanos();
    while (total.get() > 0 && System.nanoTime() - deadline < 0) {
      // those that were registered while draining began
      users
          .values()
          .forEach(connections -> {
            for (Connection late : connections.snapshot()) {
              endDrained(late);
            }
          });
      sleepUntil(System.nanoTime() + Duration.ofMillis(10).toNanos());
    }
  }

  private void endDrained(Connection connection) {
    pokeSpread.deliverNow(connection.caller().userId());
    connection.end(CloseReason.DRAINED);
  }

  private static void sleepUntil(long nanoTime) throws InterruptedException {
    for (long left = nanoTime - System.nanoTime(); left > 0; left = nanoTime - System.nanoTime()) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      LockSupport.parkNanos(left);
    }
  }
}
