package dev.replistream.rules;

import dev.replistream.api.JsonValue;
import java.util.List;

/// Mutations of one user that rules elsewhere are to decide about. Immutable.
///
/// @param claims those of the user's token, a JSON object
/// @param clientGroupID of those who made them; "" where that is no client
/// @param schemaVersion what the application calls the version of the page, "" when it does not say
/// @param mutations at least one, in the order in which they are to be applied
public record Question(
    String userId,
    JsonValue claims,
    String clientGroupID,
    String schemaVersion,
    List<Asked> mutations) {
  /// Copies the mutations.
  public Question {
    mutations = List.copyOf(mutations);
  }

  /// One of them.
  ///
  /// @param id the client's number for it
  /// @param argsText what the mutator was called with, as JSON
  public record Asked(String clientID, long id, String name, String argsText) {}
}
