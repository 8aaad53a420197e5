package dev.replistream.nodes;

import java.io.Closeable;
import java.security.cert.CertificateException;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.pool2.impl.GenericObjectPoolConfig;
import redis.clients.jedis.Connection;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.JedisShardedPubSub;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.SslOptions;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.util.JedisClusterCRC16;

/// Redis as the nodes see it: shards, each with keys and channels of its own in one place. A single
/// server is one shard; a cluster has sixteen, which spread over its servers.
///
/// Thread-safe.
final class RedisServer {
  /// How long an answer may take, or a connection: a Redis that is away is noticed within it.
  private static final int TIMEOUT_MILLIS = 1_400;

  private static final int CLUSTER_SHARDS = 16;

  /// Errors that the settings are to blame for; the others (`LOADING`, `READONLY`, `CLUSTERDOWN`…)
  /// pass. `MOVED` is the answer of a cluster that is taken for one server.
  private static final Pattern REFUSAL =
      Pattern.compile("(?:ERR|NOAUTH|NOPERM|NOPROTO|WRONGPASS|MOVED) ");

  private final RedisUrl url;
  private final String prefix;
  private final int shards;

  RedisServer(RedisSettings settings) {
    this.url = settings.url();
    this.prefix = settings.prefix();
    this.shards = url.kind() == RedisUrl.Kind.CLUSTER ? CLUSTER_SHARDS : 1;
  }

  /// How many shards there are.
  int shards() {
    return shards;
  }

  /// The shard that a user belongs to.
  int shardOf(String userId) {
    return Math.floorMod(userId.hashCode(), shards);
  }

  /// What a shard's keys and channels begin with; the braces keep them in one slot.
  String prefix(int shard) {
    return prefix + ":{" + shard + "}:";
  }

  /// The command that publishes within the shard.
  String publish() {
    return url.kind() == RedisUrl.Kind.CLUSTER ? "SPUBLISH" : "PUBLISH";
  }

  private String subscribe() {
    return url.kind() == RedisUrl.Kind.CLUSTER ? "SSUBSCRIBE" : "SUBSCRIBE";
  }

  /// A new client with connections of its own.
  ///
  /// @throws redis.clients.jedis.exceptions.JedisException when sentinels or cluster are away
  UnifiedJedis open() {
    return switch (url.kind()) {
      case SINGLE, SENTINEL ->
          RedisClient.builder()
              .hostAndPort(master())
              .clientConfig(config())
              .poolConfig(pool())
              .build();
      case CLUSTER -> cluster(1);
    };
  }

  /// @param maxIdle how many connections to each server are kept while nobody uses them
  private RedisClusterClient cluster(int maxIdle) {
    GenericObjectPoolConfig<Connection> pool = pool();
    pool.setMaxIdle(maxIdle);
    return RedisClusterClient.builder()
        .nodes(hostSet())
        .clientConfig(config())
        .maxAttempts(1)
        .poolConfig(pool)
        .build();
  }

  private static GenericObjectPoolConfig<Connection> pool() {
    GenericObjectPoolConfig<Connection> pool = new GenericObjectPoolConfig<>();
    pool.setJmxEnabled(false);
    return pool;
  }

  /// The server to speak to where it is one at a time. Sentinels are asked each time, and end the
  /// connections to a master that they take the name from.
  private HostAndPort master() {
    if (url.kind() == RedisUrl.Kind.SINGLE) {
      return hosts().getFirst();
    }
    JedisException last = new JedisException("no sentinel");
    for (HostAndPort host : hosts()) {
      try (Jedis sentinel = new Jedis(host, anonymous().autoNegotiateProtocol(false).build())) {
        List<String> master = sentinel.sentinelGetMasterAddrByName(url.master().orElseThrow());
        if (master != null) {
          return new HostAndPort(master.get(0), Integer.parseInt(master.get(1)));
        }
        last = new JedisDataException("ERR the sentinels know no such master");
      } catch (JedisException e) {
        last = last instanceof JedisDataException ? last : e;
      }
    }
    throw last;
  }

