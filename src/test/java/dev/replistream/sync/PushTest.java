package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.LogCapture;
import dev.replistream.api.JsonValue;
import dev.replistream.api.Key;
import dev.replistream.api.Mutators;
import dev.replistream.api.RejectedException;
import dev.replistream.data.EntryStore;
import dev.replistream.data.RejectionStore;
import dev.replistream.data.RoomLimits;
import dev.replistream.data.Spaces;
import dev.replistream.data.StorageSettings;
import dev.replistream.data.TestTransactions;
import dev.replistream.data.Transactions;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.http.ProblemException;
import dev.replistream.poke.PokedUsers;
import dev.replistream.rules.MutatorFailedException;
import dev.replistream.rules.MutatorRegistry;
import dev.replistream.sync.FlakyDatabase.Fate;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import java.io.IOException;
import java.nio.charset.CoderMalfunctionError;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Pushes on a database that fails now and then.
class PushTest {
  @TempDir private Path directory;
  private FlakyDatabase database;
  private Push push;
  private final PokedUsers pokes = new PokedUsers();
  private Transactions transactions;

  @BeforeEach
  void open() {
    database = new FlakyDatabase(TestDatabase.sqlite(directory));
    transactions = TestTransactions.of(database, pokes.bus());
    push = pushOf(new TestMutators());
  }

  private Push pushOf(Mutators mutators) {
    return pushOf(mutators, Duration.ofMinutes(1)); // however busy this machine is
  }

  private Push pushOf(Mutators mutators, Duration longestRun) {
    return pushOf(mutators, longestRun, TestStorage.NO_FEEDBACK);
  }

  private Push pushOf(Mutators mutators, Duration longestRun, Push.Feedback feedback) {
    return new Push(
        transactions,
        MutatorRegistry.of(List.of(mutators), Optional.of(true)),
        1_000,
        RoomLimits.direct(2, 3),
        TestStorage.unlimited(database),
        feedback,
        Clock.systemUTC(),
        new SyncMetrics(Services.get(MetricsFactory.class).globalRegistry()),
        longestRun);
  }

  @AfterEach
  void close() {
    database.close();
  }

  private static Mutation mutation(int id, String name, JsonValue args) {
    return new Mutation(id, "c1", name, args.toJson());
  }

  private static List<Mutation> increments(int first, int last) {
    return IntStream.rangeClosed(first, last)
        .mapToObj(id -> mutation(id, "increment", JsonValue.of("n")))
        .toList();
  }

  private Push.Outcome push(List<Mutation> mutations) {
    return push.push(TestPusher.of("alice"), new PushRequest("p1", "g1", "", mutations, false));
  }

  private long n() {
    List<Long> values = new ArrayList<>();
    database.inTransaction(session -> {
      byte[] value =
          new EntryStore(
                  session, new Spaces(session), StorageSettings.UNLIMITED, java.time.Instant.now())
              .get("u/alice", Key.of("n"))
              .orElseThrow();
      return values.add(JsonValue.parse(value).asLong());
    });
    return values.getFirst();
  }

  private long lastMutationID() {
    return TestDatabase.number(
        database, "SELECT COALESCE(MAX(last_mutation_id), 0) FROM client WHERE id = 'c1'");
  }

  @Test
  void aBacklogIsAFewTransactions() {
    assertThat(push(increments(1, 1_200))).isEqualTo(Push.Outcome.DONE);

    assertThat(database.transactions.get()).isEqualTo(3);
    assertThat(n()).isEqualTo(1_200);
    assertThat(pokes.poked()).containsExactlyInAnyOrder("alice");
  }

  @Test
  void aTransactionEndsAfterTheMutationWithWhichItHasTakenLong() {
    push = pushOf(new TestMutators(), Duration.ZERO);

    assertThat(push(increments(1, 3))).isEqualTo(Push.Outcome.DONE);

    assertThat(database.transactions.get()).isEqualTo(3);
    assertThat(n()).isEqualTo(3);
  }

  @Test
  void aStopWaitsForThePokesOfWhatIsCommitted() {
    List<Boolean> isWhole = new ArrayList<>();
    pokes.whilePoking(() -> isWhole.add(transactions.stop(Duration.ZERO)));

    push(increments(1, 3));

    assertThat(isWhole).containsExactly(false);
    assertThat(transactions.stop(Duration.ZERO)).isTrue();
    assertThatThrownBy(() -> push(increments(4, 4)))
        .isInstanceOf(DatabaseUnavailableException.class);
    assertThat(n()).isEqualTo(3);
  }

