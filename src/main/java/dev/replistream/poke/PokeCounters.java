package dev.replistream.poke;

import io.helidon.metrics.api.Counter;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.Tag;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/// Counts pokes by where they came from. Thread-safe.
public final class PokeCounters {
  private final Map<PokeBus.Source, Counter> pokes = new EnumMap<>(PokeBus.Source.class);

  public PokeCounters(MeterRegistry registry) {
    for (PokeBus.Source source : PokeBus.Source.values()) {
      pokes.put(
          source,
          registry.getOrCreate(
              Counter.builder("replistream_pokes")
                  .description("Pokes, by where they came from")
                  .tags(List.of(Tag.create("source", source.name().toLowerCase(Locale.ROOT))))));
    }
  }

  public void poked(PokeBus.Source source) {
    Objects.requireNonNull(pokes.get(source)).increment();
  }
}
