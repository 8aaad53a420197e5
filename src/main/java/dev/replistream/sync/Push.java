package dev.replistream.sync;

import dev.replistream.api.JsonValue;
import dev.replistream.data.RejectionStore;
import dev.replistream.data.RoomSettings;
import dev.replistream.data.Spaces;
import dev.replistream.data.StorageSettings;
import dev.replistream.data.Transactions;
import dev.replistream.data.TreeLimit;
import dev.replistream.db.Session;
import dev.replistream.http.SampledLog;
import dev.replistream.http.TooMuchAtOnceException;
import dev.replistream.inspector.Inspector;
import dev.replistream.inspector.SeenMutation;
import dev.replistream.poke.PokeBus;
import dev.replistream.rules.Answer;
import dev.replistream.rules.Answers;
import dev.replistream.rules.MutatorRegistry;
import dev.replistream.rules.Question;
import dev.replistream.rules.RulesAwayException;
import java.lang.System.Logger.Level;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/// Replicache's push (doc.replicache.dev/reference/server-push): runs mutators, in the order of the
/// mutations, each at most once. Thread-safe.
public final class Push {
  /// How often a rule elsewhere is asked again about a mutation, as what it had read has changed.
  static final int MOST_CHANGES = 5;

  private final SampledLog log = new SampledLog(System.getLogger(Push.class.getName()));
  private final Transactions transactions;
  private final MutatorRegistry mutators;
  private final int maxValueBytes;
  private final RoomSettings roomLimits;
  private final Storage storage;
  private final Feedback feedback;
  private final Clock clock;
  private final SyncMetrics metrics;
  private final TreeLimit trees = TreeLimit.ofHeap();
  private final Duration longestRun;
  private final PushTurns turns = new PushTurns();

  /// @param maxValueBytes how long the JSON of a value may be, in UTF-8
  public Push(
      Transactions transactions,
      MutatorRegistry mutators,
      int maxValueBytes,
      RoomSettings roomLimits,
      Storage storage,
      Feedback feedback,
      Clock clock,
      SyncMetrics metrics) {
    this(
        transactions,
        mutators,
        maxValueBytes,
        roomLimits,
        storage,
        feedback,
        clock,
        metrics,
        PushBatch.LONGEST_RUN);
  }

  /// @param longestRun how long one transaction runs mutations
  Push(
      Transactions transactions,
      MutatorRegistry mutators,
      int maxValueBytes,
      RoomSettings roomLimits,
      Storage storage,
      Feedback feedback,
      Clock clock,
      SyncMetrics metrics,
      Duration longestRun) {
    this.transactions = transactions;
    this.mutators = mutators;
    this.maxValueBytes = maxValueBytes;
    this.roomLimits = roomLimits;
    this.storage = storage;
    this.feedback = feedback;
    this.clock = clock;
    this.metrics = metrics;
    this.longestRun = longestRun;
  }

  /// How much users and rooms may take of the disk.
  ///
  /// @param metrics told of what is refused for it
  /// @param full run when something was refused for it
  public record Storage(StorageSettings limits, StorageMetrics metrics, Runnable full) {}

  /// What users hear of their mutations that were acknowledged without effect.
  ///
  /// @param tellsOfBugs whether they are told what went wrong in a mutator, as in development
  /// @param told hears, after the commit, of a user and of what is kept for that user
  /// @param inspector shows all mutations to those who watch
  public record Feedback(
      boolean tellsOfBugs,
      BiConsumer<String, List<RejectionStore.Kept>> told,
      Inspector inspector) {}

  /// How a push ended.
  enum Outcome {
    /// All mutations were seen: applied now or before, or found to be ones that can never succeed.
    DONE,
    /// A mutation is missing before the first one that was not seen.
    GAP,
    /// The server has lost a client's records.
    CLIENT_STATE_NOT_FOUND,
    /// The first mutation that was not seen is of a new client, and the user takes so much of the
    /// disk that there may be no more.
    NO_ROOM
  }

