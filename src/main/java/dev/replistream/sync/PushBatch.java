package dev.replistream.sync;

import dev.replistream.api.Mutator;
import dev.replistream.api.RejectedException;
import dev.replistream.api.RejectionCode;
import dev.replistream.data.ClientStore;
import dev.replistream.data.EntryReader;
import dev.replistream.data.EntryStore;
import dev.replistream.data.Rejection;
import dev.replistream.data.RejectionStore;
import dev.replistream.data.RoomSettings;
import dev.replistream.data.RoomStore;
import dev.replistream.data.Spaces;
import dev.replistream.data.StorageSettings;
import dev.replistream.data.TreeLimit;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.db.Session;
import dev.replistream.http.ProblemException;
import dev.replistream.rules.Answer;
import dev.replistream.rules.MutatorFailedException;
import dev.replistream.rules.MutatorRegistry;
import dev.replistream.rules.RemoteRules;
import dev.replistream.rules.TextMutator;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Some mutations of a push in one transaction of the database. What it commits is whole, wherever
/// it ends: the effects of some mutations, and that these were seen. Confined to its transaction.
final class PushBatch {
  /// How many mutations are run in one transaction: a backlog takes a few commits, and whoever
  /// writes in the same space waits for a part of it only.
  static final int MAX_RUN = 500;

  /// How long they may take before the transaction ends, after the one that is under way. It counts
  /// from the end of the first, which may have waited for whoever writes in the same space.
  static final Duration LONGEST_RUN = Duration.ofMillis(100);

  /// How much they may do before the transaction ends, as {@link SqlTransaction} counts it: a large
  /// mutation is the last one of its transaction.
  private static final int MAX_WORK = SqlTransaction.MAX_WORK / 10;

  /// How many characters the arguments of a built-in mutator may have beside its value: its key and
  /// room, however they are escaped.
  private static final int MAX_BESIDE_VALUE = 16 << 10;

  /// What the message of an error in JavaScript begins with.
  private static final Pattern ERROR =
      Pattern.compile("(?:Aggregate|Eval|Range|Reference|Syntax|Type|URI)?Error(?=:)");

  private final Session session;
  private final Pusher pusher;
  private final MutatorRegistry mutators;
  private final int maxValueBytes;
  private final StorageSettings storage;
  private final TreeLimit trees;
  private final Instant now;
  private final long longestRunNanos;
  private final boolean tellsOfBugs;
  private final boolean isWatched;
  private final Spaces spaces;
  private final RoomStore rooms;
  private final EntryStore entries;
  private final EntryReader reader;

  private final List<Refusal> refusals = new ArrayList<>();
  private final List<Seen> seen = new ArrayList<>();
  private long firstNanos; // when the first one had been run
  private int applied;
  private int duplicates;
  private int work;
  private boolean isAnswerOutdated;

  /// @param spaces those of the same transaction
  /// @param maxValueBytes how long a value may be in UTF-8
  /// @param longestRun usually {@link #LONGEST_RUN}
  /// @param tellsOfBugs whether the pusher is told what went wrong in a mutator, as in development
  /// @param isWatched whether it is to say of each mutation what became of it
  PushBatch(
      Session session,
      Spaces spaces,
      Pusher pusher,
      MutatorRegistry mutators,
      int maxValueBytes,
      RoomSettings roomLimits,
      StorageSettings storage,
      TreeLimit trees,
      Instant now,
      Duration longestRun,
      boolean tellsOfBugs,
      boolean isWatched) {
    this.session = session;
    this.spaces = spaces;
    this.pusher = pusher;
    this.mutators = mutators;
    this.maxValueBytes = maxValueBytes;
    this.storage = storage;
    this.trees = trees;
    this.now = now;
    longestRunNanos = longestRun.toNanos();
    this.tellsOfBugs = tellsOfBugs;
    this.isWatched = isWatched;
    rooms = new RoomStore(session, spaces, now, roomLimits);
    entries = new EntryStore(session, spaces, storage, now);
    reader = new EntryReader(session);
  }

