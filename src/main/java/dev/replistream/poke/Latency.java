package dev.replistream.poke;

import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.Tag;
import io.helidon.metrics.api.Timer;
import java.time.Duration;
import java.util.List;

/// The histograms of how long things take, all with the same buckets, so that the way from a poke
/// to its write, to the pull and to the database can be compared. Stateless.
public final class Latency {
  private static final Duration[] BUCKETS = {
    Duration.ofMillis(1),
    Duration.ofMillis(2),
    Duration.ofMillis(5),
    Duration.ofMillis(10),
    Duration.ofMillis(25),
    Duration.ofMillis(50),
    Duration.ofMillis(100),
    Duration.ofMillis(250),
    Duration.ofMillis(500),
    Duration.ofSeconds(1),
    Duration.ofSeconds(5),
    Duration.ofSeconds(10)
  };

  private Latency() {}

  /// The histogram of that name and those tags, registered if it is not yet.
  public static Timer timer(
      MeterRegistry registry, String name, String description, List<Tag> tags) {
    return registry.getOrCreate(
        Timer.builder(name)
            .description(description)
            .tags(tags)
            .percentiles(new double[0])
            .buckets(BUCKETS));
  }
}