  /// Applies the mutations of a push. However it ends, what was committed until then stays, and
  /// those whom it concerns are poked; also where nobody knows whether it was committed.
  ///
  /// @throws dev.replistream.http.ProblemException 403 when the client group, or a client, is not
  ///   the user's
  /// @throws dev.replistream.db.DatabaseUnavailableException when the client is to come again
  /// @throws TooMuchAtOnceException when it is a long push, and got no turn for what is left of it
  /// @throws RulesAwayException when rules elsewhere have not decided about what is left of it
  Outcome push(Pusher pusher, PushRequest request) {
    metrics.pushed();
    PushBatch.Result batch = apply(pusher, request, 0, Map.of());
    int sameTimes = 0;
    while (batch.end() == PushBatch.End.UNDECIDED || batch.end() == PushBatch.End.CHANGED) {
      int first = batch.next();
      try (Answers answers = ask(pusher, request, batch.undecided())) {
        batch = apply(pusher, request, first, byIndex(batch.undecided(), answers.answers()));
      }
      boolean isSame = batch.end() == PushBatch.End.CHANGED && batch.next() == first;
      sameTimes = isSame ? sameTimes + 1 : 0;
      requireDecided(batch.end(), sameTimes);
    }
    return switch (batch.end()) {
      case DONE, FULL, UNDECIDED, CHANGED, LATER -> Outcome.DONE;
      case GAP -> Outcome.GAP;
      case UNKNOWN_CLIENT -> Outcome.CLIENT_STATE_NOT_FOUND;
      case NO_ROOM -> Outcome.NO_ROOM;
    };
  }

  private static Map<Integer, Answer> byIndex(List<Integer> indexes, List<Answer> answers) {
    Map<Integer, Answer> found = new HashMap<>();
    for (int i = 0; i < answers.size(); i++) {
      found.put(indexes.get(i), answers.get(i));
    }
    return Map.copyOf(found);
  }

  /// Sees to it that a rule elsewhere can still be asked about a mutation.
  ///
  /// @param changedTimes how often what it had read has changed meanwhile
  /// @throws RulesAwayException where it can't
  void requireDecided(PushBatch.End end, int changedTimes) {
    if (end == PushBatch.End.CHANGED) {
      metrics.askedAgain();
    }
    if (changedTimes > MOST_CHANGES) {
      log.log(
          Level.WARNING,
          "event=rules-overtaken",
          () -> "event=rules-overtaken times=" + changedTimes);
      throw new RulesAwayException(
          "What the application's rules have read changes faster than they answer; come again.");
    }
    if (end == PushBatch.End.LATER) {
      throw new RulesAwayException("The application's rules want it later; come again.");
    }
  }

  private Answers ask(Pusher pusher, PushRequest request, List<Integer> indexes) {
    return ask(
        pusher,
        request.clientGroupID(),
        request.schemaVersion(),
        indexes.stream().map(request.mutations()::get).toList());
  }

  /// Asks rules elsewhere about mutations.
  ///
  /// @throws RulesAwayException where they give no answer
  Answers ask(Pusher pusher, String clientGroupID, String schemaVersion, List<Mutation> mutations) {
    return mutators.ask(
        new Question(
            pusher.userId(),
            pusher.claims().get(),
            clientGroupID,
            schemaVersion,
            mutations.stream()
                .map(mutation ->
                    new Question.Asked(
                        mutation.clientID(), mutation.id(), mutation.name(), mutation.argsText()))
                .toList()));
  }

  /// Applies mutations from an index on, till the end of the push or till rules elsewhere have to
  /// be asked, and pokes those whom they concern.
  private PushBatch.Result apply(
      Pusher pusher, PushRequest request, int first, Map<Integer, Answer> answers) {
    Deque<RejectionStore.Kept> kept = new ArrayDeque<>();
    try (Transactions.Change change = transactions.begin(pusher.userId(), PokeBus.Source.PUSH)) {
      return apply(pusher, request, first, answers, change, kept);
    } finally { // after the pokes
      if (!kept.isEmpty()) {
        feedback.told().accept(pusher.userId(), List.copyOf(kept));
      }
    }
  }

  /// @param kept where the last of what is kept for the user goes, as many as are kept of a user
  private PushBatch.Result apply(
      Pusher pusher,
      PushRequest request,
      int first,
      Map<Integer, Answer> answers,
      Transactions.Change change,
      Deque<RejectionStore.Kept> kept) {
    PushBatch.Result batch = run(pusher, request, first, answers, change, kept);
    if (batch.end() == PushBatch.End.FULL) {
      try (PushTurns.Turn _ = turn(pusher.userId())) {
        while (batch.end() == PushBatch.End.FULL) {
          batch = run(pusher, request, batch.next(), answers, change, kept);
        }
      }
    }
    return batch;
  }

  private PushTurns.Turn turn(String userId) {
    try {
      return turns.take(userId);
    } catch (TooMuchAtOnceException e) {
      metrics.pushRefused();
      throw e;
    }
  }