  /// What comes after a batch.
  enum End {
    /// Nothing: the push is done.
    DONE,
    /// The next batch.
    FULL,
    /// The next batch, with what rules elsewhere say about the next ones.
    UNDECIDED,
    /// The same, as an entry has changed that the rule about the next one has read.
    CHANGED,
    /// Nothing: the rule about the next one can't decide now.
    LATER,
    /// Nothing: a mutation before the next one is missing.
    GAP,
    /// Nothing: the client of the next one, or what it did before that, was lost.
    UNKNOWN_CLIENT,
    /// Nothing: the client of the next one, or the group, is new, and the user may have no more.
    NO_ROOM
  }

  /// A mutation that was acknowledged without effect.
  ///
  /// @param told what its author is told
  /// @param isRejected whether that was the mutator's decision, and no bug
  /// @param reason for the log
  /// @param position where a mutator failed, if that brought its own position
  /// @param kind what is the same for all that are alike, of which there are few
  record Refusal(
      Rejection told, boolean isRejected, String reason, Optional<String> position, String kind) {}

  /// A mutation that was acknowledged, for those who watch.
  ///
  /// @param refusal why it had no effect, where it had none
  /// @param nanos how long it ran
  record Seen(Mutation mutation, Optional<Refusal> refusal, long nanos) {}

  /// What a batch did.
  ///
  /// @param next the index of the first mutation that was not seen
  /// @param undecided the indexes of those that rules elsewhere are to decide about next
  /// @param seen each mutation that was acknowledged, if the batch was watched
  /// @param kept what is kept of the refusals for the pusher
  /// @param full the spaces that were full, once for each write that was refused
  record Result(
      End end,
      int next,
      List<Integer> undecided,
      List<Refusal> refusals,
      List<Seen> seen,
      List<RejectionStore.Kept> kept,
      List<String> full,
      int applied,
      int duplicates) {}

  /// Applies the mutations from index `first` on.
  ///
  /// @param answers what rules elsewhere have decided, by index
  /// @throws ProblemException 403 when the client group, or a client, is not the user's
  Result run(PushRequest push, int first, Map<Integer, Answer> answers) throws SQLException {
    Optional<PushClients> known =
        PushClients.of(
            new ClientStore(session, spaces),
            push.clientGroupID(),
            pusher.userId(),
            storage,
            now.toEpochMilli());
    if (known.isEmpty()) {
      return new Result(
          End.NO_ROOM, first, List.of(), List.of(), List.of(), List.of(), List.of(), 0, 0);
    }
    PushClients clients = known.get();
    List<Mutation> mutations = push.mutations();
    End end = End.DONE;
    int next = first;
    while (end == End.DONE && next < mutations.size()) {
      Optional<Answer> answer = Optional.ofNullable(answers.get(next));
      end = step(push.clientGroupID(), clients, mutations.get(next), answer);
      if (end == End.DONE) {
        next++;
      }
    }
    boolean isUndecided = end == End.UNDECIDED || end == End.CHANGED;
    List<Integer> undecided = isUndecided ? undecided(clients, mutations, next) : List.of();
    clients.save();
    if (next > first || !isUndecided) {
      spaces.concerns(
          pusher.userId()); // who waits for the acknowledgement, even of what changed nothing
    }
    return new Result(
        end,
        next,
        undecided,
        List.copyOf(refusals),
        List.copyOf(seen),
        keep(),
        List.copyOf(entries.full()),
        applied,
        duplicates);
  }

  /// Applies a mutation by itself, which no client has numbered.
  ///
  /// @param answer what a rule elsewhere has decided about it
  Result runSingle(Mutation mutation, Optional<Answer> answer) throws SQLException {
    End end = decided(Optional.empty(), mutation, answer);
    return new Result(
        end,
        end == End.DONE ? 1 : 0,
        List.of(),
        List.copyOf(refusals),
        List.copyOf(seen),
        List.of(),
        List.copyOf(entries.full()),
        applied,
        0);
  }

