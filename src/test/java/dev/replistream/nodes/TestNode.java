package dev.replistream.nodes;

import dev.replistream.poke.PokeBus;
import dev.replistream.poke.RecordingStreams;

/// A node without HTTP, which holds streams that record what is brought to them.
public interface TestNode extends AutoCloseable {
  PokeBus bus();

  Nodes nodes();

  RecordingStreams streams();

  /// Whether it has met the others, and no stream is due for a sync any more.
  boolean isReady();

  @Override
  void close();
}
