package dev.replistream.nodes;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// What a node asks Redis: the scripts with their keys and arguments, and what they answer. Each
/// answer is on its way when a method returns, and fails with a {@link RedisUnavailableException}
/// or what caused it.
///
/// Thread-safe.
final class RedisCommands implements AutoCloseable {
  /// The message by which a node lets all others recover.
  static final String RECOVER = "mend"; // as nodes of the releases before say it

  /// How many questions of one caller's wait for their answers at once.
  private static final int AT_ONCE = 1_000;

  private static final Duration LEASE = Duration.ofSeconds(5);

  /// How many users' last pokes a generation of a shard's cursor remembers.
  private static final int GENERATION = 500_000;

  private final RedisServer server;
  private final List<RedisLink> links; // by shard
  private final String node;

  /// @param node who asks
  RedisCommands(RedisServer server, String node) {
    this.server = server;
    this.links = Stream.generate(() -> new RedisLink(server)).limit(server.shards()).toList();
    this.node = node;
  }

  /// What is asked for at once, one part after the other.
  static <T> List<List<T>> parts(List<T> all) {
    return IntStream.iterate(0, from -> from < all.size(), from -> from + AT_ONCE)
        .mapToObj(from -> all.subList(from, Math.min(all.size(), from + AT_ONCE)))
        .toList();
  }

  /// The answers for some users, who are all asked for before the first answer is waited for.
  static <T> Map<String, T> answers(
      List<String> userIds, Function<String, CompletableFuture<T>> ask) {
    Map<String, CompletableFuture<T>> asked = new HashMap<>();
    userIds.forEach(userId -> asked.put(userId, ask.apply(userId)));
    Map<String, T> answers = new HashMap<>();
    asked.forEach((userId, answer) -> answers.put(userId, RedisLink.await(answer)));
    return answers;
  }

  void start() {
    links.forEach(RedisLink::start);
  }

  /// How a poke was stamped.
  ///
  /// @param elsewhere how many streams of the user other nodes hold, which are told
  record Stamped(long stamp, int elsewhere) {}

  /// Stamps a poke, and sends it to the other nodes that hold streams of the user.
  ///
  /// @param delay after which those deliver it
  CompletableFuture<Stamped> poke(String userId, Duration delay) {
    return ask(
        RedisScript.POKE,
        userId,
        List.of(Long.toString(delay.toMillis()), Integer.toString(GENERATION), server.publish()),
        answer -> new Stamped(number(answer, 0), Math.toIntExact(number(answer, 1))));
  }

  /// Counts one connection more, if the user may have it.
  ///
  /// @param nth how many the user has on this node then
  /// @param max how many the user may have on all
  CompletableFuture<Boolean> join(String userId, int nth, int max, long sinceMillis) {
    return ask(
        RedisScript.JOIN,
        userId,
        List.of(Integer.toString(nth), Integer.toString(max), Long.toString(sinceMillis)),
        answer -> (Long) answer == 1);
  }

  /// What a node, or all others together, hold of a user.
  ///
  /// @param sinceMillis since when the user is present; -1 when it is not
  record Held(int connections, long sinceMillis) {}

  /// Says what this node holds of a user.
  ///
  /// @param held is asked when that is sent, so that the last word is the newest
  /// @return the user's last stamp
  CompletableFuture<Long> count(String userId, Supplier<Held> held) {
    int shard = server.shardOf(userId);
    return links
        .get(shard)
        .ask(
            RedisScript.COUNT,
            keys(shard, userId),
            () -> {
              Held now = held.get();
              return arguments(
                  shard,
                  userId,
                  List.of(Integer.toString(now.connections), Long.toString(now.sinceMillis)));
            },
            Long.class::cast);
  }

  /// The user's last stamp, or the latest that it can have been.
  CompletableFuture<Long> latest(String userId) {
    return ask(RedisScript.LATEST, userId, List.of(), Long.class::cast);
  }

  /// What the other nodes hold of a user.
  ///
  /// @return their connections, and since when the user is present on any node
  CompletableFuture<Held> elsewhere(String userId) {
    return ask(
        RedisScript.ELSEWHERE,
        userId,
        List.of(),
        answer -> new Held(Math.toIntExact(number(answer, 0)), number(answer, 1)));
  }

  /// What Redis says to a beat.
  ///
  /// @param isKnown whether the lease held until now, and no stamp was lost
  /// @param elsewhere how many connections the other nodes hold
  record Beat(boolean isKnown, int elsewhere) {}

  /// Renews the lease of a shard, and sends this node a message with the beat's number.
  CompletableFuture<Beat> beat(int shard, int connections, long highestStamp, long number) {
    return ask(
        RedisScript.BEAT,
        shard,
        List.of(
            Long.toString(LEASE.toMillis()),
            Integer.toString(connections),
            Long.toString(highestStamp),
            Long.toString(number),
            server.publish()),
        answer -> new Beat(number(answer, 0) == 1, Math.toIntExact(number(answer, 1))));
  }