  @Test
  void duplicatesAreSkippedWithoutATransactionOfTheirOwn() {
    push(increments(1, 1_200));
    database.transactions.set(0);

    push(increments(1, 1_201));

    assertThat(database.transactions.get()).isOne();
    assertThat(n()).isEqualTo(1_201);
  }

  @Test
  void whatWasCommittedBeforeTheDatabaseWentAwayStaysAndIsPokedFor() {
    database.next(Fate.COMMIT, Fate.AWAY);

    assertThatThrownBy(() -> push(increments(1, 1_200)))
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(lastMutationID()).isEqualTo(PushBatch.MAX_RUN);
    assertThat(n()).isEqualTo(PushBatch.MAX_RUN);
    assertThat(pokes.poked()).containsExactlyInAnyOrder("alice");

    push(increments(1, 1_200));
    assertThat(n()).isEqualTo(1_200);
  }

  @Test
  void aPushThatRollsBackPokesNobody() {
    database.next(Fate.AWAY);

    assertThatThrownBy(() -> push(increments(1, 3)))
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(pokes.poked()).isEmpty();
    assertThat(lastMutationID()).isZero();
  }

  @Test
  void whereNobodyKnowsWhetherItWasCommittedTheMembersArePokedToo() {
    push(
        List.of(
            mutation(1, "createRoom", JsonValue.of("plan")),
            mutation(
                2,
                "join",
                JsonValue.object()
                    .with("room", "plan")
                    .with("user", "bob")
                    .with("role", "reader")
                    .build())));
    pokes.clear();
    database.next(Fate.COMMIT_AND_AWAY);

    assertThatThrownBy(() ->
            push(
                List.of(
                    mutation(
                        3,
                        "put",
                        JsonValue.object()
                            .with("room", "plan")
                            .with("key", "n")
                            .with("value", 1)
                            .build()))))
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(lastMutationID()).isEqualTo(3);
    assertThat(pokes.poked()).containsExactlyInAnyOrder("alice", "bob");
  }

  @Test
  void aTransactionThatIsRunAgainCountsAndPokesAndLogsOnce() {
    database.next(Fate.CONFLICT, Fate.CONFLICT);
    List<Mutation> mutations = new ArrayList<>(increments(1, 3));
    mutations.add(mutation(4, "rejectAfterWrite", JsonValue.of("n")));

    try (LogCapture log = new LogCapture()) {
      push(mutations);

      assertThat(log.lines("mutation-rejected")).hasSize(1);
    }
    assertThat(n()).isEqualTo(3);
    assertThat(lastMutationID()).isEqualTo(4);
    assertThat(pokes.poked()).containsExactlyInAnyOrder("alice");
  }

  private String toldOfBug(RuntimeException bug, boolean tellsOfBugs) {
    List<RejectionStore.Kept> told = new ArrayList<>();
    Mutators mutators =
        () ->
            Map.of(
                "fail",
                (_, _) -> {
                  throw bug;
                });
    push =
        pushOf(
            mutators,
            Duration.ofMinutes(1),
            new Push.Feedback(
                tellsOfBugs,
                (userId, kept) -> {
                  assertThat(userId).isEqualTo("alice");
                  told.addAll(kept);
                },
                TestStorage.inspector(tellsOfBugs)));
    push(List.of(mutation((int) lastMutationID() + 1, "fail", JsonValue.ofNull())));
    assertThat(told).hasSize(1);
    JsonValue rejection = JsonValue.parse(told.getFirst().json());
    assertThat(rejection.get("code").asText()).isEqualTo("failed");
    return rejection.get("message").asText();
  }

