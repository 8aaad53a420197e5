package dev.replistream.data;

import dev.replistream.api.JsonValue;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.db.Session;
import dev.replistream.db.Upkeep;
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

/// Delivers pokes, even if the node dies before it comes to them.
///
/// Where several nodes share the database, a transaction also writes down whom it concerns, and
/// that is crossed out once they have been poked. An entry that is five seconds old was left by a
/// node that died in between, or was cut off, and any node pokes for it (the pattern is known as a
/// transactional outbox). Whom a node pokes for other reasons is written down too while it can't
/// tell the other nodes. A node that is alone needs none of that: its streams die with it, and
/// their clients come back with an id that the next process does not know.
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
  private final boolean isKept;
  private final LinkedBlockingQueue<String> poked = new LinkedBlockingQueue<>();
  private final Upkeep upkeep = new Upkeep("outbox", this::crossOutAndSweep);
  private volatile boolean isBehind; // the last crossing out failed
  private long sweptNanos = System.nanoTime(); // of the upkeep's thread

  /// @param isKept whether several nodes share the database, which then is PostgreSQL
  public Outbox(Database database, PokeBus bus, boolean isKept) {
    this.database = database;
    this.bus = bus;
    this.isKept = isKept;
  }

  /// Begins to look for what others have left.
  public void start() {
    if (isKept) {
      upkeep.start(CROSS_OUT, CROSS_OUT);
    }
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

  /// Writes down whom a transaction concerns, in it.
  ///
  /// @param id of the transaction, for {@link #deliver}
  void keep(Session session, String id, Set<String> users) throws SQLException {
    if (isKept && !users.isEmpty()) {
      insert(session, id, users);
    }
  }

  /// Pokes whom some committed transactions concern, those of `prompt` first, and lets what was
  /// written down of them be crossed out.
  void deliver(List<String> ids, Set<String> users, String prompt, PokeBus.Source source) {
    bus.poke(users, prompt, source);
    if (isKept && bus.isAvailable()) {
      poked.addAll(ids);
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
            "event=pokes-recovered transactions={0} users={1} notified={2}",
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
