package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.LogCapture;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.http.JsonValue;
import dev.replistream.http.ProblemException;
import dev.replistream.room.RoomSettings;
import dev.replistream.sync.FlakyDatabase.Fate;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Pushes on a database that fails now and then.
class PushTest {
  @TempDir private Path directory;
  private FlakyDatabase database;
  private Push push;
  private final List<Set<String>> pokes = new ArrayList<>();

  @BeforeEach
  void open() {
    database = new FlakyDatabase(TestDatabase.sqlite(directory));
    push = pushOf(new TestMutators());
  }

  private Push pushOf(Mutators mutators) {
    return new Push(
        database,
        MutatorRegistry.of(List.of(mutators)),
        1_000,
        new RoomSettings(2, 3),
        Clock.systemUTC(),
        (_, users) -> {
          if (!users.isEmpty()) {
            pokes.add(Set.copyOf(users));
          }
        },
        new SyncMetrics(Services.get(MetricsFactory.class).globalRegistry()));
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
    return push.push("alice", new PushRequest("p1", "g1", "", mutations));
  }

  private long n() {
    List<Long> values = new ArrayList<>();
    database.inTransaction(session -> {
      byte[] value =
          new EntryStore(session, java.time.Instant.now())
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
    assertThat(pokes).containsExactly(Set.of("alice"));
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
    assertThat(pokes).containsExactly(Set.of("alice"));

    push(increments(1, 1_200));
    assertThat(n()).isEqualTo(1_200);
  }

  @Test
  void aPushThatRollsBackPokesNobody() {
    database.next(Fate.AWAY);

    assertThatThrownBy(() -> push(increments(1, 3)))
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(pokes).isEmpty();
    assertThat(lastMutationID()).isZero();
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
    assertThat(pokes).containsExactly(Set.of("alice"));
  }

  @Test
  void theLogIsNotFloodedByAPushOfNonsense() {
    try (LogCapture log = new LogCapture()) {
      push(
          IntStream.rangeClosed(1, 400)
              .mapToObj(id -> mutation(id, "nonsense", JsonValue.ofNull()))
              .toList());

      assertThat(log.lines("mutation-failed")).hasSize(10);
    }
    assertThat(lastMutationID()).isEqualTo(400);
  }

  @Test
  void aForeignClientTakesItsWholeTransactionBackAndNothingBeforeIt() {
    push.push(
        "bob", new PushRequest("p2", "g2", "", List.of(new Mutation(1, "c2", "look", "null"))));
    pokes.clear();
    List<Mutation> mutations = new ArrayList<>(increments(1, PushBatch.MAX_RUN + 10));
    mutations.add(new Mutation(2, "c2", "look", "null"));

    assertThatThrownBy(() -> push(mutations)).isInstanceOf(ProblemException.class);

    assertThat(lastMutationID()).isEqualTo(PushBatch.MAX_RUN);
    assertThat(n()).isEqualTo(PushBatch.MAX_RUN);
    assertThat(pokes).containsExactly(Set.of("alice"));
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
    assertThat(pokes).containsExactly(Set.of("alice", "bob", "carol"));
    assertThat(TestDatabase.number(database, "SELECT last_mutation_id FROM client")).isEqualTo(6);
  }
}
