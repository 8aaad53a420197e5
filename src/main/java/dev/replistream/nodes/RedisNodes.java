package dev.replistream.nodes;

import dev.replistream.nodes.RedisCommands.Held;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/// Nodes that meet in Redis. A node's word on what it holds counts as long as its lease, which
/// {@link RedisKeeper} renews. While Redis is away a node speaks of itself alone.
///
/// Thread-safe.
public final class RedisNodes implements Nodes {
  private static final Logger LOGGER = System.getLogger(RedisNodes.class.getName());

  private final RedisConnection redis;
  private final RedisServer server;
  private final RedisCommands commands;
  private final Outage outage;
  private final int maxConnectionsPerUser;
  private final ConcurrentMap<String, Consumer<String>> listeners = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, UnaryOperator<String>> answerers = new ConcurrentHashMap<>();
  private final PendingAnswers pending = new PendingAnswers();
  private volatile Runnable topologyListener = () -> {};
  private volatile LocalUsers local = LocalUsers.NOBODY;
  private volatile int connectionsElsewhere;

  /// @param maxConnectionsPerUser how many connections a user may have on all nodes together
  public RedisNodes(RedisConnection redis, int maxConnectionsPerUser) {
    this.redis = redis;
    this.server = redis.server();
    this.commands = redis.commands();
    this.outage = redis.outage();
    this.maxConnectionsPerUser = maxConnectionsPerUser;
  }

  @Override
  public void register(LocalUsers users) {
    local = users;
  }

  /// What this node holds.
  LocalUsers local() {
    return local;
  }

  // ---- who holds what

  @Override
  public boolean join(String userId, int nth) {
    return redis.whileUp(
        () -> {
          boolean mayJoin =
              RedisLink.await(
                  commands.join(
                      userId, nth, maxConnectionsPerUser, local.presentSinceMillis(userId)));
          if (mayJoin && local.connections(userId) != nth) {
            left(userId); // others came or left meanwhile: count them as they are now
          }
          return mayJoin;
        },
        () -> true); // within the limit of this node; counted when Redis is back
  }

  @Override
  public void left(String userId) {
    if (outage.isUp()) {
      redis.watch(askToCount(userId));
    }
  }

  /// Says what this node holds of a user.
  ///
  /// @return the user's last stamp
  CompletableFuture<Long> askToCount(String userId) {
    int shard = server.shardOf(userId);
    return commands
        .count(userId, () -> new Held(local.connections(userId), local.presentSinceMillis(userId)))
        .thenApply(stamp -> {
          // other nodes may have raised the floor; while Redis is away this node must stamp above
          // all that its streams were told
          outage.seen(shard, stamp);
          return stamp;
        });
  }

  @Override
  public int connections(String userId) {
    return connections(List.of(userId));
  }

  /// How many connections some users have, wherever they are, as far as that is known.
  int connections(Collection<String> userIds) {
    return userIds.stream().mapToInt(local::connections).sum()
        + heldElsewhere(userIds).values().stream().mapToInt(Held::connections).sum();
  }

  @Override
  public int connections() {
    int own = local.connections();
    return outage.isUp() ? own + connectionsElsewhere : own;
  }

  /// Takes note of how many connections the other nodes hold.
  void connectionsElsewhere(int count) {
    connectionsElsewhere = count;
  }

  @Override
  public Map<String, Present> elsewhere(Collection<String> userIds) {
    Map<String, Present> present = new HashMap<>();
    heldElsewhere(userIds)
        .forEach((userId, held) -> {
          if (held.sinceMillis() >= 0) {
            present.put(
                userId, new Present(held.connections(), Instant.ofEpochMilli(held.sinceMillis())));
          }
        });
    return present;
  }

  /// What other nodes hold of some users, as far as that is known.
  private Map<String, Held> heldElsewhere(Collection<String> userIds) {
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

  // ---- messages

  @Override
  public void tell(String topic, String text) {
    if (outage.isUp()) {
      redis.watch(commands.tellAll("tell " + redis.node() + " " + topic + " " + text));
    }
  }

  @Override
  public void listen(String topic, Consumer<String> listener) {
    listeners.put(topic, listener);
  }

  /// Another node tells something.
  void told(String topic, String text) {
    Consumer<String> listener = listeners.getOrDefault(topic, _ -> {});
    aside(() -> listener.accept(text));
  }

  @Override
  public Answers ask(String userId, String topic, String text) {
    return redis.whileUp(
        () -> {
          Answers answers =
              pending.ask(number ->
                  RedisLink.await(commands.askOthers(userId, number, topic + " " + text)));
          return new Answers(answers.texts(), answers.isComplete() && outage.isOver());
        },
        () -> new Answers(List.of(), false));
  }

  @Override
  public void answer(String topic, UnaryOperator<String> answerer) {
    answerers.put(topic, answerer);
  }

  /// Another node asks something.
  ///
  /// @param number what it is to be answered to
  void asked(String other, String number, String topic, String text) {
    UnaryOperator<String> answerer = answerers.get(topic);
    if (answerer != null) {
      aside(() -> {
        if (outage.isUp()) {
          redis.watch(commands.tell(other, "answer " + number + " " + answerer.apply(text)));
        }
      });
    }
  }

  /// Another node answers what this one asked.
  void answered(long number, String text) {
    pending.answered(number, text);
  }

  @Override
  public void onTopologyChange(Runnable listener) {
    topologyListener = listener;
  }

  /// Nodes have met again, or one has gone.
  void topologyChanged() {
    aside(topologyListener);
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
}
