package dev.replistream.stream;

import dev.replistream.http.wire.TakenSocket;
import dev.replistream.poke.EventId;
import org.jspecify.annotations.Nullable;

/// What differs by transport: how the events of a connection look as bytes, whole and ready to be
/// written, and what is to be seen of its client. Nobody writes to what it returns.
///
/// How a stream begins and ends is asked for by the stream's thread; the rest by whoever writes.
interface EventForm {
  /// Lets the connection end when the client leaves, and see to what the client sends, if anything.
  void watch(TakenSocket socket);

  /// What the client saw last, if it said so; asked for before {@link #first}.
  @Nullable String lastEventId();

  /// How the stream begins: the response's head and the event `connected` with this id. Asked for
  /// once.
  byte[] first(EventId id);

  /// The event `sync`.
  byte[] sync(SyncEvent sync);

  /// The event `ping`.
  byte[] ping();

  /// The event that carries a list of presence, which is JSON on one line.
  byte[] presence(byte[] json);

  /// The event that tells of a rejected mutation, which is JSON on one line.
  byte[] rejected(byte[] json);

  /// The event that shows a mutation, which is JSON on one line.
  byte[] mutation(byte[] json);

  /// Takes what the transport itself has to say between events; null when that is nothing.
  default byte @Nullable [] takeControl() {
    return null;
  }

  /// The last frame of a stream that ends for this reason; null when there is none.
  byte @Nullable [] farewell(CloseReason reason);
}
