package dev.replistream.data;

import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.db.Session;
import dev.replistream.db.TransactionCallback;
import dev.replistream.poke.PokeBus;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/// Transactions that change what clients see, and so owe pokes:
///
/// 1. {@link #begin} a change, unless the service stops;
/// 2. {@link Change#inTransaction} runs work, finds whom it concerns, and commits; a change may run
///    several, one after the other;
/// 3. after each commit those who show who is in a room are told who joined or left it;
/// 4. {@link Change#close} pokes whom the commits concern, however the change ended; also where
///    nobody knows whether it was committed, as one poke too many does no harm;
/// 5. {@link #stop} begins nothing more, and waits for each change to have poked.
///
/// A process that dies between a commit and its pokes does not lose them either: see {@link
/// Outbox}. Thread-safe.
public final class Transactions {
  private static final int MAX_UNDER_WAY = Integer.MAX_VALUE;

  private final Database database;
  private final Outbox outbox;
  private final Journal journal;
  private final Consumer<Collection<MemberChange>> membersChanged;
  private final LongConsumer leftBehind;
  private final Semaphore underWay = new Semaphore(MAX_UNDER_WAY);
  private volatile boolean stopping;
  private volatile boolean stopped;

  /// @param journal whether what is done is written down
  /// @param membersChanged told who joined or left a room, after the commit of it and before
  ///   anybody is poked or answered
  /// @param leftBehind told how many bytes deleted rooms leave behind to be purged, after the
  ///   commit
  public Transactions(
      Database database,
      Outbox outbox,
      Journal journal,
      Consumer<Collection<MemberChange>> membersChanged,
      LongConsumer leftBehind) {
    this.database = database;
    this.outbox = outbox;
    this.journal = journal;
    this.membersChanged = membersChanged;
    this.leftBehind = leftBehind;
  }

  /// What is done in one transaction. It may be run again from the start, as {@link
  /// TransactionCallback} may.
  @FunctionalInterface
  public interface Step<T> {
    /// Does the work; whatever it throws rolls all of it back.
    ///
    /// @param spaces note what the work touches, by which those whom it concerns are found
    T run(Session session, Spaces spaces) throws SQLException;
  }

  /// Begins a change, which is to be closed. A stop of the service waits for it.
  ///
  /// @param caller the user who makes it, and is poked first
  /// @throws DatabaseUnavailableException when the service stops
  public Change begin(String caller, PokeBus.Source source) {
    if (stopping || !underWay.tryAcquire()) {
      throw new DatabaseUnavailableException("the service stops");
    }
    return new Change(caller, source);
  }

  /// Makes a change of one transaction.
  ///
  /// @return what `step` returned
  /// @throws DatabaseUnavailableException when the service stops, or as {@link
  ///   Database#inTransaction} does
  public <T> T change(String caller, PokeBus.Source source, Step<T> step) {
    try (Change change = begin(caller, source)) {
      return change.inTransaction(step);
    }
  }

  /// Begins no more changes and waits for those under way to have poked.
  ///
  /// @return whether all have; then none will ever begin
  public boolean stop(Duration patience) {
    stopping = true;
    if (stopped) {
      return true;
    }
    try {
      stopped = underWay.tryAcquire(MAX_UNDER_WAY, patience.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    return stopped;
  }

  /// The transactions of one request. Confined to one thread.
  public final class Change implements AutoCloseable {
    private final String caller;
    private final PokeBus.Source source;
    private final List<String> owedIds = new ArrayList<>();
    private final Set<String> users = new HashSet<>();

    private Change(String caller, PokeBus.Source source) {
      this.caller = caller;
      this.source = source;
    }

    /// Runs `step` in a transaction.
    ///
    /// @return what `step` returned
    /// @throws DatabaseUnavailableException as {@link Database#inTransaction} does
    public <T> T inTransaction(Step<T> step) {
      Attempt<T> attempt = new Attempt<>(step);
      T result;
      try {
        result = database.inTransaction(attempt);
      } catch (DatabaseUnavailableException e) {
        if (e.mayBeCommitted()) {
          committed(attempt);
        }
        throw e;
      }
      committed(attempt);
      return result;
    }

    private void committed(Attempt<?> attempt) {
      if (!attempt.concerned.isEmpty()) {
        owedIds.add(attempt.id);
        users.addAll(attempt.concerned);
      }
      membersChanged.accept(attempt.joinedOrLeft);
      if (attempt.isJournaled) {
        journal.grew();
      }
      if (attempt.leftBehind > 0) {
        leftBehind.accept(attempt.leftBehind);
      }
    }

    /// Pokes whom the transactions concern.
    @Override
    public void close() {
      try {
        if (!users.isEmpty()) {
          outbox.deliver(owedIds, users, caller, source);
        }
      } finally {
        underWay.release();
      }
    }
  }

  /// A step with what its last run has changed. Its fields are read once the transaction has ended.
  private final class Attempt<T> implements TransactionCallback<T> {
    private final Step<T> step;
    private final String id = UUID.randomUUID().toString();
    private Set<String> concerned = Set.of();
    private Set<MemberChange> joinedOrLeft = Set.of();
    private long leftBehind;
    private boolean isJournaled;

    Attempt(Step<T> step) {
      this.step = step;
    }

    @Override
    public T run(Session session) throws SQLException {
      concerned = Set.of();
      joinedOrLeft = Set.of();
      leftBehind = 0;
      isJournaled = false;
      Spaces spaces = new Spaces(session, journal.isKept());
      T result = step.run(session, spaces);
      spaces.saveUsage();
      Set<String> found = concerned(session, spaces);
      outbox.keep(session, id, found);
      concerned = found;
      joinedOrLeft = spaces.joinedOrLeft();
      leftBehind = spaces.leftBehind();
      isJournaled = spaces.writeJournal();
      return result;
    }
  }

  /// Those named by the work; the readers of each space that was written in; and whoever joined or
  /// left a room.
  private static Set<String> concerned(Session session, Spaces spaces) throws SQLException {
    Set<String> users = new HashSet<>(spaces.concerned());
    for (String space : spaces.raised()) {
      users.addAll(RoomStore.readers(session, space));
    }
    spaces.joinedOrLeft().forEach(change -> users.add(change.userId()));
    return users;
  }
}
