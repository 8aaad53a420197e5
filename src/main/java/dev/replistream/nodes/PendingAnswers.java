package dev.replistream.nodes;

import dev.replistream.nodes.Nodes.Answers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongToIntFunction;

/// The answers that this node waits for, each by the number of its question. Thread-safe.
final class PendingAnswers {
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  private final ConcurrentMap<Long, BlockingQueue<String>> open = new ConcurrentHashMap<>();
  private final AtomicLong last = new AtomicLong();

  /// Asks, and then waits for the answers a second at most.
  ///
  /// @param send sends the question under a number, and tells to how many nodes
  Answers ask(LongToIntFunction send) {
    long number = last.incrementAndGet();
    BlockingQueue<String> incoming = new LinkedBlockingQueue<>();
    open.put(number, incoming);
    List<String> texts = new ArrayList<>();
    try {
      int nodes = send.applyAsInt(number);
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (texts.size() < nodes) {
        String next = incoming.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        if (next == null) {
          return new Answers(texts, false);
        }
        texts.add(next);
      }
      return new Answers(texts, true);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return new Answers(texts, false);
    } finally {
      open.remove(number);
    }
  }

  /// Takes an answer. One that comes too late is dropped.
  void answered(long number, String text) {
    BlockingQueue<String> incoming = open.get(number);
    if (incoming != null) {
      incoming.add(text);
    }
  }
}
