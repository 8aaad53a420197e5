package dev.replistream.sync;

import dev.replistream.http.JsonValue;

/// One mutation of a push. Its timestamp is left out: it is the client's clock since its start.
/// Immutable.
///
/// The arguments stay text until they are asked for: the mutations of a push are many, most were
/// often applied before, and text takes a tenth of the memory.
///
/// @param id the client's number for it, from 1 on without a gap, at most 2^53 - 1
/// @param clientID the client that made it, which may be another tab than the one that pushes
/// @param name which mutator to run, 1 to 128 characters
/// @param argsText what the mutator was called with, as JSON
record Mutation(long id, String clientID, String name, String argsText) {
  /// How long a name may be; nothing longer can be registered.
  static final int MAX_NAME_LENGTH = 128;

  /// What the mutator was called with; JSON null where that was nothing.
  JsonValue args() {
    return JsonValue.parse(argsText);
  }
}
