package dev.replistream.sync;

import dev.replistream.http.JsonValue;

/// One mutation of a push. Its timestamp is left out: it is the client's clock since its start.
/// Immutable.
///
/// @param id the client's number for it, from 1 on without a gap, at most 2^53 - 1
/// @param clientID the client that made it, which may be another tab than the one that pushes
/// @param name which mutator to run, 1 to 128 characters
/// @param args what the mutator was called with
record Mutation(long id, String clientID, String name, JsonValue args) {
  /// How long a name may be; nothing longer can be registered.
  static final int MAX_NAME_LENGTH = 128;
}
