package dev.replistream.rules.script;

import io.helidon.metrics.api.Counter;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.Tag;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The mutations that failed at a limit, as numbers. Thread-safe.
final class LimitMetrics {
  private final Map<Watchdog.Limit, Counter> exceeded = new EnumMap<>(Watchdog.Limit.class);

  private LimitMetrics() {}

  /// Those that nobody reads. Helidon's registries wait for each other where two threads register
  /// meters at a time, so whoever works beside the start has none.
  static LimitMetrics none() {
    return new LimitMetrics();
  }

  /// Registers the counters.
  LimitMetrics(MeterRegistry registry) {
    for (Watchdog.Limit limit : Watchdog.Limit.values()) {
      exceeded.put(
          limit,
          registry.getOrCreate(
              Counter.builder("replistream_mutator_limit")
                  .description("Mutations in JavaScript that failed at a limit")
                  .tags(List.of(Tag.create("limit", limit.name().toLowerCase(Locale.ROOT))))));
    }
  }

  void exceeded(Watchdog.Limit limit) {
    Counter counter = exceeded.get(limit);
    if (counter != null) {
      counter.increment();
    }
  }
}
