package dev.replistream.stream;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.ServerSentEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// A random history: threads poke users while clients of theirs connect, read a little, lose the
/// connection and resume with the last id they read. It says whether each client was told of all
/// that happened since it first connected, and of nothing twice.
final class SyncScenario {
  /// What the clients talk to.
  interface Service {
    /// Opens a stream; nothing of it is read yet.
    Stream open(String userId, @Nullable String lastEventId);

    /// Pokes a user and returns how many streams were notified.
    int poke(String userId);
  }

  /// A client's end of a stream.
  interface Stream extends AutoCloseable {
    /// The next event, or null when none came in time.
    @Nullable ServerSentEvent poll(Duration timeout);

    @Override
    void close();

    /// A stream that is read by `poll` and closed by `close`.
    static Stream of(Function<Duration, @Nullable ServerSentEvent> poll, Runnable close) {
      return new Stream() {
        @Override
        public @Nullable ServerSentEvent poll(Duration timeout) {
          return poll.apply(timeout);
        }

        @Override
        public void close() {
          close.run();
        }
      };
    }
  }

  private static final int USERS = 2;
  private static final int POKERS = 3;
  private static final int POKES = 4;
  private static final int CLIENTS = 4;
  private static final Duration MOMENT = Duration.ofNanos(200_000);

  private final Service service;
  private final SplittableRandom random;
  private final String name;

  SyncScenario(Service service, long seed) {
    this.service = service;
    this.random = new SplittableRandom(seed);
    this.name = "seed " + seed;
  }

  void run() throws ExecutionException, InterruptedException {
    List<Client> clients =
        IntStream.range(0, CLIENTS)
            .mapToObj(i -> new Client("user-" + i % USERS, random.split()))
            .toList();
    try {
      meet(clients);
      clients.forEach(Client::catchUp);
      for (int i = 0; i < USERS; i++) {
        service.poke("user-" + i);
      }
      clients.forEach(Client::expectOneSyncMore);
    } finally {
      clients.forEach(Client::leave);
    }
  }

  private void meet(List<Client> clients) throws ExecutionException, InterruptedException {
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Client client : clients) {
        running.add(threads.submit(client::comeAndGo));
      }
      for (int i = 0; i < POKERS; i++) {
        SplittableRandom own = random.split();
        running.add(threads.submit(() -> poke(own)));
      }
      for (Future<?> each : running) {
        each.get();
      }
    }
  }

  private void poke(SplittableRandom own) {
    for (int i = 0; i < POKES; i++) {
      pause(own);
      service.poke("user-" + own.nextInt(USERS));
    }
  }

  @SuppressWarnings("ThreadPriorityCheck") // the point is to try other orders of events
  private static void pause(SplittableRandom own) {
    for (int i = own.nextInt(20); i > 0; i--) {
      Thread.yield();
    }
  }

  /// One client, across all its connections.
  private final class Client {
    private final String userId;
    private final SplittableRandom own;
    private @Nullable Stream stream;
    private @Nullable String lastEventId;
    private final List<String> history = new ArrayList<>();

    /// Up to which poke this client needs to be told no more; -1 before it ever connected.
    private long toldStamp = -1;

    /// The stamp of the last sync that it read; -1 before there was one.
    private long lastSyncStamp = -1;

    Client(String userId, SplittableRandom own) {
      this.userId = userId;
      this.own = own;
    }

    void comeAndGo() {
      for (int i = own.nextInt(5); i > 0; i--) {
        pause(own);
        Stream current = connect();
        for (int events = own.nextInt(4); events > 0; events--) {
          take(current.poll(MOMENT));
        }
        if (i > 1 || own.nextBoolean()) {
          leave();
        }
      }
    }

    private Stream connect() {
      history.add("connects with " + lastEventId);
      Stream opened = service.open(userId, lastEventId);
      stream = opened;
      return opened;
    }

    void leave() {
      if (stream != null) {
        stream.close();
        stream = null;
      }
    }

    /// Reads until it has been told of the latest poke.
    void catchUp() {
      long latest = latestStamp();
      Stream current = stream == null ? connect() : stream;
      long deadline = System.nanoTime() + HttpConnection.PATIENCE.toNanos();
      while (toldStamp < latest) {
        assertThat(System.nanoTime() - deadline)
            .as("%s: %s was not told of %d", this, userId, latest)
            .isNegative();
        take(current.poll(Duration.ofMillis(100)));
      }
    }

    /// How far a client is that connects now for the first time.
    private long latestStamp() {
      try (Stream probe = service.open(userId, null)) {
        ServerSentEvent connected = probe.poll(HttpConnection.PATIENCE);
        assertThat(connected).as(name).isNotNull();
        return connected == null ? -1 : connected.stamp();
      }
    }

    /// Reads the sync of the poke that came last. One poke may have been stamped before and
    /// delivered after the client first connected: that one it may hear of now.
    void expectOneSyncMore() {
      long before = toldStamp;
      Stream current = requireNonNull(stream);
      ServerSentEvent event = current.poll(HttpConnection.PATIENCE);
      for (;
          event != null && event.stamp() == before;
          event = current.poll(HttpConnection.PATIENCE)) {
        take(event);
      }
      take(event);
      assertThat(toldStamp).as("%s", this).isGreaterThan(before);
    }

    private void take(@Nullable ServerSentEvent event) {
      if (event == null) {
        return;
      }
      history.add(event.data() + " " + event.lastEventId());
      lastEventId = event.lastEventId();
      switch (event.data()) {
        case "connected" -> {
          if (toldStamp < 0) {
            toldStamp = event.stamp();
          }
          // an id ahead of the syncs would lose them with the connection
          assertThat(event.stamp()).as("%s", this).isLessThanOrEqualTo(toldStamp);
        }
        case "sync" -> {
          assertThat(event.stamp()).as("%s: told twice", this).isGreaterThan(lastSyncStamp);
          assertThat(event.stamp()).as("%s: told late", this).isGreaterThanOrEqualTo(toldStamp);
          lastSyncStamp = event.stamp();
          toldStamp = event.stamp();
        }
        case "ping" -> {}
        default -> throw new AssertionError(this + ": " + event);
      }
    }

    @Override
    public String toString() {
      return name + ", " + userId + " " + history;
    }
  }
}
