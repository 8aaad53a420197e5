package dev.replistream.nodes;

import dev.replistream.nodes.RedisCommands.Beat;
import dev.replistream.nodes.RedisPokeBus.Turn;
import dev.replistream.poke.Spread;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

/// Holds a node's connection to Redis open: listens to what other nodes send, renews the node's
/// lease twice a second, and repairs what an outage has left.
///
/// When Redis is back (or this node was cut off from it, or it lost what it knew) the node
///
/// 1. raises the floor of all users' stamps, so that every client that comes back with an older id
///    pulls once (but not where it has just started beside others, as in a rolling restart),
/// 2. says anew what streams it holds,
/// 3. pokes the users that were noted meanwhile, for the other nodes,
/// 4. brings every stream of its own one `sync`, spread as a room's pokes are.
///
/// It owns a thread, of the system's: see {@link RedisLink}. Its methods are for who owns it.
public final class RedisKeeper implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(RedisKeeper.class.getName());
  private static final Duration BEAT = Duration.ofMillis(500);

  /// How long a message to itself may take.
  private static final Duration PATIENCE = Duration.ofMillis(1_400);

  private static final Duration COUNTS_RENEWED = Duration.ofMinutes(30);

  private final RedisConnection redis;
  private final RedisNodes nodes;
  private final RedisPokeBus bus;
  private final int shards;
  private final RedisCommands commands;
  private final Outage outage;
  private final List<Subscription> subscriptions; // one a shard
  private final Thread thread;
  private boolean hasJustStarted = true; // of the thread alone
  private volatile boolean isClosed;

  /// Keeps a node whose connection has not been opened.
  ///
  /// @param nodes tells what this node holds
  /// @param bus pokes
  public RedisKeeper(RedisConnection redis, RedisNodes nodes, RedisPokeBus bus) {
    this.redis = redis;
    this.nodes = nodes;
    this.bus = bus;
    this.shards = redis.server().shards();
    this.commands = redis.commands();
    this.outage = redis.outage();
    RedisMessages messages = new RedisMessages(redis, nodes, bus);
    this.subscriptions =
        IntStream.range(0, shards)
            .mapToObj(shard ->
                new Subscription(
                    redis.server(), shard, redis.node(), messages::received, this::brokeOff))
            .toList();
    this.thread = Thread.ofPlatform().daemon().name("redis-keeper").unstarted(this::run);
  }

  /// Begins to look for Redis, once it is known who holds the streams of this node.
  public void start() {
    commands.start();
    subscriptions.forEach(Subscription::start);
    thread.start();
  }

  /// What was sent to this node since may be lost.
  private void brokeOff() {
    outage.begins(new RedisUnavailableException("its messages broke off"));
  }

  private void run() {
    long renewed = System.nanoTime();
    long beat = 0;
    while (!isClosed) {
      try {
        beat(++beat);
        if (outage.mustMend()) {
          recover();
        } else if (System.nanoTime() - renewed > COUNTS_RENEWED.toNanos()) {
          renewed = System.nanoTime();
          countAll();
        }
      } catch (RedisUnavailableException e) {
        outage.begins(e);
      } catch (InterruptedException _) {
        return; // closed
      } catch (Throwable e) { // without this thread the lease would end
        outage.begins(e);
        LOGGER.log(Level.ERROR, "event=error where=redis-keeper", e);
      }
      try {
        if (outage.awaitWakeup(BEAT)) {
          Thread.sleep(BEAT.dividedBy(5)); // not at once: an outage may last
        }
      } catch (InterruptedException _) {
        return; // closed
      }
    }
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
      nodes.connectionsElsewhere(beat.elsewhere());
      if (!beat.isKnown()) {
        outage.forgotten();
      }
    }
    for (Subscription subscription : subscriptions) {
      if (!subscription.awaitBeat(number, PATIENCE)) {
        subscription.reconnect();
        throw new RedisUnavailableException("its messages don't come");
      }
    }
  }

  /// Keeps the leases while more is to be done than one beat takes.
  private void renewLeases() {
    for (CompletableFuture<Beat> each : askToBeat(0)) {
      nodes.connectionsElsewhere(RedisLink.await(each).elsewhere());
    }
  }

  private List<CompletableFuture<Beat>> askToBeat(long number) {
    int own = nodes.local().connections();
    List<CompletableFuture<Beat>> asked = new ArrayList<>();
    for (int shard = 0; shard < shards; shard++) {
      asked.add(commands.beat(shard, own, outage.highestStamp(shard), number));
    }
    return asked;
  }

  private void recover() {
    outage.recovering();
    try {
      long[] floors = new long[shards];
      raiseFloors(hasJustStarted, floors);
      hasJustStarted = false;
      outage.up();
      raiseFloors(false, floors); // above the stamps that this node gave in between
      Map<String, Long> stamps = countAll();
      tellOthers();
      tellOwn(stamps);
      warnOfPolicy();
      nodes.topologyChanged();
      outage.recovered();
      LOGGER.log(
          Level.INFO,
          "event=redis-ready node={0} users={1}",
          redis.node(),
          String.valueOf(stamps.size()));
    } catch (RuntimeException e) {
      outage.notMended();
      throw e;
    }
  }

  /// Raises the floors of those shards of which this node has given higher stamps.
  ///
  /// @param isStart whether all of them may stay, where other nodes live
  private void raiseFloors(boolean isStart, long[] floors) {
    for (int shard = 0; shard < shards; shard++) {
      long highest = outage.highestStamp(shard);
      if (floors[shard] == 0 || highest > floors[shard]) {
        floors[shard] = RedisLink.await(commands.recover(shard, highest, isStart));
        outage.seen(shard, floors[shard]);
      }
    }
  }

  /// Says anew which streams this node holds.
  ///
  /// @return the last stamps of their users
  private Map<String, Long> countAll() {
    Map<String, Long> stamps = new HashMap<>();
    for (List<String> some : RedisCommands.parts(nodes.local().users())) {
      stamps.putAll(RedisCommands.answers(some, nodes::askToCount));
      renewLeases();
    }
    return stamps;
  }

  /// Pokes those whom other nodes have not heard of.
  private void tellOthers() {
    if (outage.hasMoreThanNoted()) {
      RedisLink.await(commands.letAllMend());
    }
    // Redis is there, so nobody is noted in between
    List<Turn> turns =
        outage.takeNoted().stream().map(userId -> new Turn(userId, Duration.ZERO)).toList();
    for (List<Turn> some : RedisCommands.parts(turns)) {
      bus.poke(some);
      renewLeases();
    }
  }

  /// Brings every stream of this node a `sync`.
  private void tellOwn(Map<String, Long> stamps) {
    List<String> users = new ArrayList<>(stamps.keySet());
    Collections.shuffle(users);
    Duration window = Spread.window(nodes.local().connections());
    for (int i = 0; i < users.size(); i++) {
      String userId = users.get(i);
      bus.repeat(userId, stamps.getOrDefault(userId, 0L), Spread.turn(window, i, users.size()));
    }
  }

  private void warnOfPolicy() {
    IntStream.range(0, shards)
        .mapToObj(shard -> RedisLink.await(commands.policy(shard)))
        .filter(policy -> !policy.isEmpty())
        .findFirst()
        .ifPresent(policy -> LOGGER.log(Level.WARNING, "event=redis-may-evict policy={0}", policy));
  }

  /// Tells the other nodes what they have not heard, gives up the lease, and ends what runs for the
  /// connection, after the last stream has ended.
  @Override
  public void close() {
    endThread();
    try {
      if (outage.isUp()) {
        tellOthers();
        for (int shard = 0; shard < shards; shard++) {
          RedisLink.await(commands.leave(shard));
        }
      }
    } catch (RedisUnavailableException _) {
      // the lease ends by itself
    }
    outage.warnOfNoted();
    abandon();
  }

  /// Ends what runs for the connection, without a word to the other nodes, as a crash does: the
  /// lease ends by itself.
  void abandon() {
    endThread();
    subscriptions.forEach(Subscription::close);
    commands.close();
  }

  private void endThread() {
    outage.close();
    isClosed = true;
    thread.interrupt();
  }
}
