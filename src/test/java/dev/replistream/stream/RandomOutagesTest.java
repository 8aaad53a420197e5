package dev.replistream.stream;

import dev.replistream.Eventually;
import dev.replistream.LogCapture;
import dev.replistream.Rounds;
import dev.replistream.ServerSentEvent;
import dev.replistream.nodes.RedisNode;
import dev.replistream.nodes.TestRedis;
import dev.replistream.poke.TcpProxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Random histories of three nodes, of clients that come and go between them, and of pokes, while
/// any node loses Redis and finds it again, and Redis dies, hangs and forgets. The manager, the
/// sessions, the buses and Redis are the real ones. The properties `histories` and `seed` let it
/// run longer, and again.
class RandomOutagesTest {
  private static final int NODES = 3;
  private static final int USERS = 4;
  private static final int CLIENTS = 12;
  private static final int STEPS = 10;

  /// Each begins with what the one before has left.
  private static final int HISTORIES = Integer.getInteger("histories", Rounds.of(2, 40));

  /// Within which every client that missed a poke has to be told, once all is well again.
  private static final Duration REPAIR = Duration.ofSeconds(10);

  private final List<Node> nodes = new ArrayList<>();
  private final List<Client> clients = new ArrayList<>();
  private final long[] poked = new long[USERS]; // by System.nanoTime
  private final List<String> history = new ArrayList<>();
  private final long seed = Long.getLong("seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);
  private TestRedis redis;
  private boolean isSuspended;

  private static final class Node {
    private final TcpProxy way;
    private final RedisNode redisNode;
    private final MemoryService service;

    Node(TestRedis redis) {
      way = new TcpProxy(redis.port());
      redisNode = new RedisNode("redis://127.0.0.1:" + way.port(), "test");
      service = new MemoryService(redisNode.bus(), redisNode.nodes());
      redisNode.start();
    }

    void close() {
      service.close();
      redisNode.close();
      way.close();
    }
  }

  /// A client with the memory of an EventSource. Driven by the test's thread; a thread of its own
  /// reads.
  private static final class Client {
    private final int user;
    private @Nullable MemoryConnection connection;
    private @Nullable Thread reader;
    private volatile String lastEventId = "";
    private volatile long pulled; // by System.nanoTime

    Client(int user) {
      this.user = user;
    }

    boolean isConnected() {
      return connection != null;
    }

    void connect(Node node) {
      boolean isNew = lastEventId.isEmpty();
      MemoryConnection memory = node.service.open("user-" + user, lastEventId);
      connection = memory;
      reader = Thread.startVirtualThread(() -> read(memory, isNew));
    }

    private void read(MemoryConnection from, boolean isNew) {
      while (!from.hasEnded()) {
        ServerSentEvent event = from.poll(Duration.ofMillis(20));
        if (event != null) {
          if (event.data().equals("sync") || (isNew && event.data().equals("connected"))) {
            pulled = System.nanoTime();
          }
          lastEventId = event.lastEventId();
        }
      }
    }

    void disconnect() throws InterruptedException {
      MemoryConnection open = connection;
      Thread reading = reader;
      if (open != null && reading != null) {
        open.close();
        reading.join();
        connection = null;
      }
    }
  }

  @BeforeEach
  void start() {
    redis = TestRedis.start();
    for (int i = 0; i < NODES; i++) {
      nodes.add(new Node(redis));
    }
    for (int i = 0; i < CLIENTS; i++) {
      clients.add(new Client(i % USERS));
    }
  }

  @AfterEach
  void stop() throws InterruptedException {
    for (Client client : clients) {
      client.disconnect();
    }
    nodes.forEach(Node::close);
    redis.close();
  }

  @Test
  void whoIsConnectedWhenAllIsWellAgainHasBeenToldOfEachPoke() throws InterruptedException {
    try (LogCapture _ = new LogCapture()) {
      for (int i = 0; i < HISTORIES; i++) {
        history.add("seed " + seed + ", history " + i);
        for (int step = 0; step < STEPS; step++) {
          step();
        }
        heal();
        for (Client client : clients) {
          if (client.isConnected()) {
            Eventually.holdsWithin(
                REPAIR,
                "client %d is told%n%s"
                    .formatted(clients.indexOf(client), String.join("\n", history)),
                () -> client.pulled - poked[client.user] > 0);
          }
        }
      }
    }
  }

  private void step() throws InterruptedException {
    int number = random.nextInt(NODES);
    Node node = nodes.get(number);
    switch (random.nextInt(20)) {
      case 0 -> {
        history.add("cut " + number);
        node.way.cut();
      }
      case 1 -> {
        history.add("cut all");
        nodes.forEach(each -> each.way.cut());
      }
      case 2 -> {
        history.add("silence " + number);
        node.way.silence();
      }
      case 3, 4 -> {
        history.add("restore " + number);
        node.way.restore();
      }
      case 5 -> {
        history.add("Redis dies");
        redis.kill();
        redis.restart();
        isSuspended = false;
      }
      case 6 -> {
        if (!isSuspended) {
          history.add("Redis forgets");
          redis.empty();
        }
      }
      case 7 -> {
        history.add("Redis hangs: " + !isSuspended);
        suspend(!isSuspended);
      }
      case 8 -> heal();
      case 9, 10, 11 -> LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(700)));
      case 12, 13, 14 -> comeOrGo(random.nextInt(CLIENTS), number);
      default -> {
        int user = random.nextInt(USERS);
        poked[user] = System.nanoTime();
        history.add("poke of user " + user + " by " + number);
        node.service.poke("user-" + user);
      }
    }
  }

  private void suspend(boolean isToHang) {
    isSuspended = isToHang;
    if (isToHang) {
      redis.suspend();
    } else {
      redis.resume();
    }
  }

  private void comeOrGo(int number, int node) throws InterruptedException {
    Client client = clients.get(number);
    if (client.isConnected()) {
      client.disconnect();
      history.add("client " + number + " goes with " + client.lastEventId);
    } else {
      client.connect(nodes.get(node));
      history.add(
          "client %d of user %d comes to %d with %s"
              .formatted(number, client.user, node, client.lastEventId));
    }
  }

  private void heal() {
    history.add("heal");
    suspend(false);
    nodes.forEach(node -> node.way.restore());
    Eventually.holdsWithin(
        REPAIR,
        "all are well " + history,
        () -> nodes.stream().allMatch(n -> n.redisNode.bus().isAvailable()));
    history.add(Arrays.toString(poked));
  }
}
