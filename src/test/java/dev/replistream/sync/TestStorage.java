package dev.replistream.sync;

import dev.replistream.data.StorageSettings;
import dev.replistream.db.Database;
import dev.replistream.inspector.Inspector;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;

/// How much users and rooms may take of a database that tests have.
final class TestStorage {
  /// Users hear nothing of what was refused.
  static final Push.Feedback NO_FEEDBACK = new Push.Feedback(false, (_, _) -> {}, inspector(false));

  private TestStorage() {}

  /// Shows mutations to those who watch.
  static Inspector inspector(boolean isDevelopmentMode) {
    return new Inspector(isDevelopmentMode, Services.get(MetricsFactory.class).globalRegistry());
  }

  /// Metrics whose gauges are in no registry.
  static StorageMetrics metrics(Database database) {
    return new StorageMetrics(database, Services.get(MetricsFactory.class).globalRegistry());
  }

  /// So much, 0 for no limit.
  static Push.Storage limited(Database database, long perUser, long perRoom) {
    return new Push.Storage(new StorageSettings(perUser, perRoom), metrics(database), () -> {});
  }

  /// As much as they like.
  static Push.Storage unlimited(Database database) {
    return limited(database, 0, 0);
  }
}