  /// Raises the floor of a shard's stamps above all that were given.
  ///
  /// @param isStart whether the node has just started, so that the floor may stay where others live
  /// @return the floor
  CompletableFuture<Long> recover(int shard, long highestStamp, boolean isStart) {
    return ask(
        RedisScript.RECOVER,
        shard,
        List.of(Long.toString(highestStamp), isStart ? "1" : "0", server.publish()),
        Long.class::cast);
  }

  /// Sends a message to all nodes, this one too.
  CompletableFuture<Long> tellAll(String message) {
    return publish("all", message);
  }

  /// Lets all other nodes recover.
  CompletableFuture<Long> letAllMend() {
    return tellAll(RECOVER + " " + node);
  }

  /// Sends a message to one node.
  CompletableFuture<Long> tell(String other, String message) {
    return publish("node:" + other, message);
  }

  private CompletableFuture<Long> publish(String channel, String message) {
    return ask(RedisScript.TELL, 0, List.of(channel, message, server.publish()), Long.class::cast);
  }

  /// Sends a question to the other nodes that hold streams of a user.
  ///
  /// @param number what they answer to
  /// @return how many those are
  CompletableFuture<Integer> askOthers(String userId, long number, String text) {
    return ask(
        RedisScript.ASK,
        userId,
        List.of(Long.toString(number), text, server.publish()),
        answer -> Math.toIntExact((Long) answer));
  }

  /// Notes a user's new ticket among the user's latest.
  ///
  /// @param max how many those are
  /// @return the ticket that is none of them any more
  CompletableFuture<Optional<String>> issue(String userId, String ticket, int max, Duration life) {
    int shard = server.shardOf(userId);
    return ask(
        RedisScript.ISSUE,
        shard,
        keysAnd(shard, "tickets:" + userId),
        List.of(ticket, Integer.toString(max), Long.toString(life.toSeconds() + 1)),
        answer -> Optional.ofNullable((String) answer));
  }

  /// Keeps something for a while.
  CompletableFuture<Long> keep(String name, String text, Duration life) {
    int shard = server.shardOf(name);
    return ask(
        RedisScript.KEEP,
        shard,
        keysAnd(shard, "ticket:" + name),
        List.of(text, Long.toString(Math.max(1, life.toMillis()))),
        Long.class::cast);
  }

  /// Takes what was kept, so that it is gone.
  CompletableFuture<Optional<String>> take(String name) {
    int shard = server.shardOf(name);
    return ask(
        RedisScript.TAKE,
        shard,
        keysAnd(shard, "ticket:" + name),
        List.of(),
        answer -> Optional.ofNullable((String) answer));
  }

  /// By which policy the server of a shard takes away what it holds; empty where it does not.
  CompletableFuture<String> policy(int shard) {
    return ask(RedisScript.POLICY, shard, List.of(), String.class::cast);
  }

  /// Gives up the lease of a shard.
  CompletableFuture<Long> leave(int shard) {
    return ask(RedisScript.LEAVE, shard, List.of(server.publish()), Long.class::cast);
  }

  /// Asks about a user.
  private <T> CompletableFuture<T> ask(
      RedisScript script, String userId, List<String> more, Function<Object, T> read) {
    int shard = server.shardOf(userId);
    return links
        .get(shard)
        .ask(script, keys(shard, userId), () -> arguments(shard, userId, more), read);
  }

  /// Asks about a shard as a whole.
  private <T> CompletableFuture<T> ask(
      RedisScript script, int shard, List<String> more, Function<Object, T> read) {
    return ask(script, shard, keys(shard, ""), more, read);
  }

  private <T> CompletableFuture<T> ask(
      RedisScript script,
      int shard,
      List<String> keys,
      List<String> more,
      Function<Object, T> read) {
    return links.get(shard).ask(script, keys, () -> arguments(shard, "", more), read);
  }

  private List<String> keys(int shard, String userId) {
    String prefix = server.prefix(shard);
    return List.of(prefix + "cursor", prefix + "young", prefix + "old", prefix + "user:" + userId);
  }

  private List<String> keysAnd(int shard, String key) {
    List<String> keys = new ArrayList<>(keys(shard, ""));
    keys.add(server.prefix(shard) + key);
    return keys;
  }

  private List<String> arguments(int shard, String userId, List<String> more) {
    List<String> arguments = new ArrayList<>(3 + more.size());
    arguments.add(server.prefix(shard));
    arguments.add(node);
    arguments.add(userId);
    arguments.addAll(more);
    return arguments;
  }

  private static long number(Object answer, int place) {
    return (Long) ((List<?>) answer).get(place);
  }

  @Override
  public void close() {
    links.forEach(RedisLink::close);
  }
}
