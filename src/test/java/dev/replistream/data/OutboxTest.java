package dev.replistream.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.Eventually;
import dev.replistream.LogCapture;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseListener;
import dev.replistream.db.Databases;
import dev.replistream.db.TestPostgres;
import dev.replistream.nodes.RedisNode;
import dev.replistream.poke.PokeBus;
import dev.replistream.poke.PokedUsers;
import java.sql.ResultSet;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Two nodes on one PostgreSQL, of which one may not come to its pokes.
class OutboxTest {
  private String url = "";
  private Database database;
  private final PokedUsers nearUsers = new PokedUsers();
  private final PokedUsers farUsers = new PokedUsers();
  private Outbox near;
  private Outbox far;

  @BeforeEach
  void open() {
    url = TestPostgres.newDatabase();
    database = Databases.open(TestPostgres.settings(url), DatabaseListener.NONE);
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

  private void change(Outbox outbox, String... users) {
    new Transactions(database, outbox, new Journal(Duration.ZERO), _ -> {}, _ -> {})
        .change(
            users.length == 0 ? "" : users[0],
            PokeBus.Source.PUSH,
            (_, spaces) -> {
              List.of(users).forEach(spaces::concerns);
              return users;
            });
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

  /// The stop waits for a statement under way: an interrupt would break its connection.
  @Test
  void aStopDuringTheCrossingOutBreaksNothing() throws InterruptedException {
    change(near, "alice");
    CountDownLatch locked = new CountDownLatch(1);
    CompletableFuture<Void> goOn = new CompletableFuture<>();
    Thread holder =
        Thread.startVirtualThread(() ->
            database.inTransaction(session -> {
              session.prepare("SELECT id FROM owed_poke FOR UPDATE").executeQuery();
              locked.countDown();
              goOn.join();
              return 1;
            }));
    locked.await();
    near.start();
    Eventually.holds("it waits for the lock", () -> backend("wait_event_type = 'Lock'") > 0);
    int waiting = backend("wait_event_type = 'Lock'");

    Thread closer = Thread.startVirtualThread(near::close);
    Eventually.holds("the stop waits", () -> closer.getState() == Thread.State.WAITING);
    goOn.complete(null);
    closer.join();
    holder.join();

    assertThat(owed()).isZero();
    assertThat(backend("pid = " + waiting)).as("its connection").isEqualTo(waiting);
  }

  /// The process of the server's that serves a connection; 0 when there is none.
  private int backend(String condition) {
    return database.inSnapshot(session -> {
      String sql =
          "SELECT max(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
              + condition;
      try (ResultSet row = session.prepare(sql).executeQuery()) {
        row.next();
        return row.getInt(1);
      }
    });
  }

  /// What is poked without a pause must not keep the node from looking after the others.
  @Test
  void whoPokesAllTheTimeSweepsToo() {
    AtomicReference<@Nullable Runnable> poker = new AtomicReference<>();
    DatabaseListener afterEach =
        new DatabaseListener() {
          @Override
          public void transactionEnded(Duration took, boolean committed) {
            Runnable poke = poker.get();
            if (poke != null
                && Thread.currentThread().getName().equals("outbox")
                && poker.compareAndSet(poke, null)) { // as it is a transaction too
              poke.run();
              poker.compareAndSet(null, poke);
            }
          }
        };
    try (Database busyDatabase = Databases.open(TestPostgres.settings(url), afterEach);
        Outbox busy = new Outbox(busyDatabase, farUsers.bus(), true)) {
      commitAndDie("alice");
      change(busy, "bob");
      poker.set(() -> change(busy, "bob"));
      busy.start();
      try {
        Eventually.holds("alice is poked", () -> farUsers.poked().contains("alice"));
      } finally {
        // else the stop would never come to an end of it
        Eventually.holds("nobody pokes any more", () -> poker.getAndSet(null) != null);
      }
    }
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
  void whomANodePokesThatIsCutOffIsWrittenDownAtOnceAndPokedByAnother() {
    try (LogCapture _ = new LogCapture();
        RedisNode cutOff = new RedisNode("redis://127.0.0.1:1", "test");
        Outbox own = new Outbox(database, cutOff.bus(), true)) {
      own.poke(List.of("alice", "bob"), PokeBus.Source.SERVICE);
    }
    assertThat(owed()).isEqualTo(1);

    far.start();

    Eventually.holds("nothing is owed", () -> owed() == 0);
    assertThat(farUsers.poked()).containsExactlyInAnyOrder("alice", "bob");
  }

  @Test
  void whatConcernsNobodyIsNotWrittenDown() {
    change(near);

    assertThat(owed()).isZero();
    assertThat(nearUsers.poked()).isEmpty();
  }

  @Test
  void aTransactionThatIsRolledBackOwesNothing() {
    Transactions transactions =
        new Transactions(database, near, new Journal(Duration.ZERO), _ -> {}, _ -> {});

    assertThatThrownBy(() ->
            transactions.change(
                "alice",
                PokeBus.Source.PUSH,
                (_, spaces) -> {
                  spaces.concerns("alice");
                  throw new IllegalStateException("no");
                }))
        .hasMessage("no");

    assertThat(owed()).isZero();
    assertThat(nearUsers.poked()).isEmpty();
  }
}
