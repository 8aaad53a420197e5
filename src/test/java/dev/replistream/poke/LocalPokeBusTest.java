package dev.replistream.poke;

import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import java.util.List;

class LocalPokeBusTest extends PokeBusRules {
  @Override
  protected List<PokeBus> open() {
    PokeBus bus =
        new LocalPokeBus(
            new Cursor("e", 1_000), Services.get(MetricsFactory.class).globalRegistry());
    return List.of(bus, bus);
  }
}