  private List<RejectionStore.Kept> keep() throws SQLException {
    return refusals.isEmpty()
        ? List.of()
        : new RejectionStore(session)
            .add(spaces, pusher.userId(), refusals.stream().map(Refusal::told).toList(), now);
  }

  /// Which mutations rules elsewhere are to decide about together: those that come one after the
  /// other from an index on, and have not been applied before.
  private List<Integer> undecided(PushClients clients, List<Mutation> mutations, int first)
      throws SQLException {
    List<Integer> found = new ArrayList<>();
    Map<String, Long> lastIDs = new HashMap<>();
    int length = 0;
    for (int i = first; i < mutations.size() && found.size() < RemoteRules.MAX_MUTATIONS; i++) {
      Mutation mutation = mutations.get(i);
      Long before = lastIDs.get(mutation.clientID());
      long last = before != null ? before : clients.lastMutationID(mutation.clientID()).orElse(0L);
      if (mutation.id() > last + 1 || !isRemote(mutation)) {
        break;
      }
      if (mutation.id() == last + 1) {
        length += mutation.argsText().length();
        if (!found.isEmpty() && length > RemoteRules.MAX_ARGS_LENGTH) {
          break;
        }
        found.add(i);
        lastIDs.put(mutation.clientID(), mutation.id());
      }
    }
    return List.copyOf(found);
  }

  private boolean isRemote(Mutation mutation) {
    return mutation.fault().isEmpty() && mutators.isRemote(mutation.name());
  }

  private End step(
      String clientGroupID, PushClients clients, Mutation mutation, Optional<Answer> answer)
      throws SQLException {
    Optional<Long> last = clients.lastMutationID(mutation.clientID());
    if (last.isEmpty() && mutation.id() > 1) {
      return End.UNKNOWN_CLIENT;
    }
    long expected = last.orElse(0L) + 1;
    if (mutation.id() < expected) {
      duplicates++;
      return End.DONE;
    }
    if (mutation.id() > expected) {
      return clients.mayHaveLost() ? End.UNKNOWN_CLIENT : End.GAP;
    }
    if (last.isEmpty() && !clients.takesMore()) {
      return End.NO_ROOM;
    }
    if (isRemote(mutation) && (answer.isEmpty() || isAnswerOutdated)) {
      return End.UNDECIDED;
    }
    if (isFull()) {
      return End.FULL;
    }
    End end = decided(Optional.of(clientGroupID), mutation, answer);
    if (end != End.DONE) {
      return end;
    }
    clients.raise(mutation.clientID(), mutation.id());
    if (applied + refusals.size() == 1) {
      firstNanos = System.nanoTime();
    }
    return End.DONE;
  }

  private boolean isFull() {
    int seen = applied + refusals.size();
    return seen == MAX_RUN
        || work > MAX_WORK
        || (seen > 0 && System.nanoTime() - firstNanos > longestRunNanos);
  }

  private void applyJournaled(
      Optional<String> clientGroupID, Mutation mutation, Optional<Answer> answer)
      throws SQLException {
    int before = refusals.size();
    spaces.beginLine();
    applyWatched(mutation, answer);
    if (spaces.isJournaled()) {
      Optional<Refusal> refusal = refusals.stream().skip(before).findFirst();
      spaces.note(MutationLine.of(pusher, clientGroupID, mutation, refusal, spaces, now));
    }
  }

