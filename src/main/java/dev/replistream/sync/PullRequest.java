package dev.replistream.sync;

import dev.replistream.api.JsonValue;

/// A pull, version 1 (Replicache: "server-pull"). Immutable.
///
/// @param profileID the browser profile; 1 to 128 characters
/// @param clientGroupID the client group; 1 to 128 characters
/// @param schemaVersion what the application calls its version, "" when it does not say; at most
///   128 characters
/// @param cookie what the client got with its last pull, or says it got; JSON null on the first
record PullRequest(String profileID, String clientGroupID, String schemaVersion, JsonValue cookie)
    implements PullBody {}
