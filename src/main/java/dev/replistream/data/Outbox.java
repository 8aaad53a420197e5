package dev.replistream.data;

import dev.replistream.api.JsonValue;
import dev.replistream.db.Changes;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.db.Session;
import dev.replistream.db.Upkeep;
import dev.replistream.db.Work;
import dev.replistream.poke.PokeBus;
import dev.replistream.poke.Poker;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Transactions, and the pokes that they owe: whom a change concerns is poked after its commit, and
/// only then; also where nobody knows whether it was committed, as one poke too many does no harm.
///
/// Where several nodes share the database, a transaction also writes down whom it concerns, and
/// that is crossed out once they have been poked. What stands there for five seconds was left by a
/// node that died in between, or was cut off: any node pokes for it (the pattern is known as a
/// transactional outbox). So is whom it pokes for other reasons while it can't tell the other
/// nodes. A node that is alone needs none of that: its streams die with it, and their clients come
/// back with an id that the next process does not know.
///
/// Thread-safe. It owns one thread, from {@link #start} to {@link #close}.
public final class Outbox implements Poker, AutoCloseable {
  private static final Logger LOGGER = System.getLogger(Outbox.class.getName());
  private static final Duration CROSS_OUT = Duration.ofMillis(200);
  private static final Duration SWEEP = Duration.ofSeconds(2);
  private static final int MAX_SWEPT = 500;

  /// The database's own time, which is one for all nodes.
  private static final String NOW_MILLIS =
      "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";

  /// How many are crossed out in one statement.
  private static final int MAX_CROSSED_OUT = 10_000;

  private final Database database;
  private final PokeBus bus;
  private final Changes changes;
  private final boolean isKept;
  private final LinkedBlockingQueue<String> poked = new LinkedBlockingQueue<>();
  private final Upkeep upkeep = new Upkeep("outbox", this::crossOutAndSweep);
  private volatile boolean isBehind; // the last crossing out failed
  private long sweptNanos = System.nanoTime(); // of the upkeep's thread

  /// @param changes holds up the stop of the service from a commit to its pokes
  /// @param isKept whether several nodes share the database, which then is PostgreSQL
  public Outbox(Database database, PokeBus bus, Changes changes, boolean isKept) {
    this.database = database;
    this.bus = bus;
    this.changes = changes;
    this.isKept = isKept;
  }

  /// Begins to look for what others have left.
  public void start() {
    if (isKept) {
      upkeep.start(CROSS_OUT, CROSS_OUT);
    }
  }

  /// Runs the transactions of one request, and then pokes those whom they concern, however they
  /// end. A stop of the service waits for it.
  ///
  /// @param prompt the user who makes the changes, and is poked first
  /// @throws DatabaseUnavailableException when the service stops, beside what `requests` throws
  public <T> T change(String prompt, PokeBus.Source source, Function<Owed, T> requests) {
    return changes.make(() -> {
      Owed owed = new Owed();
      try {
        return requests.apply(owed);
      } finally {
        owed.poke(prompt, source);
      }
    });
  }

  @Override
  public int poke(Collection<String> userIds, PokeBus.Source source) {
    int notified = 0;
    for (String userId : userIds) {
      notified += bus.poke(userId, source);
    }
    keepUntold(userIds);
    return notified;
  }

  /// Pokes the members of a room as {@link PokeBus#poke(Set, String, PokeBus.Source)} does.
  public int poke(Set<String> userIds, String prompt, PokeBus.Source source) {
    int notified = bus.poke(userIds, prompt, source);
    keepUntold(userIds);
    return notified;
  }

  /// Writes down who was poked while other nodes can't be told, so that they are though this node
  /// dies before it can.
  private void keepUntold(Collection<String> users) {
    if (isKept && !bus.isAvailable() && !users.isEmpty() && database.isAvailable()) {
      try {
        database.inTransaction(session -> {
          insert(session, UUID.randomUUID().toString(), users);
          return users;
        });
      } catch (DatabaseUnavailableException _) {
        // the bus tells them, should this node live
      }
    }
  }

  /// Runs transactions and keeps whom they concern. Confined to one thread.
  public final class Owed {
    private final Set<String> users = new HashSet<>();
    private final List<String> ids = new ArrayList<>();

    private Owed() {}