  private PushBatch.Result run(
      Pusher pusher,
      PushRequest request,
      int first,
      Map<Integer, Answer> answers,
      Transactions.Change change,
      Deque<RejectionStore.Kept> kept) {
    Instant now = clock.instant();
    boolean isWatched = isWatched(pusher);
    PushBatch.Result batch =
        change.inTransaction((session, spaces) ->
            batch(session, spaces, pusher, now, isWatched).run(request, first, answers));
    kept.addAll(batch.kept());
    while (kept.size() > RejectionStore.MOST_PER_USER) {
      kept.removeFirst();
    }
    tell(pusher, request.clientGroupID(), batch, now);
    return batch;
  }

  /// Whether somebody watches what becomes of mutations of this user.
  boolean isWatched(Pusher pusher) {
    return feedback.inspector().isWatched(pusher.userId());
  }

  /// Some mutations in one transaction.
  PushBatch batch(Session session, Spaces spaces, Pusher pusher, Instant now, boolean isWatched) {
    return new PushBatch(
        session,
        spaces,
        pusher,
        mutators,
        maxValueBytes,
        roomLimits,
        storage.limits(),
        trees,
        now,
        longestRun,
        feedback.tellsOfBugs(),
        isWatched);
  }

  /// Tells those who watch, the metrics and the log of what was done in one transaction.
  ///
  /// @param clientGroupID of those who made it, or ""
  void tell(Pusher pusher, String clientGroupID, PushBatch.Result batch, Instant now) {
    String userId = pusher.userId();
    if (!batch.seen().isEmpty()) {
      feedback
          .inspector()
          .tell(
              userId,
              !clientGroupID.isEmpty(),
              batch.seen().stream().map(seen -> shown(pusher, clientGroupID, seen, now)).toList());
    }
    metrics.mutationsSeen(batch.applied(), batch.duplicates());
    batch.refusals().forEach(refusal -> metrics.mutationRefused(refusal.isRejected()));
    batch.refusals().forEach(this::log);
    storage.metrics.writesRefused(userId, batch.full());
    if (batch.end() == PushBatch.End.NO_ROOM) {
      storage.metrics.clientRefused(userId);
    }
    if (batch.end() == PushBatch.End.NO_ROOM || !batch.full().isEmpty()) {
      storage.full.run();
    }
  }

  /// A mutation that no client has numbered, to be run by itself.
  ///
  /// @param claims those of the user's token, a JSON object
  /// @param args what the mutator is called with, as JSON
  public SingleMutation single(
      String userId, Supplier<JsonValue> claims, String name, String args) {
    String clientID = UUID.randomUUID().toString();
    Mutation mutation =
        name.length() > MutatorRegistry.MAX_NAME_LENGTH
            ? Mutation.faulty(1, clientID, name, Mutation.Fault.NAME_TOO_LONG)
            : new Mutation(1, clientID, name, args);
    return new SingleMutation(this, new Pusher(userId, claims), mutation, clock.instant());
  }

  private SeenMutation shown(
      Pusher pusher, String clientGroupID, PushBatch.Seen seen, Instant now) {
    Mutation mutation = seen.mutation();
    return new SeenMutation(
        pusher.userId(),
        clientGroupID,
        mutation.clientID(),
        mutation.id(),
        mutation.name(),
        mutation.fault().isPresent() ? Optional.empty() : Optional.of(mutation.argsText()),
        seen.refusal().map(this::shown),
        now,
        Duration.ofNanos(seen.nanos()));
  }

  private SeenMutation.Failure shown(PushBatch.Refusal refusal) {
    return new SeenMutation.Failure(
        refusal.isRejected(),
        refusal.told().code(),
        refusal.told().message(),
        refusal.position().filter(_ -> feedback.tellsOfBugs()));
  }

  private void log(PushBatch.Refusal refusal) {
    String event = refusal.isRejected() ? "event=mutation-rejected" : "event=mutation-failed";
    String name = refusal.told().name();
    log.log(
        refusal.isRejected() ? Level.INFO : Level.WARNING,
        event + ' ' + refusal.kind(),
        () ->
            event
                + " name="
                + SampledLog.quoted(name)
                + " reason="
                + SampledLog.quoted(refusal.reason())
                + refusal
                    .position()
                    .map(position -> " position=" + SampledLog.quoted(position))
                    .orElse(""));
  }
}
