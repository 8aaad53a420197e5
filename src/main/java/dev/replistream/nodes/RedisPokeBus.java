package dev.replistream.nodes;

import dev.replistream.auth.TicketStore;
import dev.replistream.http.Json;
import dev.replistream.nodes.RedisCommands.Held;
import dev.replistream.nodes.RedisCommands.Stamped;
import dev.replistream.poke.EventId;
import dev.replistream.poke.Poke;
import dev.replistream.poke.PokeBus;
import dev.replistream.poke.PokeCounters;
import dev.replistream.poke.Presence;
import dev.replistream.poke.RecentPokes;
import dev.replistream.poke.Spread;
import io.helidon.metrics.api.Gauge;
import io.helidon.metrics.api.MeterRegistry;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// The bus of many nodes, which meet in Redis.
///
/// Redis stamps a poke, looks up which nodes hold streams of the user, and sends it to those, in
/// one script; this node brings it to its own streams. A node's word on what it holds counts as
/// long as its lease, which it renews twice a second.
///
/// **While Redis is away** pokes go to this node's own streams, with ids of an epoch that no other
/// node knows, and the users are noted. When it is back (or this node was cut off from it, or it
/// lost what it knew) the node
///
/// 1. raises the floor of all users' stamps, so that every client that comes back with an older id
///    pulls once (but not where it has just started beside others, as in a rolling restart),
/// 2. says anew what streams it holds,
/// 3. pokes the users that it noted, for the other nodes,
/// 4. brings every stream of its own one `sync`, spread as a room's pokes are.
///
/// Thread-safe. Whoever asks waits for Redis two seconds at most, and not at all while that is
/// known to be away.
public final class RedisPokeBus implements PokeBus {
  private static final Logger LOGGER = System.getLogger(RedisPokeBus.class.getName());

  /// The epoch of the stamps that Redis gives.
  private static final String EPOCH = "r";

  private final RedisServer server;
  private final RedisCommands commands;
  private final List<Subscription> subscriptions;
  private final int maxConnectionsPerUser;
  private final String node = UUID.randomUUID().toString().replace("-", "").substring(0, 12);
  private final PokeCounters counters;
  private final RecentPokes recent = new RecentPokes();
  private final Outage outage;
  private final RedisKeeper keeper;
  private final ConcurrentMap<String, Consumer<String>> listeners = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, UnaryOperator<String>> answerers = new ConcurrentHashMap<>();
  private final Questions questions = new Questions();
  private volatile Runnable found = () -> {};
  private volatile @Nullable Subscriber subscriber;

  /// A bus that has not begun yet.
  ///
  /// @param maxConnectionsPerUser how many connections a user may have on all nodes together
  public RedisPokeBus(RedisSettings settings, int maxConnectionsPerUser, MeterRegistry registry) {
    this.server = new RedisServer(settings);
    this.outage = new Outage(server.shards());
    this.maxConnectionsPerUser = maxConnectionsPerUser;
    this.counters = new PokeCounters(registry);
    this.commands = new RedisCommands(server, node);
    this.subscriptions =
        IntStream.range(0, server.shards())
            .mapToObj(
                shard -> new Subscription(server, shard, node, this::received, this::brokeOff))
            .toList();
    registry.getOrCreate(
        Gauge.builder("replistream_redis_up", () -> isAvailable() ? 1 : 0)
            .description("Whether this node's pokes reach all nodes"));
    this.keeper = new RedisKeeper(this, commands, subscriptions, outage);
  }

  /// Why this node can't work with Redis, if that is there and says so: a password that is missing
  /// or wrong, a right that the user has not, a certificate that is not trusted, a database that
  /// there isn't. One line without the password. Waits for it a second or two.
  public Optional<String> refusal() {
    return server.refusal();
  }

  /// Sets who holds the streams of this node, and begins to look for Redis.
  @Override
  public void subscribe(Subscriber holder) {
    subscriber = holder;
    commands.start();
    subscriptions.forEach(Subscription::start);
    keeper.start(holder);
  }