  /// Applies a mutation, where it is known what to do.
  private End decided(Optional<String> clientGroupID, Mutation mutation, Optional<Answer> answer)
      throws SQLException {
    if (!isRemote(mutation)) {
      applyJournaled(clientGroupID, mutation, Optional.empty());
      return End.DONE;
    }
    if (answer.isEmpty()) {
      return End.UNDECIDED;
    }
    if (answer.get() instanceof Answer.Later) {
      return End.LATER;
    }
    int before = refusals.size();
    try {
      applyJournaled(
          clientGroupID, mutation, answer.filter(given -> !isLeftToBuiltIn(mutation, given)));
    } catch (AnsweredMutation.ChangedException _) {
      return End.CHANGED;
    }
    // what it answered about those behind it holds if this was done
    isAnswerOutdated = refusals.size() > before && answer.get() instanceof Answer.Apply;
    return End.DONE;
  }

  /// Whether the application has no rule of that name, but this service has.
  private boolean isLeftToBuiltIn(Mutation mutation, Answer answer) {
    return answer instanceof Answer.Reject(String code, String _)
        && code.equals(RejectionCode.UNKNOWN_MUTATOR.code())
        && mutators.isBuiltIn(mutation.name());
  }

  private void applyWatched(Mutation mutation, Optional<Answer> answer) throws SQLException {
    if (!isWatched) {
      apply(mutation, answer);
      return;
    }
    int before = refusals.size();
    long start = System.nanoTime();
    apply(mutation, answer);
    long nanos = System.nanoTime() - start;
    seen.add(new Seen(mutation, refusals.stream().skip(before).findFirst(), nanos));
  }

  private void apply(Mutation mutation, Optional<Answer> answer) throws SQLException {
    if (mutation.fault().isPresent()) {
      Mutation.Fault fault = mutation.fault().get();
      refusals.add(refusal(mutation, false, fault.code(), fault.message()));
    } else if (answer.isPresent()) {
      apply(
          mutation,
          (transaction, trees) -> AnsweredMutation.apply(answer.get(), transaction, reader, trees));
    } else {
      apply(mutation);
    }
  }

  private void apply(Mutation mutation) throws SQLException {
    Optional<Mutator> mutator = mutators.find(mutation.name());
    if (mutator.isEmpty()) {
      refuse(mutation, false, RejectionCode.UNKNOWN_MUTATOR);
      return;
    }
    if (mutators.isBuiltIn(mutation.name())
        && mutation.argsText().length() > maxValueBytes + MAX_BESIDE_VALUE) {
      refuse(mutation, true, RejectionCode.VALUE_TOO_LARGE);
      return;
    }
    apply(mutation, (transaction, trees) -> run(mutator.get(), mutation, transaction, trees));
  }

  /// What a mutator does to its transaction.
  @FunctionalInterface
  private interface Effect {
    void apply(SqlTransaction transaction, TreeLimit.Use trees) throws SQLException;
  }

  /// Runs a mutator in a savepoint; what can never succeed is rolled back and counts as seen.
  private void apply(Mutation mutation, Effect effect) throws SQLException {
    try {
      spaces.inSavepoint(_ -> run(mutation, effect));
      applied++;
    } catch (AnsweredMutation.ChangedException e) {
      throw e;
    } catch (RejectedException e) {
      refusals.add(rejected(mutation, e));
    } catch (Throwable thrown) { // whatever a mutator throws, it would throw again
      requireFault(thrown);
      refusals.add(failed(mutation, thrown));
    }
  }

  private void refuse(Mutation mutation, boolean isRejected, RejectionCode code) {
    refusals.add(refusal(mutation, isRejected, code, code.message()));
  }

  private static Refusal refusal(
      Mutation mutation, boolean isRejected, RejectionCode code, String reason) {
    return new Refusal(
        told(mutation, code.code(), reason), isRejected, reason, Optional.empty(), code.code());
  }

  private static Rejection told(Mutation mutation, String code, String message) {
    return new Rejection(mutation.clientID(), mutation.id(), mutation.name(), code, message);
  }

