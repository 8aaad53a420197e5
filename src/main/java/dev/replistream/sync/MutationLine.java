package dev.replistream.sync;

import dev.replistream.data.JournalStore;
import dev.replistream.data.Spaces;
import dev.replistream.json.Json;
import java.time.Instant;
import java.util.Optional;

/// What the journal says of a mutation. Stateless.
final class MutationLine {
  /// Longer arguments are left out: whoever follows the journal is to read what was written.
  private static final int MAX_ARGS_LENGTH = 64 << 10;

  private MutationLine() {}

  /// A line.
  ///
  /// @param clientGroupID empty where no client has made it
  /// @param spaces what the mutation has written in
  static JournalStore.Line of(
      Pusher pusher,
      Optional<String> clientGroupID,
      Mutation mutation,
      Optional<PushBatch.Refusal> refusal,
      Spaces spaces,
      Instant now) {
    boolean hasArgs = mutation.fault().isEmpty() && mutation.argsText().length() <= MAX_ARGS_LENGTH;
    return new JournalStore.Line(
        pusher.userId(),
        now,
        Json.write(json -> {
          json.writeStartObject();
          json.writeStringField("at", Json.timestamp(now));
          json.writeStringField("kind", "mutation");
          json.writeStringField("userId", pusher.userId());
          if (clientGroupID.isPresent()) {
            json.writeStringField("clientGroupID", clientGroupID.get());
            json.writeStringField("clientID", mutation.clientID());
            json.writeNumberField("id", mutation.id());
          }
          json.writeStringField("name", mutation.name());
          if (hasArgs) {
            json.writeFieldName("args");
            Json.embed(json, mutation.argsText());
          }
          json.writeStringField(
              "outcome",
              refusal.map(each -> each.isRejected() ? "rejected" : "failed").orElse("applied"));
          if (refusal.isPresent()) {
            json.writeStringField("code", refusal.get().told().code());
            json.writeStringField("message", refusal.get().told().message());
          } else {
            json.writeFieldName("spaces");
            Spaces.writeVersions(json, spaces.writtenForLine());
          }
          json.writeEndObject();
        }));
  }
}