  // ---- pokes

  @Override
  public int poke(String userId, Source source) {
    counters.poked(source);
    int notified = poked(ask(userId, Duration.ZERO), userId, Duration.ZERO);
    if (LOGGER.isLoggable(Level.DEBUG)) {
      LOGGER.log(Level.DEBUG, "event=poke user=" + Json.quoted(userId) + " notified=" + notified);
    }
    return notified;
  }

  /// A poke on its way, or null where Redis is away.
  private @Nullable CompletableFuture<Stamped> ask(String userId, Duration delay) {
    return outage.isUp() ? commands.poke(userId, delay) : null;
  }

  /// Waits for Redis to stamp a poke, and brings it to this node's streams.
  ///
  /// @return how many streams all nodes hold
  private int poked(@Nullable CompletableFuture<Stamped> asked, String userId, Duration delay) {
    CompletableFuture<Stamped> answer = asked;
    while (true) {
      if (answer != null) {
        try {
          Stamped stamped = RedisLink.await(answer);
          return stamped.elsewhere() + deliver(poke(userId, EPOCH, stamped.stamp()), delay);
        } catch (RedisUnavailableException e) {
          outage.begins(e);
        }
      }
      long stamp = outage.note(userId, server.shardOf(userId));
      if (stamp > 0) {
        return deliver(poke(userId, node, stamp), delay);
      }
      answer = ask(userId, delay); // it has come back in this moment
    }
  }

  private Poke poke(String userId, String epoch, long stamp) {
    Poke poke = new Poke(userId, epoch, stamp, System.nanoTime());
    recent.poked(poke);
    outage.seen(server.shardOf(userId), stamp);
    return poke;
  }

  private int deliver(Poke poke, Duration delay) {
    Subscriber holder = subscriber;
    if (holder == null) {
      return 0;
    }
    if (delay.isZero()) {
      return holder.deliver(poke);
    }
    int count = holder.connections(poke.userId());
    if (count > 0) {
      holder.deliverAfter(delay, poke);
    }
    return count;
  }

  @Override
  public int poke(Set<String> userIds, String prompt, Source source) {
    int notified = userIds.contains(prompt) ? poke(prompt, source) : 0;
    List<String> others = new ArrayList<>(userIds);
    others.remove(prompt);
    if (others.isEmpty()) {
      return notified;
    }
    Collections.shuffle(others); // so that nobody is always the last
    Duration window = Spread.window(others.size() == 1 ? 0 : connections(others));
    List<Turn> turns = new ArrayList<>(others.size());
    for (int i = 0; i < others.size(); i++) {
      counters.poked(source);
      turns.add(new Turn(others.get(i), Spread.turn(window, i, others.size())));
    }
    for (List<Turn> some : RedisCommands.parts(turns)) {
      notified += poke(some);
    }
    return notified;
  }

  /// A user to be poked.
  ///
  /// @param delay after which the streams are told
  record Turn(String userId, Duration delay) {}

  /// Pokes some users, who are all asked for before the first answer is waited for.
  int poke(List<Turn> turns) {
    List<@Nullable CompletableFuture<Stamped>> asked = new ArrayList<>(turns.size());
    turns.forEach(turn -> asked.add(ask(turn.userId, turn.delay)));
    int notified = 0;
    for (int i = 0; i < turns.size(); i++) {
      notified += poked(asked.get(i), turns.get(i).userId, turns.get(i).delay);
    }
    return notified;
  }

  /// How many connections some users have now, as far as that is known.
  private int connections(List<String> userIds) {
    Subscriber holder = subscriber;
    int own = holder == null ? 0 : userIds.stream().mapToInt(holder::connections).sum();
    return own + held(userIds).values().stream().mapToInt(Held::connections).sum();
  }

  /// What other nodes hold of some users, as far as that is known.
  private Map<String, Held> held(Collection<String> userIds) {
    Map<String, Held> held = new HashMap<>();
    try {
      for (List<String> some : RedisCommands.parts(List.copyOf(userIds))) {
        if (outage.isUp()) {
          held.putAll(RedisCommands.answers(some, commands::elsewhere));
        }
      }
    } catch (RedisUnavailableException e) {
      outage.begins(e);
    }
    return held;
  }

