package dev.replistream.sync;

import java.nio.charset.StandardCharsets;

/// The answer to a client whose records the server has lost: the client drops its client group with
/// all pending mutations and starts anew (Replicache: "server-push" and "server-pull"). Stateless.
final class ClientStateNotFound {
  private ClientStateNotFound() {}

  /// The answer, which goes out with status 200: with any other the client ignores it.
  static byte[] toJson() {
    return "{\"error\":\"ClientStateNotFound\"}".getBytes(StandardCharsets.UTF_8);
  }
}
