package dev.replistream.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.api.Role;
import dev.replistream.data.Transactions.Change;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.poke.PokeBus.Source;
import dev.replistream.poke.PokedUsers;
import dev.replistream.sync.FlakyDatabase;
import dev.replistream.sync.FlakyDatabase.Fate;
import dev.replistream.sync.TestDatabase;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Commit, pokes and stop, in their order.
class TransactionsTest {
  @TempDir private Path directory;
  private final PokedUsers pokes = new PokedUsers();

  /// Who was told of members and who was poked, in this order.
  private final List<String> seen = new CopyOnWriteArrayList<>();

  private FlakyDatabase database;
  private Transactions transactions;

  @BeforeEach
  void open() {
    database = new FlakyDatabase(TestDatabase.sqlite(directory));
    transactions =
        new Transactions(
            database,
            new Outbox(database, pokes.bus(), false),
            new Journal(Duration.ZERO),
            changes -> changes.forEach(change -> seen.add("member " + change.userId())),
            bytes -> seen.add("left behind " + bytes));
    pokes.whilePoking(() -> seen.add("poke"));
  }

  @AfterEach
  void close() {
    database.close();
  }

  private static Transactions.Step<String> room(String room, String owner, String... readers) {
    return (session, spaces) -> {
      RoomStore rooms = new RoomStore(session, spaces, Instant.EPOCH, RoomLimits.direct(10, 10));
      rooms.create(room, owner);
      for (String reader : readers) {
        rooms.put(room, Actor.of(owner), reader, Role.READER, () -> {});
      }
      return room;
    };
  }

  private static Transactions.Step<Long> write(String space) {
    return (_, spaces) -> spaces.raise(space);
  }

  @Test
  void whoReadsASpaceIsPokedForWhatIsWrittenInIt() {
    transactions.change("alice", Source.ROOM, room("plan", "alice", "bob"));
    pokes.clear();

    long version = transactions.change("eve", Source.PUSH, write("r/plan"));
    assertThat(version).isEqualTo(2);
    assertThat(pokes.poked()).containsExactlyInAnyOrder("alice", "bob");

    pokes.clear();
    transactions.change("eve", Source.PUSH, write("u/carol"));
    assertThat(pokes.poked()).containsExactly("carol");
  }

  @Test
  void membersAreToldOfBeforeAnybodyIsPokedAndThatOnceForAllTransactionsOfAChange() {
    try (Change change = transactions.begin("alice", Source.PUSH)) {
      change.inTransaction(room("one", "alice"));
      change.inTransaction(room("two", "alice", "bob"));

      assertThat(seen).containsOnly("member alice", "member bob").hasSize(3);
    }

    assertThat(seen.subList(3, seen.size())).containsExactly("poke", "poke");
    assertThat(pokes.poked()).containsExactly("alice", "bob");
  }

  @Test
  void whatWasCommittedPokesThoughALaterTransactionFails() {
    assertThatThrownBy(
            () -> {
              try (Change change = transactions.begin("alice", Source.PUSH)) {
                change.inTransaction(write("u/alice"));
                database.next(Fate.AWAY);
                change.inTransaction(write("u/bob"));
              }
            })
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(pokes.poked()).containsExactly("alice");
  }

  @Test
  void whatMayBeCommittedCountsAsCommitted() {
    database.next(Fate.COMMIT_AND_AWAY);

    assertThatThrownBy(() -> transactions.change("alice", Source.ROOM, room("plan", "alice")))
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(seen).containsExactly("member alice", "poke");
    assertThat(pokes.poked()).containsExactly("alice");
  }

  @Test
  void whatASavepointRollsBackConcernsNobody() {
    transactions.change(
        "alice",
        Source.PUSH,
        (session, spaces) -> {
          spaces.concerns("alice");
          assertThatThrownBy(() ->
                  spaces.inSavepoint(_ -> {
                    room("plan", "bob").run(session, spaces);
                    throw new IllegalStateException("no");
                  }))
              .hasMessage("no");
          return "done";
        });

    assertThat(seen).containsExactly("poke");
    assertThat(pokes.poked()).containsExactly("alice");
  }

  @Test
  void aStopWaitsForEachChangeToHavePokedAndBeginsNoMore() throws Exception {
    CountDownLatch begun = new CountDownLatch(2);
    CompletableFuture<Boolean> mayEnd = new CompletableFuture<>();
    List<Thread> threads = new ArrayList<>();
    for (String user : List.of("alice", "bob")) {
      threads.add(
          Thread.startVirtualThread(() -> {
            try (Change change = transactions.begin(user, Source.PUSH)) {
              change.inTransaction(write("u/" + user));
              begun.countDown();
              mayEnd.join();
            }
          }));
    }
    begun.await();

    assertThat(transactions.stop(Duration.ofMillis(1))).isFalse();
    assertThatThrownBy(() -> transactions.change("late", Source.PUSH, write("u/late")))
        .isInstanceOf(DatabaseUnavailableException.class)
        .hasMessage("the service stops");
    mayEnd.complete(true);
    assertThat(transactions.stop(Duration.ofMinutes(1))).isTrue();
    assertThat(pokes.poked()).containsExactlyInAnyOrder("alice", "bob");
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(transactions.stop(Duration.ZERO)).as("again").isTrue();
  }

  @Test
  void whatADeletedRoomLeavesBehindIsToldAfterTheCommitAndOnlyThen() {
    transactions.change("alice", Source.ROOM, room("plan", "alice"));
    TestDatabase.execute(
        database, "UPDATE space SET entry_bytes = 700, tombstone_bytes = 77 WHERE id = 'r/plan'");
    seen.clear();
    Transactions.Step<Set<String>> delete =
        (session, spaces) -> {
          RoomStore rooms =
              new RoomStore(session, spaces, Instant.EPOCH, RoomLimits.direct(10, 10));
          return rooms.delete("plan", Actor.of("alice"));
        };
    assertThatThrownBy(() ->
            transactions.change(
                "alice",
                Source.ROOM,
                (session, spaces) -> {
                  delete.run(session, spaces);
                  throw new IllegalStateException("rolled back");
                }))
        .isInstanceOf(IllegalStateException.class);
    assertThat(seen).isEmpty();

    transactions.change("alice", Source.ROOM, delete);

    assertThat(seen).contains("left behind 777");
  }
}