  @Override
  public Map<String, Presence.Present> elsewhere(Collection<String> userIds) {
    Map<String, Presence.Present> present = new HashMap<>();
    held(userIds)
        .forEach((userId, held) -> {
          if (held.sinceMillis() >= 0) {
            present.put(
                userId,
                new Presence.Present(held.connections(), Instant.ofEpochMilli(held.sinceMillis())));
          }
        });
    return present;
  }

  /// Takes a message of another node.
  private void received(String message) {
    try {
      String[] parts = message.split(" ", 4);
      switch (parts[0]) {
        case "poke" ->
            deliver(
                poke(parts[3], EPOCH, Long.parseLong(parts[1])),
                Duration.ofMillis(Long.parseLong(parts[2])));
        case "tell" -> {
          if (!parts[1].equals(node)) {
            Consumer<String> listener = listeners.getOrDefault(parts[2], _ -> {});
            aside(() -> listener.accept(parts[3]));
          }
        }
        case "ask" -> aside(() -> answerTo(parts[1], parts[2], parts[3].split(" ", 2)));
        case "answer" -> questions.answered(Long.parseLong(parts[1]), message.split(" ", 3)[2]);
        case RedisCommands.MEND -> {
          if (!parts[1].equals(node)) {
            outage.mustBeMended();
          }
        }
        case "gone" -> found(); // a node, with those who were present there
        default -> {} // of a later release
      }
    } catch (RuntimeException e) { // one bad message must not end the subscription
      LOGGER.log(Level.ERROR, "event=error where=redis-message", e);
    }
  }

  /// Lets a listener do what it does on a thread of its own: those on whose turn the lease depends
  /// must not wait for a lock with it.
  private static void aside(Runnable listener) {
    Thread.startVirtualThread(() -> {
      try {
        listener.run();
      } catch (RuntimeException e) { // one bad message
        LOGGER.log(Level.ERROR, "event=error where=redis-message", e);
      }
    });
  }

  @Override
  public void tell(String topic, String text) {
    if (outage.isUp()) {
      var _ =
          commands
              .tellAll("tell " + node + " " + topic + " " + text)
              .whenComplete(this::lostUnlessDone);
    }
  }

  @Override
  public Answers ask(String userId, String topic, String text) {
    return whileUp(
        () -> {
          Answers answers =
              questions.ask(number ->
                  RedisLink.await(commands.askOthers(userId, number, topic + " " + text)));
          return new Answers(answers.texts(), answers.areAll() && isAvailable());
        },
        () -> new Answers(List.of(), false));
  }

  private void answerTo(String other, String number, String[] question) {
    UnaryOperator<String> answerer = answerers.get(question[0]);
    if (answerer != null && outage.isUp()) {
      var _ =
          commands
              .tell(other, "answer " + number + " " + answerer.apply(question[1]))
              .whenComplete(this::lostUnlessDone);
    }
  }

  @Override
  public void answer(String topic, UnaryOperator<String> answerer) {
    answerers.put(topic, answerer);
  }

  @Override
  public void hear(String topic, Consumer<String> listener) {
    listeners.put(topic, listener);
  }

  @Override
  public void onceFound(Runnable listener) {
    found = listener;
  }

  /// Tickets that stand in Redis, and while that is away in `own`.
  public TicketStore tickets(TicketStore own) {
    return new RedisTickets(this, own);
  }

  /// Keeps a user's ticket for a while. One that it pushes out is taken away later.
  ///
  /// @return whether it is kept
  boolean keep(String userId, String ticket, String text, Duration life) {
    return whileUp(
        () -> {
          var pushedOut = commands.issue(userId, ticket, TicketStore.MAX_PER_USER, life);
          boolean isKept = RedisLink.await(commands.keep(ticket, text, life)) == 1;
          RedisLink.await(pushedOut)
              .filter(oldest -> !oldest.equals(ticket))
              .ifPresent(oldest -> {
                var _ = commands.take(oldest).whenComplete(this::lostUnlessDone);
              });
          return isKept;
        },
        () -> false);
  }

