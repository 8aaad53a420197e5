package dev.replistream.room;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.Eventually;
import dev.replistream.db.Changes;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseListener;
import dev.replistream.db.Databases;
import dev.replistream.db.TestPostgres;
import dev.replistream.poke.PokeBus;
import dev.replistream.poke.PokedUsers;
import java.sql.ResultSet;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Two nodes on one PostgreSQL, of which one may not come to its pokes.
class OutboxTest {
  private Database database;
  private final PokedUsers nearUsers = new PokedUsers();
  private final PokedUsers farUsers = new PokedUsers();
  private Outbox near;
  private Outbox far;

  @BeforeEach
  void open() {
    database =
        Databases.open(TestPostgres.settings(TestPostgres.newDatabase()), DatabaseListener.NONE);
    near = new Outbox(database, nearUsers.bus(), new Changes(), true);
    far = new Outbox(database, farUsers.bus(), new Changes(), true);
  }

  @AfterEach
  void close() {
    near.close();
    far.close();
    database.close();
  }

  private int owed() {
    return database.inSnapshot(session -> {
      try (ResultSet row = session.prepare("SELECT count(*) FROM owed_poke").executeQuery()) {
        row.next();
        return row.getInt(1);
      }
    });
  }

  private static void change(Outbox outbox, String... users) {
    outbox.change(
        users.length == 0 ? "" : users[0],
        PokeBus.Source.PUSH,
        owed -> owed.inTransaction(_ -> 1, _ -> Set.of(users), _ -> {}));
  }

  /// Commits, and dies before anybody is poked.
  private void commitAndDie(String... users) {
    nearUsers.whilePoking(() -> {
      throw new IllegalStateException("dead");
    });
    assertThatThrownBy(() -> change(near, users)).hasMessage("dead");
  }

  @Test
  void whatIsPokedIsCrossedOutAndPokedByNobodyElse() {
    far.start();
    near.start();

    change(near, "alice", "bob");

    assertThat(nearUsers.poked()).containsExactly("alice", "bob");
    Eventually.holds("nothing is owed", () -> owed() == 0);
    assertThat(farUsers.poked()).isEmpty();
  }

  @Test
  void aStopCrossesOutWhatIsPokedAtOnce() {
    near.start();
    change(near, "alice", "bob");

    near.close();

    assertThat(owed()).isZero();
  }

  @Test
  void whatANodeDidNotComeToIsPokedByAnother() {
    far.start();

    commitAndDie("alice", "bob");

    assertThat(owed()).isEqualTo(1);
    Eventually.holdsWithin(
        Duration.ofSeconds(10),
        "the other one pokes",
        () -> farUsers.poked().containsAll(Set.of("alice", "bob")));
    Eventually.holds("nothing is owed", () -> owed() == 0);
    assertThat(farUsers.poked()).hasSize(2);
  }

  @Test
  void whatConcernsNobodyIsNotWrittenDown() {
    change(near);

    assertThat(owed()).isZero();
    assertThat(nearUsers.poked()).isEmpty();
  }

  @Test
  void aTransactionThatIsRolledBackOwesNothing() {
    assertThatThrownBy(() ->
            near.change(
                "alice",
                PokeBus.Source.PUSH,
                owed ->
                    owed.inTransaction(
                        _ -> {
                          throw new IllegalStateException("no");
                        },
                        _ -> Set.of("alice"),
                        _ -> {})))
        .hasMessage("no");

    assertThat(owed()).isZero();
    assertThat(nearUsers.poked()).isEmpty();
  }
}