  /// Why a node can't work with it, also later; empty where it can, or that is not known as the
  /// server is away.
  Optional<String> refusal() {
    try (UnifiedJedis client = open()) {
      for (int shard = 0; shard < shards; shard++) {
        Object missing =
            client.eval(
                RedisScript.CHECK,
                List.of(prefix(shard) + "cursor"),
                List.of(prefix(shard) + "all", publish(), subscribe()));
        if (!missing.equals("")) {
          return Optional.of("the user may not " + missing + " within " + prefix + ":*");
        }
      }
      return Optional.empty();
    } catch (JedisException e) {
      return refusal(e);
    }
  }

  /// What an exception, or what caused it, says that waiting does not cure.
  private static Optional<String> refusal(Throwable e) {
    String message = String.valueOf(e.getMessage());
    if ((e instanceof JedisDataException && REFUSAL.matcher(message).lookingAt())
        || e instanceof CertificateException) {
      return Optional.of(message.lines().findFirst().orElse(""));
    }
    return Stream.concat(Stream.ofNullable(e.getCause()), Arrays.stream(e.getSuppressed()))
        .map(RedisServer::refusal)
        .flatMap(Optional::stream)
        .findFirst();
  }

  /// Subscribes to channels of a shard on a connection of its own to the server that has it now,
  /// and hands over what comes until that ends.
  ///
  /// @throws redis.clients.jedis.exceptions.JedisException when it is away, or goes away
  void listen(int shard, List<String> channels, Listener listener) {
    if (url.kind() == RedisUrl.Kind.CLUSTER) {
      try (RedisClusterClient cluster = cluster(0);
          Connection connection =
              cluster.getConnectionFromSlot(JedisClusterCRC16.getSlot(prefix(shard)))) {
        listener.connected(connection::forceDisconnect);
        new JedisShardedPubSub() {
          @Override
          public void onSSubscribe(String channel, int count) {
            listener.subscribed(count);
          }

          @Override
          public void onSMessage(String channel, String message) {
            listener.received(message);
          }
        }.proceed(connection, channels.toArray(String[]::new));
      }
    } else {
      try (Connection connection = new Connection(master(), config())) {
        listener.connected(connection::forceDisconnect);
        new JedisPubSub() {
          @Override
          public void onSubscribe(String channel, int count) {
            listener.subscribed(count);
          }

          @Override
          public void onMessage(String channel, String message) {
            listener.received(message);
          }
        }.proceed(connection, channels.toArray(String[]::new));
      }
    }
  }

  /// What a subscription brings.
  interface Listener {
    /// There is a connection.
    ///
    /// @param end ends it, also where it hangs
    void connected(Closeable end);

    /// Another channel is subscribed to.
    ///
    /// @param count how many are now
    void subscribed(int count);

    /// A message came.
    void received(String message);
  }

  private JedisClientConfig config() {
    DefaultJedisClientConfig.Builder config = anonymous().database(url.database());
    url.user().ifPresent(config::user);
    url.password().ifPresent(config::password);
    return config.build();
  }

  private DefaultJedisClientConfig.Builder anonymous() {
    DefaultJedisClientConfig.Builder config =
        DefaultJedisClientConfig.builder()
            .connectionTimeoutMillis(TIMEOUT_MILLIS)
            .socketTimeoutMillis(TIMEOUT_MILLIS)
            .clientName("replistream");
    return url.isTls() ? config.sslOptions(SslOptions.defaults()) : config;
  }

  private List<HostAndPort> hosts() {
    return url.hosts().stream().map(host -> new HostAndPort(host.name(), host.port())).toList();
  }

  private Set<HostAndPort> hostSet() {
    return hosts().stream().collect(Collectors.toCollection(LinkedHashSet::new));
  }
}
