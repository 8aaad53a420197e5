package dev.replistream.nodes;

import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// What other nodes send to this one, of one shard: a thread that reads from a connection of its
/// own, and opens another one when that ends.
///
/// Thread-safe. Its consumer is called on its thread and must not wait.
final class Subscription implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(Subscription.class.getName());
  private static final Duration PAUSE = Duration.ofMillis(200);
  private static final String BEAT = "beat ";

  private final RedisServer server;
  private final int shard;
  private final List<String> channels;
  private final Consumer<String> messages;
  private final Runnable brokeOff;
  private final Thread thread;
  private volatile @Nullable Closeable connection;
  private volatile boolean isClosed;
  // guarded by this
  private boolean isReady;
  private long lastBeat;

  /// @param messages takes what comes on the node's channel and on that of all nodes
  /// @param brokeOff is told when the connection has ended, so that something may not have come
  Subscription(
      RedisServer server, int shard, String node, Consumer<String> messages, Runnable brokeOff) {
    this.server = server;
    this.shard = shard;
    this.channels = List.of(server.prefix(shard) + "node:" + node, server.prefix(shard) + "all");
    this.messages = messages;
    this.brokeOff = brokeOff;
    this.thread = Thread.ofPlatform().daemon().name("redis-subscription").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  private void run() {
    while (!isClosed) {
      try {
        server.listen(shard, channels, new Incoming());
      } catch (RuntimeException e) {
        LOGGER.log(Level.DEBUG, "event=redis-subscription-lost", e);
      } finally {
        connection = null;
        if (ready(false)) {
          brokeOff.run();
        }
      }
      try {
        Thread.sleep(PAUSE);
      } catch (InterruptedException _) {
        return; // closed
      }
    }
  }

  private final class Incoming implements RedisServer.Listener {
    @Override
    public void connected(Closeable end) {
      connection = end;
      if (isClosed) {
        reconnect();
      }
    }

    @Override
    public void subscribed(int count) {
      var _ = ready(count == channels.size());
    }

    @Override
    public void received(String message) {
      if (message.startsWith(BEAT)) {
        beat(Long.parseLong(message.substring(BEAT.length())));
      } else {
        messages.accept(message);
      }
    }
  }

  private synchronized void beat(long number) {
    lastBeat = number;
    notifyAll();
  }

  /// @return whether it was ready before
  private synchronized boolean ready(boolean value) {
    boolean before = isReady;
    isReady = value;
    notifyAll();
    return before;
  }

  /// Waits until what is sent to this node comes.
  ///
  /// @return false when it did not in time
  synchronized boolean awaitReady(Duration timeout) throws InterruptedException {
    return await(() -> isReady, timeout);
  }

  /// Waits until a beat that was sent to this node has come, and with it everything that was sent
  /// before it while the connection stood.
  ///
  /// @return false when it did not come in time
  synchronized boolean awaitBeat(long number, Duration timeout) throws InterruptedException {
    return await(() -> lastBeat >= number, timeout);
  }

  private boolean await(BooleanSupplier condition, Duration timeout) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (!condition.getAsBoolean()) {
      long leftMillis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      if (leftMillis <= 0) {
        return false;
      }
      wait(leftMillis);
    }
    return true;
  }

  /// Gives up the connection, for another one.
  void reconnect() {
    Closeable current = connection;
    if (current != null) {
      try {
        current.close();
      } catch (IOException | RuntimeException _) {
        // it is of no use any more
      }
    }
  }

  @Override
  public void close() {
    isClosed = true;
    thread.interrupt();
    reconnect();
  }
}