  /// The decision of a rule, or of the service beneath it.
  private static Refusal rejected(Mutation mutation, RejectedException e) {
    String message = Objects.requireNonNullElseGet(e.getMessage(), RejectionCode.REJECTED::message);
    String code = e.code().filter(given -> !given.isBlank()).orElse(RejectionCode.REJECTED.code());
    String reason = e.code().map(given -> given + ": " + message).orElse(message);
    // it has a mutator, so its name is the application's
    return new Refusal(
        told(mutation, code, message), true, reason, Optional.empty(), mutation.name());
  }

  /// A bug: what went wrong is for who wrote the mutator.
  private Refusal failed(Mutation mutation, Throwable thrown) {
    Throwable failure =
        thrown instanceof FailedStatementException && thrown.getCause() != null
            ? thrown.getCause()
            : thrown;
    if (failure instanceof TooMuchWorkException) {
      RejectionCode code = RejectionCode.TOO_MUCH_WORK;
      return refusal(mutation, false, code, code.message());
    }
    Optional<String> position =
        failure instanceof MutatorFailedException own ? own.position() : Optional.empty();
    String message = tellsOfBugs ? description(failure, position) : RejectionCode.FAILED.message();
    return new Refusal(
        told(mutation, RejectionCode.FAILED.code(), message),
        false,
        reason(failure),
        position,
        position.orElseGet(() -> mutation.name() + ' ' + kind(failure)));
  }

  /// The class of a failure. What a mutator says of it may be what the client has sent.
  private static String kind(Throwable failure) {
    if (failure instanceof MutatorFailedException) {
      Matcher error = ERROR.matcher(reason(failure));
      return error.lookingAt() ? error.group() : "";
    }
    return reason(failure);
  }

  /// What somebody who develops is told.
  private static String description(Throwable failure, Optional<String> position) {
    if (failure instanceof MutatorFailedException) {
      return failure.getMessage() + position.map(where -> " (" + where + ")").orElse("");
    }
    return failure
        + Arrays.stream(failure.getStackTrace())
            .findFirst()
            .map(where -> " at " + where)
            .orElse("");
  }

  /// Throws where it was not the mutation that failed: but the machine, as when memory ran out; the
  /// caller, who was interrupted; or the database.
  private void requireFault(Throwable thrown) throws SQLException {
    if (thrown instanceof VirtualMachineError broken && !(broken instanceof StackOverflowError)) {
      throw broken;
    }
    if (thrown instanceof InterruptedException || Thread.currentThread().isInterrupted()) {
      Thread.currentThread().interrupt();
      throw new DatabaseUnavailableException("a mutator was interrupted", thrown);
    }
    session.prepare("SELECT 1");
  }

  private static void run(
      Mutator mutator, Mutation mutation, SqlTransaction transaction, TreeLimit.Use trees)
      throws SQLException {
    trees.reads(mutation.argsText().length());
    if (mutator instanceof TextMutator text) {
      text.apply(transaction, mutation.argsText());
    } else {
      mutator.applyOrReject(transaction, mutation.args());
    }
  }

  private Mutation run(Mutation mutation, Effect effect) throws SQLException {
    try (TreeLimit.Use use = trees.begin()) {
      SqlTransaction transaction =
          new SqlTransaction(pusher, mutation, spaces, rooms, entries, maxValueBytes, use);
      try {
        effect.apply(transaction, use);
      } finally {
        transaction.end();
        work += transaction.work();
        transaction.requireWhole(); // goes before whatever else the mutator makes of it
      }
      return mutation;
    }
  }

  /// What failed and where; the message is left out, as it may hold user content, unless it was
  /// written for the log.
  private static String reason(Throwable failure) {
    if (failure instanceof MutatorFailedException) {
      return String.valueOf(failure.getMessage());
    }
    if (failure instanceof SQLException e) {
      return "SQL state " + e.getSQLState() + ", code " + e.getErrorCode();
    }
    StackTraceElement[] trace = failure.getStackTrace();
    return failure.getClass().getName() + (trace.length == 0 ? "" : " at " + trace[0]);
  }
}
