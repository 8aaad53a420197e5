package dev.replistream.inspector;

import io.helidon.metrics.api.Counter;
import io.helidon.metrics.api.MeterRegistry;
import java.util.concurrent.atomic.AtomicLong;

/// How many bytes all feeds of a node may hold, so that clients which ask and don't read take
/// little memory. Thread-safe.
final class Budget {
  private final long maxBytes;
  private final AtomicLong held = new AtomicLong();
  private final Counter dropped;

  Budget(long maxBytes, MeterRegistry meters) {
    this.maxBytes = maxBytes;
    dropped =
        meters.getOrCreate(
            Counter.builder("replistream_mutation_events_dropped")
                .description("mutation events that were not written, as there were too many"));
  }

  /// Takes some, if there are so many.
  boolean take(int bytes) {
    if (held.addAndGet(bytes) > maxBytes) {
      held.addAndGet(-bytes);
      return false;
    }
    return true;
  }

  void giveBack(int bytes) {
    held.addAndGet(-bytes);
  }

  /// Counts what is told to nobody.
  void dropped(int count) {
    dropped.increment(count);
  }
}
