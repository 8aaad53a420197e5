package dev.replistream.room;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.api.Role;
import dev.replistream.data.Actor;
import dev.replistream.data.Journal;
import dev.replistream.data.Outbox;
import dev.replistream.data.RoomLimits;
import dev.replistream.data.RoomSettings;
import dev.replistream.data.Transactions;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.poke.PokedUsers;
import dev.replistream.sync.FlakyDatabase;
import dev.replistream.sync.FlakyDatabase.Fate;
import dev.replistream.sync.TestDatabase;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Changes of rooms whose commit was lost on the way: it may have been one, and whoever asks again
/// finds nothing left to change, so that nobody would ever be poked.
class RoomsOfUnknownOutcomeTest {
  @TempDir private Path directory;
  private final PokedUsers poked = new PokedUsers();
  private FlakyDatabase database;
  private Rooms rooms;
  private Transactions transactions;

  @BeforeEach
  void open() {
    database = new FlakyDatabase(TestDatabase.sqlite(directory));
    RoomSettings limits = RoomLimits.direct(10, 10);
    Outbox outbox = new Outbox(database, poked.bus(), false);
    transactions = new Transactions(database, outbox, new Journal(Duration.ZERO), _ -> {}, _ -> {});
    rooms = new Rooms(database, transactions, outbox, limits, RoomRules.NOON);
  }

  @AfterEach
  void close() {
    database.close();
  }

  private void requireAway(Fate fate, Runnable change) {
    poked.clear();
    database.next(fate);
    assertThatThrownBy(change::run).isInstanceOf(DatabaseUnavailableException.class);
  }

  @Test
  void aStopWaitsForThePokesOfWhatIsCommitted() {
    rooms.create("room", "alice");
    List<Boolean> isWhole = new ArrayList<>();
    poked.whilePoking(() -> isWhole.add(transactions.stop(Duration.ZERO)));

    rooms.put("room", Actor.of("alice"), "bob", Role.READER, () -> {});

    assertThat(isWhole).containsExactly(false);
    assertThat(transactions.stop(Duration.ZERO)).isTrue();
    assertThatThrownBy(() -> rooms.create("late", "alice"))
        .isInstanceOf(DatabaseUnavailableException.class);
    assertThat(rooms.list("alice")).hasSize(1);
  }

  @Test
  void thoseWhomAChangeConcernsArePoked() {
    requireAway(Fate.COMMIT_AND_AWAY, () -> rooms.create("room", "alice"));
    assertThat(poked.poked()).containsExactly("alice");

    for (String member : List.of("bob", "eve")) {
      requireAway(
          Fate.COMMIT_AND_AWAY,
          () -> rooms.put("room", Actor.of("alice"), member, Role.READER, () -> {}));
      assertThat(poked.poked()).containsExactly(member);
    }

    requireAway(Fate.COMMIT_AND_AWAY, () -> rooms.remove("room", Actor.of("alice"), "eve"));
    assertThat(poked.poked()).containsExactly("eve");

    requireAway(Fate.COMMIT_AND_AWAY, () -> rooms.delete("room", Actor.of("alice")));
    assertThat(poked.poked()).containsExactlyInAnyOrder("alice", "bob");
    assertThat(rooms.list("bob")).isEmpty();
  }

  @Test
  void nobodyIsPokedForWhatWasRolledBackOrChangesNoView() {
    requireAway(Fate.AWAY, () -> rooms.create("room", "alice"));
    assertThat(poked.poked()).isEmpty();

    rooms.create("room", "alice");
    rooms.put("room", Actor.of("alice"), "bob", Role.READER, () -> {});
    requireAway(
        Fate.COMMIT_AND_AWAY,
        () -> rooms.put("room", Actor.of("alice"), "bob", Role.WRITER, () -> {}));
    assertThat(poked.poked()).isEmpty();

    requireAway(Fate.AWAY, () -> rooms.delete("room", Actor.of("alice")));
    assertThat(poked.poked()).isEmpty();
  }
}
