package dev.replistream.sync;

import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.http.Json;
import dev.replistream.room.MemberChange;
import dev.replistream.room.RoomSettings;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Clock;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Replicache's push (doc.replicache.dev/reference/server-push): runs mutators, in the order of the
/// mutations, each at most once. Thread-safe.
public final class Push {
  private static final Logger LOGGER = System.getLogger(Push.class.getName());

  /// How many refused mutations of a batch are logged; a client can send any number of them.
  private static final int MAX_LOGGED = 10;

  private final Database database;
  private final MutatorRegistry mutators;
  private final int maxValueBytes;
  private final RoomSettings roomLimits;
  private final Clock clock;
  private final Consumer<Set<MemberChange>> membersChanged;
  private final BiConsumer<String, Set<String>> poke;
  private final SyncMetrics metrics;

  /// @param maxValueBytes how long the JSON of a value may be, in UTF-8
  /// @param membersChanged told who joined or left a room, after the commit of it and before the
  ///   pusher is answered
  /// @param poke tells users to pull, the pusher first; called after the commit of what they should
  ///   pull
  public Push(
      Database database,
      MutatorRegistry mutators,
      int maxValueBytes,
      RoomSettings roomLimits,
      Clock clock,
      Consumer<Set<MemberChange>> membersChanged,
      BiConsumer<String, Set<String>> poke,
      SyncMetrics metrics) {
    this.database = database;
    this.mutators = mutators;
    this.maxValueBytes = maxValueBytes;
    this.roomLimits = roomLimits;
    this.clock = clock;
    this.membersChanged = membersChanged;
    this.poke = poke;
    this.metrics = metrics;
  }

  /// How a push ended.
  enum Outcome {
    /// All mutations were seen: applied now or before, or found to be ones that can never succeed.
    DONE,
    /// A mutation is missing before the first one that was not seen.
    GAP,
    /// The server has lost a client's records.
    CLIENT_STATE_NOT_FOUND
  }

  /// Applies the mutations of a push. However it ends, what was committed until then stays, and
  /// those whom it concerns are poked; also where nobody knows whether it was committed.
  ///
  /// @throws dev.replistream.http.ProblemException 403 when the client group, or a client, is not
  ///   the user's
  /// @throws dev.replistream.db.DatabaseUnavailableException when the client is to come again
  Outcome push(String userId, PushRequest request) {
    metrics.pushed();
    Set<String> users = new HashSet<>();
    try {
      PushBatch.Result batch = run(userId, request, 0, users);
      while (batch.end() == PushBatch.End.FULL) {
        batch = run(userId, request, batch.next(), users);
      }
      return switch (batch.end()) {
        case DONE, FULL -> Outcome.DONE;
        case GAP -> Outcome.GAP;
        case UNKNOWN_CLIENT -> Outcome.CLIENT_STATE_NOT_FOUND;
      };
    } finally {
      poke.accept(userId, users);
    }
  }

  private PushBatch.Result run(String userId, PushRequest request, int first, Set<String> users) {
    AtomicReference<PushBatch.@Nullable Result> attempted = new AtomicReference<>();
    PushBatch.Result batch;
    try {
      batch =
          database.inTransaction(session -> {
            PushBatch.Result result =
                new PushBatch(session, userId, mutators, maxValueBytes, roomLimits, clock.instant())
                    .run(request, first);
            attempted.set(result);
            return result;
          });
    } catch (DatabaseUnavailableException e) {
      PushBatch.Result unknown = attempted.get();
      if (e.mayBeCommitted() && unknown != null) {
        committed(unknown, users); // one poke too many does no harm
      }
      throw e;
    }
    committed(batch, users);
    metrics.mutationsSeen(batch.applied(), batch.duplicates());
    batch.refusals().forEach(refusal -> metrics.mutationRefused(refusal.isRejected()));
    batch.refusals().stream().limit(MAX_LOGGED).forEach(Push::log);
    return batch;
  }

  private void committed(PushBatch.Result batch, Set<String> users) {
    membersChanged.accept(batch.joinedOrLeft());
    users.addAll(batch.users());
  }

  private static void log(PushBatch.Refusal refusal) {
    LOGGER.log(
        refusal.isRejected() ? Level.INFO : Level.WARNING,
        "event=mutation-"
            + (refusal.isRejected() ? "rejected" : "failed")
            + " name="
            + Json.quoted(refusal.name())
            + " reason="
            + Json.quoted(refusal.reason()));
  }
}
