package dev.replistream.nodes;

import dev.replistream.poke.Cursor;
import dev.replistream.poke.LocalPokeBus;
import dev.replistream.poke.PokeBus;
import dev.replistream.poke.RecordingStreams;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;

/// A node that is alone.
public record LocalNode(PokeBus bus, Nodes nodes, RecordingStreams streams) implements TestNode {
  public static LocalNode open() {
    PokeBus bus =
        new LocalPokeBus(
            new Cursor("e", 1_000), Services.get(MetricsFactory.class).globalRegistry());
    Nodes nodes = new SingleNode();
    return new LocalNode(bus, nodes, new RecordingStreams(bus, nodes));
  }

  @Override
  public boolean isReady() {
    return true;
  }

  @Override
  public void close() {
    // nothing runs
  }
}
