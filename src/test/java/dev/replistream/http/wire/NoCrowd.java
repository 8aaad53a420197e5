package dev.replistream.http.wire;

import dev.replistream.http.ClientAddresses;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import java.util.List;

/// Makes crowds of any number of connections.
final class NoCrowd {
  private NoCrowd() {}

  static Crowd of() {
    return new Crowd(
        "test",
        Crowd.Limits.NONE,
        new ClientAddresses(List.of()),
        Services.get(MetricsFactory.class).globalRegistry());
  }
}
