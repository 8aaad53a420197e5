package dev.replistream.nodes;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.Response;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisNoScriptException;

/// What this node asks Redis of one shard, on one connection: whoever asks waits, and what comes
/// meanwhile goes out together, so that a thousand callers cost Redis and this node few packets.
///
/// Its thread is one of the system's, as are all on whose turn the lease depends: where thousands
/// of clients come back at once, a virtual one would wait behind them.
///
/// Requests are run in the order in which they were asked, and their arguments are made when they
/// are sent. Thread-safe.
final class RedisLink implements AutoCloseable {
  private static final int MAX_BATCH = 512;

  /// How long anybody waits for an answer.
  private static final Duration PATIENCE = Duration.ofMillis(1_900);

  /// More than one burst brings; beyond it Redis can't keep up, and asking more makes it worse.
  private static final int MAX_WAITING = 200_000;

  private final RedisServer server;
  private final LinkedBlockingQueue<Request<?>> requests = new LinkedBlockingQueue<>(MAX_WAITING);
  private final Thread thread;
  private @Nullable UnifiedJedis client; // of the thread alone
  private volatile boolean isClosed;

  private static final class Request<T> {
    private final RedisScript script;
    private final List<String> keys;
    private final Supplier<List<String>> arguments;
    private final Function<Object, T> read;
    private final CompletableFuture<T> answer = new CompletableFuture<>();
    private @Nullable List<String> sent;
    private @Nullable Response<Object> response;

    Request(
        RedisScript script,
        List<String> keys,
        Supplier<List<String>> arguments,
        Function<Object, T> read) {
      this.script = script;
      this.keys = keys;
      this.arguments = arguments;
      this.read = read;
    }

    void send(AbstractPipeline pipeline) {
      sent = arguments.get();
      response = pipeline.evalsha(script.hash(), keys, sent);
    }

    /// Sends the text of a script that Redis does not know.
    ///
    /// @return whether it did not
    boolean sendText(AbstractPipeline pipeline) {
      if (response == null || sent == null) {
        return false;
      }
      try {
        response.get();
        return false;
      } catch (JedisNoScriptException _) {
        response = pipeline.eval(script.text(), keys, sent);
        return true;
      } catch (RuntimeException _) {
        return false; // told below
      }
    }

    /// @return whether there was an answer
    boolean complete() {
      try {
        if (response == null) {
          throw new RedisUnavailableException("not sent");
        }
        answer.complete(read.apply(response.get()));
        return true;
      } catch (RuntimeException e) {
        fail(e);
        return false;
      }
    }

    void fail(Throwable e) {
      answer.completeExceptionally(e);
    }
  }

  RedisLink(RedisServer server) {
    this.server = server;
    this.thread = Thread.ofPlatform().daemon().name("redis-link").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /// Asks for a script to be run.
  ///
  /// @param arguments makes the script's arguments when it is sent; must not wait
  /// @param read reads its answer
  /// @return what it answers; fails where that is not known
  <T> CompletableFuture<T> ask(
      RedisScript script,
      List<String> keys,
      Supplier<List<String>> arguments,
      Function<Object, T> read) {
    Request<T> request = new Request<>(script, keys, arguments, read);
    if (isClosed || !requests.offer(request)) {
      request.fail(new RedisUnavailableException(isClosed ? "closed" : "too many requests wait"));
    } else if (isClosed) {
      failAll(new RedisUnavailableException("closed"));
    }
    return request.answer;
  }

  /// Waits for an answer, also on a thread that is interrupted.
  ///
  /// @throws RedisUnavailableException where there is none in time; it may be done later
  static <T> T await(CompletableFuture<T> answer) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    boolean isInterrupted = false;
    try {
      while (true) {
        try {
          return answer.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException _) {
          isInterrupted = true;
        } catch (ExecutionException | TimeoutException e) {
          throw new RedisUnavailableException(e);
        }
      }
    } finally {
      if (isInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void run() {
    List<Request<?>> batch = new ArrayList<>(MAX_BATCH);
    while (!isClosed) {
      try {
        batch.add(requests.take());
        requests.drainTo(batch, MAX_BATCH - 1);
        exchange(batch);
      } catch (InterruptedException _) {
        break; // closed
      } catch (Throwable e) { // without this thread nobody would get an answer
        batch.forEach(request -> request.fail(e));
        // what waits was asked before it was known that Redis is away
        failAll(e);
        forgetClient();
      }
      batch.clear();
    }
    batch.forEach(request -> request.fail(new RedisUnavailableException("closed")));
    failAll(new RedisUnavailableException("closed"));
    forgetClient();
  }

  private void exchange(List<Request<?>> batch) {
    UnifiedJedis current = client == null ? server.open() : client;
    client = current;
    try (AbstractPipeline pipeline = current.pipelined()) {
      batch.forEach(request -> request.send(pipeline));
      pipeline.sync();
      boolean isMissing = false;
      for (Request<?> request : batch) {
        isMissing |= request.sendText(pipeline);
      }
      if (isMissing) {
        pipeline.sync();
      }
    }
    boolean isComplete = true;
    for (Request<?> request : batch) {
      isComplete &= request.complete();
    }
    if (!isComplete) { // the server is away, or has given the shard to another
      forgetClient();
    }
  }

  private void failAll(Throwable e) {
    List<Request<?>> waiting = new ArrayList<>();
    requests.drainTo(waiting);
    waiting.forEach(request -> request.fail(e));
  }

  private void forgetClient() {
    UnifiedJedis current = client;
    client = null;
    if (current != null) {
      try {
        current.close();
      } catch (RuntimeException _) {
        // it is of no use any more
      }
    }
  }

  @Override
  public void close() {
    isClosed = true;
    thread.interrupt();
  }
}
