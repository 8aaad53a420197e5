package dev.replistream.stream;

import dev.replistream.http.wire.TakenSocket;

/// Serves one registered connection on a socket, on the calling thread, to its end.
@FunctionalInterface
interface Session {
  /// Serves it, with what it is told beside pokes.
  void accept(TakenSocket socket, Feeds feeds);
}
