package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.db.Database;
import io.helidon.metrics.api.Gauge;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.metrics.api.Tag;
import io.helidon.service.registry.Services;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StorageMetricsTest {
  private final MeterRegistry registry = Services.get(MetricsFactory.class).globalRegistry();

  private long largest(String kind, int rank) {
    Gauge<?> gauge =
        registry
            .gauge(
                "replistream_storage_largest_bytes",
                List.of(Tag.create("kind", kind), Tag.create("rank", "" + rank)))
            .orElseThrow();
    return gauge.value().longValue();
  }

  @Test
  void theLargestAreShownFromTheStartOnAndNobodyIsNamed(@TempDir Path directory) {
    Database database = TestDatabase.sqlite(directory);
    try (database;
        StorageMetrics metrics = new StorageMetrics(database, registry)) {
      for (int i = 1; i <= 12; i++) {
        TestDatabase.execute(
            database, "INSERT INTO space VALUES (?, 1, 0, ?, 10, 5)", "u/user" + i, i * 100);
      }
      TestDatabase.execute(database, "INSERT INTO space VALUES ('r/room1', 1, 0, 7, 1, 0)");

      metrics.start(Duration.ofMillis(10));
      Eventually.holds("it looks at once", () -> largest("room", 1) == 8);

      assertThat(largest("user", 1)).isEqualTo(1_215);
      assertThat(largest("user", 10)).isEqualTo(315);
      assertThat(largest("room", 2)).isZero();
      TestDatabase.execute(database, "UPDATE space SET entry_bytes = 0 WHERE id = 'u/user12'");
      Eventually.holds("it looks again", () -> largest("user", 1) == 1_115);
      assertThat(registry.meters().toString()).doesNotContain("user12", "room1");
    }
    assertThat(
            registry.gauge(
                "replistream_storage_largest_bytes",
                List.of(Tag.create("kind", "user"), Tag.create("rank", "1"))))
        .isEmpty();
  }
}
