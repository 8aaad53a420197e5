package dev.replistream.sync;

import dev.replistream.data.Spaces;
import dev.replistream.db.Session;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A mutation that no client has numbered: it is run once, in a transaction of the caller's. To the
/// mutator it is the first one of a client that was made for it. Confined to one thread at a time.
public final class SingleMutation {
  private final Push push;
  private final Pusher pusher;
  private final Mutation mutation;
  private final Instant now;
  private PushBatch.@Nullable Result result;

  SingleMutation(Push push, Pusher pusher, Mutation mutation, Instant now) {
    this.push = push;
    this.pusher = pusher;
    this.mutation = mutation;
    this.now = now;
  }

  /// Why it had no effect.
  ///
  /// @param code for programs
  /// @param message for people
  public record Refusal(String code, String message) {}

  /// Runs it; again, when the transaction is run again.
  ///
  /// @param spaces those of the same transaction
  /// @return why it had no effect; empty where it had one
  public Optional<Refusal> run(Session session, Spaces spaces) throws SQLException {
    result = null;
    result = push.batch(session, spaces, pusher, now, push.isWatched(pusher)).runSingle(mutation);
    return result.refusals().stream()
        .findFirst()
        .map(refusal -> new Refusal(refusal.told().code(), refusal.told().message()));
  }

  /// Counts it, once what it did was committed.
  public void committed() {
    if (result != null) {
      push.tell(pusher, "", result, now);
      result = null;
    }
  }

  /// Counts a refusal, with which nothing was committed.
  public void ended() {
    if (result != null && !result.refusals().isEmpty()) {
      committed();
    }
  }
}
