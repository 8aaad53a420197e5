package dev.replistream.poke;

import dev.replistream.auth.TicketStore;
import dev.replistream.http.Json;
import dev.replistream.poke.RedisCommands.Beat;
import dev.replistream.poke.RedisCommands.Held;
import dev.replistream.poke.RedisCommands.Stamped;
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
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Consumer;
import java.util.function.Function;
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

  private static final Duration BEAT = Duration.ofMillis(500);

  /// How long a message to itself may take.
  private static final Duration PATIENCE = Duration.ofMillis(1_400);

  private static final Duration COUNTS_RENEWED = Duration.ofMinutes(30);

  /// How many users are noted while Redis is away; beyond it all nodes' streams get a `sync`.
  private static final int MAX_NOTED = 100_000;

  /// How many questions of one caller's wait for their answers at once.
  private static final int AT_ONCE = 1_000;

  /// The message by which a node lets all others mend.
  private static final String MEND = "mend";

  private final RedisServer server;
  private final RedisCommands commands;
  private final List<Subscription> subscriptions;
  private final int maxConnectionsPerUser;
  private final String node = UUID.randomUUID().toString().replace("-", "").substring(0, 12);
  private final PokeCounters counters;
  private final RecentPokes recent = new RecentPokes();
  private final AtomicLongArray highestStamps; // by shard
  private final Semaphore attention = new Semaphore(0);
  private final Thread keeper;
  private final ConcurrentMap<String, Consumer<String>> listeners = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, UnaryOperator<String>> answerers = new ConcurrentHashMap<>();
  private final Questions questions = new Questions();
  private volatile Runnable found = () -> {};
  private volatile @Nullable Subscriber subscriber;
  private volatile boolean mustMend = true;
  private boolean hasJustStarted = true; // of the keeper alone
  private volatile int connectionsElsewhere;
  private volatile boolean isClosed;
  private volatile boolean isUp; // written under this
  private volatile boolean isMended;
  // guarded by this
  private final Set<String> noted = new HashSet<>();
  private boolean hasMoreThanNoted;
  private boolean isToldLost;

  /// A bus that has not begun yet.
  ///
  /// @param maxConnectionsPerUser how many connections a user may have on all nodes together
  public RedisPokeBus(RedisSettings settings, int maxConnectionsPerUser, MeterRegistry registry) {
    this.server = new RedisServer(settings);
    this.highestStamps = new AtomicLongArray(server.shards());
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
    this.keeper = Thread.ofPlatform().daemon().name("redis-keeper").unstarted(this::keep);
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
    keeper.start();
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
    return isUp ? commands.poke(userId, delay) : null;
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
          lost(e);
        }
      }
      long stamp = note(userId);
      if (stamp > 0) {
        return deliver(poke(userId, node, stamp), delay);
      }
      answer = ask(userId, delay); // it has come back in this moment
    }
  }

  private Poke poke(String userId, String epoch, long stamp) {
    Poke poke = new Poke(userId, epoch, stamp, System.nanoTime());
    recent.poked(poke);
    seen(server.shardOf(userId), stamp);
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

  private void seen(int shard, long stamp) {
    highestStamps.accumulateAndGet(shard, stamp, Math::max);
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
    for (List<Turn> some : chunks(turns)) {
      notified += poke(some);
    }
    return notified;
  }

  /// A user to be poked.
  ///
  /// @param delay after which the streams are told
  private record Turn(String userId, Duration delay) {}

  /// Pokes some users, who are all asked for before the first answer is waited for.
  private int poke(List<Turn> turns) {
    List<@Nullable CompletableFuture<Stamped>> asked = new ArrayList<>(turns.size());
    turns.forEach(turn -> asked.add(ask(turn.userId, turn.delay)));
    int notified = 0;
    for (int i = 0; i < turns.size(); i++) {
      notified += poked(asked.get(i), turns.get(i).userId, turns.get(i).delay);
    }
    return notified;
  }

  /// What is asked for at once, one part after the other.
  private static <T> List<List<T>> chunks(List<T> all) {
    return IntStream.iterate(0, from -> from < all.size(), from -> from + AT_ONCE)
        .mapToObj(from -> all.subList(from, Math.min(all.size(), from + AT_ONCE)))
        .toList();
  }

  /// The answers for some users, who are all asked for before the first answer is waited for.
  private static <T> Map<String, T> answers(
      List<String> userIds, Function<String, CompletableFuture<T>> ask) {
    Map<String, CompletableFuture<T>> asked = new HashMap<>();
    userIds.forEach(userId -> asked.put(userId, ask.apply(userId)));
    Map<String, T> answers = new HashMap<>();
    asked.forEach((userId, answer) -> answers.put(userId, RedisLink.await(answer)));
    return answers;
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
      for (List<String> some : chunks(List.copyOf(userIds))) {
        if (isUp) {
          held.putAll(answers(some, commands::elsewhere));
        }
      }
    } catch (RedisUnavailableException e) {
      lost(e);
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
            listeners.getOrDefault(parts[2], _ -> {}).accept(parts[3]);
          }
        }
        case "ask" -> answerTo(parts[1], parts[2], parts[3].split(" ", 2));
        case "answer" -> questions.answered(Long.parseLong(parts[1]), message.split(" ", 3)[2]);
        case MEND -> {
          if (!parts[1].equals(node)) {
            mustMend = true;
            attention.release();
          }
        }
        case "gone" -> found.run(); // a node, with those who were present there
        default -> {} // of a later release
      }
    } catch (RuntimeException e) { // one bad message must not end the subscription
      LOGGER.log(Level.ERROR, "event=error where=redis-message", e);
    }
  }

  @Override
  public void tell(String topic, String text) {
    if (isUp) {
      var _ =
          commands
              .tellAll("tell " + node + " " + topic + " " + text)
              .whenComplete(this::lostUnlessDone);
    }
  }

  @Override
  public Answers ask(String userId, String topic, String text) {
    if (!isUp) {
      return new Answers(List.of(), false);
    }
    try {
      Answers answers =
          questions.ask(
              number -> RedisLink.await(commands.askOthers(userId, number, topic + " " + text)));
      return new Answers(answers.texts(), answers.areAll() && isAvailable());
    } catch (RedisUnavailableException e) {
      lost(e);
      return new Answers(List.of(), false);
    }
  }

  private void answerTo(String other, String number, String[] question) {
    UnaryOperator<String> answerer = answerers.get(question[0]);
    if (answerer != null && isUp) {
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

  /// Keeps something for a while.
  ///
  /// @return whether it is kept
  boolean keep(String name, String text, Duration life) {
    if (!isUp) {
      return false;
    }
    try {
      RedisLink.await(commands.keep(name, text, life));
      return true;
    } catch (RedisUnavailableException e) {
      lost(e);
      return false;
    }
  }

  /// Takes what was kept, so that it is gone.
  Optional<String> take(String name) {
    if (!isUp) {
      return Optional.empty();
    }
    try {
      return RedisLink.await(commands.take(name));
    } catch (RedisUnavailableException e) {
      lost(e);
      return Optional.empty();
    }
  }

  private void lostUnlessDone(@Nullable Object done, @Nullable Throwable failure) {
    if (failure != null) {
      lost(failure);
    }
  }

  // ---- streams

  @Override
  public EventId latest(String userId) {
    if (isUp) {
      try {
        long stamp = RedisLink.await(commands.latest(userId));
        seen(server.shardOf(userId), stamp);
        return new EventId(EPOCH, stamp);
      } catch (RedisUnavailableException e) {
        lost(e);
      }
    }
    // whatever the client has seen, it may have missed something
    return new EventId(node, highestStamps.get(server.shardOf(userId)));
  }

  @Override
  public boolean join(String userId, int nth) {
    if (!isUp) {
      return true; // within the limit of this node; counted when Redis is back
    }
    try {
      boolean mayJoin =
          RedisLink.await(
              commands.join(userId, nth, maxConnectionsPerUser, held(userId).sinceMillis()));
      Subscriber holder = subscriber;
      if (mayJoin && holder != null && holder.connections(userId) != nth) {
        left(userId); // others came or left meanwhile: count them as they are now
      }
      return mayJoin;
    } catch (RedisUnavailableException e) {
      lost(e);
      return true;
    }
  }

  @Override
  public void left(String userId) {
    if (isUp) {
      var _ = askToCount(userId).whenComplete(this::lostUnlessDone);
    }
  }

  private CompletableFuture<Long> askToCount(String userId) {
    return commands.count(userId, () -> held(userId));
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
    return isUp ? own + connectionsElsewhere : own;
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
    return isUp && isMended;
  }

  // ---- outages

  /// What was sent to this node since may be lost.
  private void brokeOff() {
    lost(new RedisUnavailableException("its messages broke off"));
  }

  /// Takes note that Redis is away.
  private void lost(Throwable why) {
    boolean isNews;
    synchronized (this) {
      isNews = !isToldLost;
      isToldLost = true;
      isUp = false;
      isMended = false;
      mustMend = true;
    }
    if (isNews && !isClosed) {
      LOGGER.log(Level.WARNING, "event=redis-lost reason=" + Json.quoted(root(why).toString()));
      attention.release();
    }
  }

  private static Throwable root(Throwable e) {
    Throwable cause = e.getCause();
    return cause == null ? e : root(cause);
  }

  /// Notes a user whose poke the other nodes have not heard of.
  ///
  /// @return a stamp above all that clients of this node have seen, and below all that Redis will
  ///   give after; 0 when the others can be told now
  private synchronized long note(String userId) {
    if (isUp) {
      return 0;
    }
    if (noted.size() < MAX_NOTED) {
      noted.add(userId);
    } else {
      hasMoreThanNoted = true;
    }
    return highestStamps.incrementAndGet(server.shardOf(userId));
  }

  /// Renews the lease, and mends what an outage left.
  private void keep() {
    long renewed = System.nanoTime();
    long beat = 0;
    while (!isClosed) {
      try {
        beat(++beat);
        if (mustMend) {
          mend();
        } else if (System.nanoTime() - renewed > COUNTS_RENEWED.toNanos()) {
          renewed = System.nanoTime();
          countAll();
        }
      } catch (RedisUnavailableException e) {
        lost(e);
      } catch (InterruptedException _) {
        return; // closed
      } catch (Throwable e) { // without this thread the lease would end
        lost(e);
        LOGGER.log(Level.ERROR, "event=error where=redis-keeper", e);
      }
      try {
        if (attention.tryAcquire(BEAT.toMillis(), TimeUnit.MILLISECONDS)) {
          attention.drainPermits();
          // not at once: an outage may last
          Thread.sleep(BEAT.dividedBy(5));
        }
      } catch (InterruptedException _) {
        return; // closed
      }
    }
  }

  /// Keeps the leases while more is to be done than one beat takes.
  private void renewLeases() {
    for (CompletableFuture<Beat> each : askToBeat(0)) {
      connectionsElsewhere = RedisLink.await(each).elsewhere();
    }
  }

  private List<CompletableFuture<Beat>> askToBeat(long number) {
    Subscriber holder = subscriber;
    int own = holder == null ? 0 : holder.connections();
    List<CompletableFuture<Beat>> asked = new ArrayList<>();
    for (int shard = 0; shard < server.shards(); shard++) {
      asked.add(commands.beat(shard, own, highestStamps.get(shard), number));
    }
    return asked;
  }

  private void beat(long number) throws InterruptedException {
    for (Subscription subscription : subscriptions) {
      if (!subscription.awaitReady(PATIENCE)) {
        subscription.reconnect();
        throw new RedisUnavailableException("it takes no subscription");
      }
    }
    for (CompletableFuture<Beat> each : askToBeat(number)) {
      Beat beat = RedisLink.await(each);
      connectionsElsewhere = beat.elsewhere();
      if (!beat.isKnown() && isUp) {
        isMended = false;
        mustMend = true;
      }
    }
    for (Subscription subscription : subscriptions) {
      if (!subscription.awaitBeat(number, PATIENCE)) {
        subscription.reconnect();
        throw new RedisUnavailableException("its messages don't come");
      }
    }
  }

  private void mend() {
    mustMend = false;
    try {
      long[] floors = new long[server.shards()];
      raiseFloors(hasJustStarted, floors);
      hasJustStarted = false;
      synchronized (this) {
        isUp = true;
      }
      raiseFloors(false, floors); // above the stamps that this node gave in between
      Map<String, Long> stamps = countAll();
      tellOthers();
      tellOwn(stamps);
      warnOfPolicy();
      found.run();
      synchronized (this) {
        isToldLost = !isUp;
        isMended = isUp;
      }
      LOGGER.log(Level.INFO, "event=redis-found node={0} users={1,number,#}", node, stamps.size());
    } catch (RuntimeException e) {
      mustMend = true;
      throw e;
    }
  }

  private void warnOfPolicy() {
    IntStream.range(0, server.shards())
        .mapToObj(shard -> RedisLink.await(commands.policy(shard)))
        .filter(policy -> !policy.isEmpty())
        .findFirst()
        .ifPresent(policy -> LOGGER.log(Level.WARNING, "event=redis-may-evict policy={0}", policy));
  }

  /// Raises the floors of those shards of which this node has given higher stamps.
  ///
  /// @param isStart whether all of them may stay, where other nodes live
  private void raiseFloors(boolean isStart, long[] floors) {
    for (int shard = 0; shard < server.shards(); shard++) {
      long highest = highestStamps.get(shard);
      if (floors[shard] == 0 || highest > floors[shard]) {
        floors[shard] = RedisLink.await(commands.mend(shard, highest, isStart));
        seen(shard, floors[shard]);
      }
    }
  }

  /// Says anew which streams this node holds.
  ///
  /// @return the last stamps of their users
  private Map<String, Long> countAll() {
    Subscriber holder = subscriber;
    Map<String, Long> stamps = new HashMap<>();
    List<String> users = holder == null ? List.of() : holder.users();
    for (List<String> some : chunks(users)) {
      stamps.putAll(answers(some, this::askToCount));
      renewLeases();
    }
    return stamps;
  }

  /// Pokes those whom other nodes have not heard of.
  private void tellOthers() {
    List<Turn> turns;
    boolean isMore;
    synchronized (this) {
      isMore = hasMoreThanNoted;
    }
    if (isMore) {
      RedisLink.await(commands.tellAll(MEND + " " + node));
    }
    synchronized (this) { // Redis is there, so nobody is noted in between
      hasMoreThanNoted = false;
      turns = noted.stream().map(userId -> new Turn(userId, Duration.ZERO)).toList();
      noted.clear();
    }
    for (List<Turn> some : chunks(turns)) {
      poke(some);
      renewLeases();
    }
  }

  /// Brings every stream of this node a `sync`.
  private void tellOwn(Map<String, Long> stamps) {
    Subscriber holder = subscriber;
    if (holder == null) {
      return;
    }
    List<String> users = new ArrayList<>(stamps.keySet());
    Collections.shuffle(users);
    Duration window = Spread.window(holder.connections());
    long now = System.nanoTime();
    for (int i = 0; i < users.size(); i++) {
      String userId = users.get(i);
      deliver(
          new Poke(userId, EPOCH, stamps.getOrDefault(userId, 0L), now),
          Spread.turn(window, i, users.size()));
    }
  }

  @Override
  public void close() {
    isClosed = true;
    keeper.interrupt();
    try {
      if (isUp) {
        tellOthers();
        for (int shard = 0; shard < server.shards(); shard++) {
          RedisLink.await(commands.leave(shard));
        }
      }
    } catch (RedisUnavailableException _) {
      // the lease ends by itself
    }
    synchronized (this) {
      if (!noted.isEmpty()) {
        LOGGER.log(
            Level.WARNING,
            "event=pokes-lost users={0,number,#} reason=\"other nodes were not told\"",
            noted.size());
      }
    }
    abandon();
  }

  /// Ends what the bus runs, without a word to the other nodes, as a crash does.
  void abandon() {
    isClosed = true;
    keeper.interrupt();
    subscriptions.forEach(Subscription::close);
    commands.close();
  }
}