  @Test
  void whoDevelopsIsToldWhatWentWrongAndWhere() {
    assertThat(toldOfBug(new IllegalStateException("the shelf is gone"), true))
        .startsWith("java.lang.IllegalStateException: the shelf is gone at ")
        .contains("PushTest.whoDevelopsIsToldWhatWentWrongAndWhere(PushTest.java:");
    assertThat(
            toldOfBug(new MutatorFailedException("no shelf", Optional.of("rules.js:12:5")), true))
        .isEqualTo("no shelf (rules.js:12:5)");
    assertThat(toldOfBug(new MutatorFailedException("no shelf", Optional.empty()), true))
        .isEqualTo("no shelf");
    for (RuntimeException bug :
        List.of(
            new IllegalStateException("the shelf is gone"),
            new MutatorFailedException("no shelf", Optional.of("rules.js:12:5")))) {
      assertThat(toldOfBug(bug, false)).isEqualTo("The mutator failed.");
    }
  }

  @Test
  void aFailureThatBringsItsPositionIsLoggedWithIt() {
    try (LogCapture log = new LogCapture()) {
      toldOfBug(new MutatorFailedException("no shelf", Optional.of("rules.js:12:5")), false);

      assertThat(log.lines("mutation-failed"))
          .containsExactly(
              "event=mutation-failed name=\"fail\" reason=\"no shelf\" position=\"rules.js:12:5\"");
    }
  }

  @Test
  void aTransactionThatIsRunAgainTellsOfARejectionOnce() {
    database.next(Fate.CONFLICT, Fate.CONFLICT);

    toldOfBug(new IllegalStateException("again"), false);

    assertThat(TestDatabase.number(database, "SELECT COUNT(*) FROM rejection")).isOne();
  }

  @Test
  void theLogIsNotFloodedByAPushOfNonsense() {
    try (LogCapture log = new LogCapture()) {
      push(
          IntStream.rangeClosed(1, 400)
              .mapToObj(id -> mutation(id, "nonsense", JsonValue.ofNull()))
              .toList());

      assertThat(log.lines("mutation-failed")).hasSize(5);
    }
    assertThat(lastMutationID()).isEqualTo(400);
  }

  @Test
  void aForeignClientTakesItsWholeTransactionBackAndNothingBeforeIt() {
    push.push(
        TestPusher.of("bob"),
        new PushRequest("p2", "g2", "", List.of(new Mutation(1, "c2", "look", "null")), false));
    pokes.clear();
    List<Mutation> mutations = new ArrayList<>(increments(1, PushBatch.MAX_RUN + 10));
    mutations.add(new Mutation(2, "c2", "look", "null"));

    assertThatThrownBy(() -> push(mutations)).isInstanceOf(ProblemException.class);

    assertThat(lastMutationID()).isEqualTo(PushBatch.MAX_RUN);
    assertThat(n()).isEqualTo(PushBatch.MAX_RUN);
    assertThat(pokes.poked()).containsExactlyInAnyOrder("alice");
  }

  @Test
  void aMutatorThatSwallowsARejectionKeepsWhatElseItDid() {
    push =
        pushOf(() ->
            Map.of(
                "swallow",
                (transaction, _) -> {
                  try {
                    transaction.put("k".repeat(2_000), JsonValue.of(1));
                  } catch (RejectedException _) {
                    transaction.put("n", JsonValue.of(1));
                  }
                }));

    assertThat(push(List.of(mutation(1, "swallow", JsonValue.ofNull()))))
        .isEqualTo(Push.Outcome.DONE);

    assertThat(n()).isOne();
  }

  @Test
  void aMutatorWhoseClassIsBrokenFailsAlone() {
    push =
        pushOf(() ->
            Map.of(
                "broken",
                (_, _) -> {
                  throw new NoClassDefFoundError("x");
                },
                "asserts",
                (_, _) -> {
                  throw new AssertionError("x");
                }));

    push(
        List.of(
            mutation(1, "broken", JsonValue.ofNull()),
            mutation(2, "asserts", JsonValue.ofNull()),
            mutation(3, "put", JsonValue.object().with("key", "n").with("value", 7).build())));

    assertThat(n()).isEqualTo(7);
    assertThat(lastMutationID()).isEqualTo(3);
  }

  /// A mutator can throw what it does not declare, as one in another language does.
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <T extends Throwable> void throwAnything(Throwable thrown) throws T {
    throw (T) thrown;
  }

  private static Mutators throwing(Throwable thrown) {
    return () ->
        Map.of(
            "throw",
            (transaction, _) -> {
              transaction.put("half", JsonValue.of(1));
              PushTest.<RuntimeException>throwAnything(thrown);
            });
  }

