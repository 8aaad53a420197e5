package dev.replistream.stream;

import dev.replistream.poke.EventId;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// The `sync` event of one poke, prepared once for all connections that get it. Immutable to who
/// sees it; nobody writes to its frames.
final class SyncEvent {
  private final EventId id;
  private final long pokedNanoTime;
  private final byte[] eventStream;
  // made by who needs it first; who comes at the same time makes an equal one
  private volatile byte @Nullable [] textFrame;

  /// @param id that of the event, with the poke's stamp
  /// @param pokedNanoTime when the poke was stamped, by `System.nanoTime`
  SyncEvent(EventId id, long pokedNanoTime) {
    this.id = id;
    this.pokedNanoTime = pokedNanoTime;
    this.eventStream = ("id: " + id + "\ndata: sync\n\n").getBytes(StandardCharsets.US_ASCII);
  }

  /// The poke's stamp.
  long stamp() {
    return id.stamp();
  }

  /// When the poke was stamped, by `System.nanoTime`.
  long pokedNanoTime() {
    return pokedNanoTime;
  }

  /// The event as server-sent events have it.
  byte[] eventStream() {
    return eventStream;
  }

  /// The event as a WebSocket's frame, with its id.
  byte[] textFrame() {
    byte[] frame = textFrame;
    if (frame == null) {
      frame = WebSocketFrames.text("sync " + id);
      textFrame = frame;
    }
    return frame;
  }
}