    /// Runs `work` in a transaction.
    ///
    /// @param concerned tells of its result whom to poke once it is committed
    /// @param committed is told of its result after the commit, before anybody is poked
    /// @throws DatabaseUnavailableException as {@link Database#inTransaction} does
    public <T> T inTransaction(
        Work<T> work, Function<T, Set<String>> concerned, Consumer<T> committed) {
      AtomicReference<@Nullable Runnable> then = new AtomicReference<>();
      String id = UUID.randomUUID().toString();
      try {
        return database.inTransaction(session -> {
          T changed = work.run(session);
          Set<String> whom = concerned.apply(changed);
          then.set(() -> {
            add(id, whom);
            committed.accept(changed);
          });
          if (isKept && !whom.isEmpty()) {
            insert(session, id, whom);
          }
          return changed;
        });
      } catch (DatabaseUnavailableException e) {
        if (!e.mayBeCommitted()) {
          then.set(null);
        }
        throw e;
      } catch (RuntimeException | Error e) {
        then.set(null);
        throw e;
      } finally {
        Runnable afterCommit = then.get();
        if (afterCommit != null) {
          afterCommit.run();
        }
      }
    }

    private void add(String id, Set<String> concerned) {
      users.addAll(concerned);
      if (!concerned.isEmpty()) {
        ids.add(id);
      }
    }

    private void poke(String prompt, PokeBus.Source source) {
      if (users.isEmpty()) {
        return;
      }
      bus.poke(users, prompt, source);
      if (isKept && bus.isAvailable()) {
        poked.addAll(ids);
      }
    }
  }

  private static void insert(Session session, String id, Collection<String> users)
      throws SQLException {
    PreparedStatement insert =
        session.prepare(
            "INSERT INTO owed_poke (id, users, since) VALUES (?, ?, " + NOW_MILLIS + ")");
    insert.setString(1, id);
    insert.setBytes(2, JsonValue.array(users.stream().map(JsonValue::of).toList()).toBytes());
    insert.executeUpdate();
  }

  /// What can't be crossed out now the sweep comes to.
  private void crossOutAndSweep() {
    crossOut();
    if (System.nanoTime() - sweptNanos >= SWEEP.toNanos()) {
      sweptNanos = System.nanoTime();
      while (!upkeep.isClosing() && bus.isAvailable() && sweep() == MAX_SWEPT) {
        // there is more
      }
    }
  }

  /// Many at once cost little more than one.
  private void crossOut() {
    List<String> ids = new ArrayList<>();
    do {
      ids.clear();
      poked.drainTo(ids, MAX_CROSSED_OUT);
      if (!ids.isEmpty()) {
        isBehind = true;
        database.inTransaction(session -> {
          delete(session, ids);
          return ids.size();
        });
        isBehind = false;
      }
    } while (ids.size() == MAX_CROSSED_OUT); // what comes meanwhile can wait for the next time
  }

  private static void delete(Session session, List<String> ids) throws SQLException {
    PreparedStatement delete = session.prepare("DELETE FROM owed_poke WHERE id = ANY (?)");
    delete.setArray(1, delete.getConnection().createArrayOf("text", ids.toArray()));
    delete.executeUpdate();
  }

  /// Pokes for nodes that did not come to it.
  ///
  /// @return for how many transactions
  private int sweep() {
    return database.inTransaction(session -> {
      List<String> ids = new ArrayList<>();
      Set<String> users = new HashSet<>();
      PreparedStatement select =
          session.prepare(
              "SELECT id, users FROM owed_poke WHERE since < "
                  + NOW_MILLIS
                  + " - 5000 ORDER BY since LIMIT "
                  + MAX_SWEPT
                  + " FOR UPDATE SKIP LOCKED");
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          ids.add(rows.getString(1));
          JsonValue.parse(rows.getBytes(2)).asElements().forEach(user -> users.add(user.asText()));
        }
      }
      if (!ids.isEmpty()) {
        int notified = bus.poke(users, "", PokeBus.Source.PUSH);
        if (!bus.isAvailable()) {
          return 0; // not crossed out: the others have not heard of it
        }
        delete(session, ids);
        LOGGER.log(
            Level.WARNING,
            "event=owed-pokes transactions={0} users={1} notified={2}",
            String.valueOf(ids.size()),
            String.valueOf(users.size()),
            String.valueOf(notified));
      }
      return ids.size();
    });
  }

  /// Ends the thread, after what is to be crossed out was.
  @Override
  public void close() {
    upkeep.close();
    if (!isBehind) { // else the database is away, and the stop need not wait for it again
      try {
        crossOut();
      } catch (DatabaseUnavailableException _) {
        // another node pokes once too often
      }
    }
  }
}