  static Stream<Throwable> whatAMutatorThrows() {
    return Stream.of(
        new Error("x"),
        new ExceptionInInitializerError("x"),
        new ServiceConfigurationError("x"),
        new CoderMalfunctionError(new IllegalStateException("x")),
        new StackOverflowError(),
        new IOException("x"),
        new Throwable("x"));
  }

  @ParameterizedTest
  @MethodSource("whatAMutatorThrows")
  void whateverAMutatorThrowsItsMutationAloneFails(Throwable thrown) {
    push = pushOf(throwing(thrown));

    try (LogCapture log = new LogCapture()) {
      push(
          List.of(
              mutation(1, "throw", JsonValue.ofNull()),
              mutation(2, "put", JsonValue.object().with("key", "n").with("value", 7).build())));

      assertThat(log.lines("mutation-failed"))
          .singleElement()
          .asString()
          .contains(thrown.getClass().getName());
    }
    assertThat(n()).isEqualTo(7);
    assertThat(lastMutationID()).isEqualTo(2);
    assertThat(TestDatabase.number(database, "SELECT COUNT(*) FROM entry")).isOne();
  }

  @Test
  void memoryThatRanOutIsNotTheMutationsFault() {
    push = pushOf(throwing(new OutOfMemoryError("x")));

    assertThatThrownBy(() -> push(List.of(mutation(1, "throw", JsonValue.ofNull()))))
        .isInstanceOf(OutOfMemoryError.class);

    assertThat(lastMutationID()).isZero();
  }

  @Test
  void aMutatorThatSaysItWasInterruptedIsToComeAgain() {
    push = pushOf(throwing(new InterruptedException()));

    assertThatThrownBy(() -> push(List.of(mutation(1, "throw", JsonValue.ofNull()))))
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(lastMutationID()).isZero();
    assertThat(push(increments(1, 1))).isEqualTo(Push.Outcome.DONE);
  }

  @Test
  void aPushWhoseCallerIsInterruptedIsToComeAgainAndTheCallerKeepsTheInterrupt() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    push =
        pushOf(() ->
            Map.of(
                "wait",
                (_, _) -> {
                  begun.countDown();
                  try {
                    new CountDownLatch(1).await();
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new IllegalStateException(e);
                  }
                }));
    AtomicReference<Boolean> isInterrupted = new AtomicReference<>();
    Thread caller =
        Thread.startVirtualThread(() -> {
          assertThatThrownBy(() -> push(List.of(mutation(1, "wait", JsonValue.ofNull()))))
              .isInstanceOf(DatabaseUnavailableException.class);
          isInterrupted.set(Thread.currentThread().isInterrupted());
        });
    begun.await();

    caller.interrupt();
    caller.join();

    assertThat(isInterrupted).hasValue(true);
    assertThat(lastMutationID()).isZero();
    push = pushOf(new TestMutators());
    assertThat(push(increments(1, 1))).isEqualTo(Push.Outcome.DONE);
  }

  @Test
  void aFailedMutationTellsWhereItFailedAndNotWithWhat() {
    try (LogCapture log = new LogCapture()) {
      push(List.of(mutation(1, "failAfterWrite", JsonValue.of("n"))));

      assertThat(log.lines("mutation-failed"))
          .singleElement()
          .asString()
          .contains("IllegalStateException at dev.replistream.sync.TestMutators")
          .doesNotContain("content");
    }
  }

  private static JsonValue join(String user) {
    return JsonValue.object()
        .with("room", "team1")
        .with("user", user)
        .with("role", "reader")
        .build();
  }

  @Test
  void theLimitsOfRoomsHoldForMutatorsToo() {
    push(
        List.of(
            mutation(1, "createRoom", JsonValue.of("team1")),
            mutation(2, "createRoom", JsonValue.of("team2")),
            mutation(3, "createRoom", JsonValue.of("team3")),
            mutation(4, "join", join("bob")),
            mutation(5, "join", join("carol")),
            mutation(6, "join", join("dave"))));

    assertThat(TestDatabase.number(database, "SELECT COUNT(*) FROM room")).isEqualTo(2);
    assertThat(pokes.poked()).containsExactlyInAnyOrder("alice", "bob", "carol");
    assertThat(TestDatabase.number(database, "SELECT last_mutation_id FROM client")).isEqualTo(6);
  }
}