  /// Takes what was kept, so that it is gone.
  Optional<String> take(String name) {
    return whileUp(() -> RedisLink.await(commands.take(name)), Optional::empty);
  }

  /// What Redis answers, or what is so without it.
  private <T> T whileUp(Supplier<T> asked, Supplier<T> otherwise) {
    if (outage.isUp()) {
      try {
        return asked.get();
      } catch (RedisUnavailableException e) {
        outage.begins(e);
      }
    }
    return otherwise.get();
  }

  private void lostUnlessDone(@Nullable Object done, @Nullable Throwable failure) {
    if (failure != null) {
      outage.begins(failure);
    }
  }

  // ---- streams

  @Override
  public EventId latest(String userId) {
    int shard = server.shardOf(userId);
    return whileUp(
        () -> {
          long stamp = RedisLink.await(commands.latest(userId));
          outage.seen(shard, stamp);
          return new EventId(EPOCH, stamp);
        },
        // whatever the client has seen, it may have missed something
        () -> new EventId(node, outage.highestStamp(shard)));
  }

  @Override
  public boolean join(String userId, int nth) {
    return whileUp(
        () -> {
          boolean mayJoin =
              RedisLink.await(
                  commands.join(userId, nth, maxConnectionsPerUser, held(userId).sinceMillis()));
          Subscriber holder = subscriber;
          if (mayJoin && holder != null && holder.connections(userId) != nth) {
            left(userId); // others came or left meanwhile: count them as they are now
          }
          return mayJoin;
        },
        () -> true); // within the limit of this node; counted when Redis is back
  }

  @Override
  public void left(String userId) {
    if (outage.isUp()) {
      var _ = askToCount(userId).whenComplete(this::lostUnlessDone);
    }
  }

  /// Says what this node holds of a user.
  ///
  /// @return the user's last stamp
  CompletableFuture<Long> askToCount(String userId) {
    int shard = server.shardOf(userId);
    return commands
        .count(userId, () -> held(userId))
        .thenApply(stamp -> {
          // other nodes may have raised the floor; while Redis is away this node must stamp above
          // all that its streams were told
          outage.seen(shard, stamp);
          return stamp;
        });
  }

  /// What this node holds now.
  private Held held(String userId) {
    Subscriber holder = subscriber;
    return holder == null
        ? new Held(0, -1)
        : new Held(holder.connections(userId), holder.presentSinceMillis(userId));
  }

  @Override
  public int connections(String userId) {
    return connections(List.of(userId));
  }

  @Override
  public int connections() {
    Subscriber holder = subscriber;
    int own = holder == null ? 0 : holder.connections();
    return outage.isUp() ? own + keeper.connectionsElsewhere() : own;
  }

  @Override
  public Optional<Duration> pulled(String userId) {
    return recent.pulled(userId);
  }

  @Override
  public boolean isInstant() {
    return false;
  }

  @Override
  public boolean isAvailable() {
    return outage.isOver();
  }

  // ---- outages

  /// What was sent to this node since may be lost.
  private void brokeOff() {
    outage.begins(new RedisUnavailableException("its messages broke off"));
  }

  /// Nodes may have missed what others said.
  void found() {
    aside(found);
  }

  /// Brings the last poke of a user to this node's streams once more.
  void deliver(String userId, long stamp, Duration delay) {
    deliver(new Poke(userId, EPOCH, stamp, System.nanoTime()), delay);
  }

  @Override
  public void close() {
    outage.close();
    keeper.close();
    outage.warnOfNoted();
    abandon();
  }

  /// Ends what the bus runs, without a word to the other nodes, as a crash does.
  void abandon() {
    outage.close();
    keeper.abandon();
    subscriptions.forEach(Subscription::close);
    commands.close();
  }
}
