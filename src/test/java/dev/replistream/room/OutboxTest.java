package dev.replistream.room;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
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
    near = new Outbox(database, nearUsers.bus(), true);
    far = new Outbox(database, farUsers.bus(), true);
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

  private static Outbox.Owed change(Outbox outbox, String... users) {
    Outbox.Owed owed = outbox.owed();
    owed.inTransaction(_ -> 1, _ -> Set.of(users));
    return owed;
  }

  @Test
  void whatIsPokedIsCrossedOutAndPokedByNobodyElse() {
    far.start();
    near.start();

    change(near, "alice", "bob").poke("alice", PokeBus.Source.PUSH);

    assertThat(nearUsers.poked()).containsExactly("alice", "bob");
    Eventually.holds("nothing is owed", () -> owed() == 0);
    assertThat(farUsers.poked()).isEmpty();
  }

  @Test
  void whatANodeDidNotComeToIsPokedByAnother() {
    far.start();

    change(near, "alice", "bob"); // and here it dies

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
    change(near).poke("alice", PokeBus.Source.PUSH);

    assertThat(owed()).isZero();
    assertThat(nearUsers.poked()).isEmpty();
  }

  @Test
  void aTransactionThatIsRolledBackOwesNothing() {
    Outbox.Owed owed = near.owed();
    try {
      owed.inTransaction(
          _ -> {
            throw new IllegalStateException("no");
          },
          _ -> Set.of("alice"));
    } catch (IllegalStateException _) {
      owed.poke("alice", PokeBus.Source.PUSH);
    }

    assertThat(owed()).isZero();
    assertThat(nearUsers.poked()).isEmpty();
  }
}
