package dev.replistream.nodes;

import dev.replistream.json.Json;
import dev.replistream.nodes.RedisCommands.Stamped;
import dev.replistream.poke.EventId;
import dev.replistream.poke.Poke;
import dev.replistream.poke.PokeBus;
import dev.replistream.poke.PokeCounters;
import dev.replistream.poke.RecentPokes;
import dev.replistream.poke.Spread;
import io.helidon.metrics.api.MeterRegistry;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// The bus of many nodes, which meet in Redis.
///
/// Redis stamps a poke, looks up which nodes hold streams of the user, and sends it to those, in
/// one script; this node brings it to its own streams.
///
/// **While Redis is away** pokes go to this node's own streams, with ids of an epoch that no other
/// node knows, and the users are noted. A {@link RedisKeeper} pokes them when it is back.
///
/// Thread-safe. It waits for Redis as {@link RedisConnection} says.
public final class RedisPokeBus implements PokeBus {
  private static final Logger LOGGER = System.getLogger(RedisPokeBus.class.getName());

  /// The epoch of the stamps that Redis gives.
  private static final String EPOCH = "r";

  private final RedisConnection redis;
  private final RedisServer server;
  private final RedisCommands commands;
  private final Outage outage;
  private final RedisNodes nodes;
  private final PokeCounters counters;
  private final RecentPokes recent = new RecentPokes();
  private volatile @Nullable Subscriber subscriber;

  /// A bus without a subscriber.
  ///
  /// @param nodes knows how many connections there are
  public RedisPokeBus(RedisConnection redis, RedisNodes nodes, MeterRegistry registry) {
    this.redis = redis;
    this.server = redis.server();
    this.commands = redis.commands();
    this.outage = redis.outage();
    this.nodes = nodes;
    this.counters = new PokeCounters(registry);
  }

  @Override
  public void subscribe(Subscriber holder) {
    subscriber = holder;
  }

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
        return deliver(poke(userId, redis.node(), stamp), delay);
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
    Duration window = Spread.window(others.size() == 1 ? 0 : nodes.connections(others));
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

  /// Brings a poke that another node stamped to this node's streams.
  void received(String userId, long stamp, Duration delay) {
    deliver(poke(userId, EPOCH, stamp), delay);
  }

  /// Brings the last poke of a user to this node's streams once more.
  void repeat(String userId, long stamp, Duration delay) {
    deliver(new Poke(userId, EPOCH, stamp, System.nanoTime()), delay);
  }

  @Override
  public EventId latest(String userId) {
    int shard = server.shardOf(userId);
    return redis.whileUp(
        () -> {
          long stamp = RedisLink.await(commands.latest(userId));
          outage.seen(shard, stamp);
          return new EventId(EPOCH, stamp);
        },
        // whatever the client has seen, it may have missed something
        () -> new EventId(redis.node(), outage.highestStamp(shard)));
  }

  @Override
  public Optional<Duration> pulled(String userId) {
    return recent.pulled(userId);
  }

  @Override
  public boolean mayBlock() {
    return true;
  }

  @Override
  public boolean isAvailable() {
    return outage.isOver();
  }
}
