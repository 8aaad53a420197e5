package dev.replistream.sync;

import dev.replistream.data.Spaces;
import dev.replistream.db.Session;
import dev.replistream.rules.Answer;
import dev.replistream.rules.Answers;
import dev.replistream.rules.RulesAwayException;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A mutation that no client has numbered: it is run once, in a transaction of the caller's. To the
/// mutator it is the first one of a client that was made for it. Confined to one thread at a time.
public final class SingleMutation {
  private final Push push;
  private final Pusher pusher;
  private final Mutation mutation;
  private final Instant now;
  private PushBatch.@Nullable Result result;
  private Optional<Answer> answer = Optional.empty();

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

  /// Rules elsewhere are to decide first. What the transaction has done does not count.
  private static final class UndecidedException extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final transient PushBatch.End end;

    UndecidedException(PushBatch.End end) {
      super("rules elsewhere are to decide first", null, false, false);
      this.end = end;
    }
  }

  /// Makes an attempt to {@link #run} it in a transaction; and again, each time after rules
  /// elsewhere were asked, until they need not be asked any more.
  ///
  /// @param attempt a transaction, which is rolled back by what {@link #run} throws
  /// @throws RulesAwayException where they have not decided
  public <T> T decided(Supplier<T> attempt) {
    try {
      return attempt.get();
    } catch (UndecidedException e) {
      push.requireDecided(e.end, 0);
    }
    for (int changedTimes = 1; true; changedTimes++) {
      try (Answers answers = push.ask(pusher, "", "", List.of(mutation))) {
        answer = answers.answers().stream().findFirst();
        return attempt.get();
      } catch (UndecidedException e) {
        push.requireDecided(e.end, changedTimes);
      }
    }
  }

  /// Runs it; again, when the transaction is run again.
  ///
  /// @param spaces those of the same transaction
  /// @return why it had no effect; empty where it had one
  public Optional<Refusal> run(Session session, Spaces spaces) throws SQLException {
    result = null;
    PushBatch.Result ran =
        push.batch(session, spaces, pusher, now, push.isWatched(pusher))
            .runSingle(mutation, answer);
    if (ran.end() != PushBatch.End.DONE) {
      throw new UndecidedException(ran.end());
    }
    result = ran;
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
