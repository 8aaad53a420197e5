package dev.replistream.sync;

import dev.replistream.api.Mutator;
import dev.replistream.api.Mutators;
import dev.replistream.api.Role;
import java.util.Map;

/// Rules that need no membership.
final class OpenDoorMutators implements Mutators {
  /// Makes the caller a reader of the room that is its argument.
  static final String LET_IN = "letIn";

  /// Writes a value under a key of a room.
  static final String WRITE = "write";

  @Override
  public Map<String, Mutator> mutators() {
    return Map.of(
        LET_IN,
        (tx, room) -> {
          if (tx.rooms().stream().noneMatch(each -> each.room().equals(room.asText()))) {
            tx.unrestricted().putMember(room.asText(), tx.userId(), Role.READER);
          }
        },
        WRITE,
        (tx, args) ->
            tx.unrestricted()
                .put(args.get("room").asText(), args.get("key").asText(), args.get("value")));
  }
}
