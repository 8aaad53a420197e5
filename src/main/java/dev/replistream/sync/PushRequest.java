package dev.replistream.sync;

import java.util.List;

/// A push, version 1 (Replicache: "server-push"). Immutable.
///
/// @param profileID the browser profile; 1 to 128 characters
/// @param clientGroupID the client group; 1 to 128 characters
/// @param schemaVersion what the application calls its version, "" when it does not say; at most
///   128 characters
/// @param mutations at most 100,000, in the order in which they are to be applied
/// @param isCut whether there were more, which were not read: the push was too large
record PushRequest(
    String profileID,
    String clientGroupID,
    String schemaVersion,
    List<Mutation> mutations,
    boolean isCut)
    implements PushBody {
  /// Copies the mutations.
  PushRequest {
    mutations = List.copyOf(mutations);
  }
}
