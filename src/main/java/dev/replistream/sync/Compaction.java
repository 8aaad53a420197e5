package dev.replistream.sync;

import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/// Keeps the database from growing for ever: from time to time it removes old tombstones and folds
/// idle clients. Each node does so; they don't disturb each other.
///
/// It owns one thread, from {@link #start} to {@link #close}, which are for one thread; {@link
/// #compact} may be called by any.
public final class Compaction implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(Compaction.class.getName());

  private final SyncSettings settings;
  private final Clock clock;
  private final Tombstones tombstones;
  private final IdleClients clients;
  private @Nullable Thread thread;

  /// A compaction that was not started.
  public Compaction(Database database, SyncSettings settings, Clock clock) {
    this.settings = settings;
    this.clock = clock;
    tombstones = new Tombstones(database);
    clients = new IdleClients(database);
  }

  /// Begins to compact, the first time within the interval: nodes that start at once spread, and
  /// one that is restarted often still comes to it.
  public void start() {
    long first = ThreadLocalRandom.current().nextLong(settings.compactionInterval().toMillis() + 1);
    thread = Thread.ofVirtual().name("compaction").start(() -> run(Duration.ofMillis(first)));
  }

  private void run(Duration first) {
    Duration pause = first;
    while (!Thread.currentThread().isInterrupted()) {
      try {
        Thread.sleep(pause);
        compact();
      } catch (InterruptedException _) {
        return;
      } catch (DatabaseUnavailableException _) {
        // the database has told the log; the next time will do
      } catch (RuntimeException e) {
        LOGGER.log(Level.ERROR, "event=compaction-failed", e);
      }
      pause = settings.compactionInterval();
    }
  }

  /// Compacts once.
  ///
  /// @throws DatabaseUnavailableException when it could not be done to its end
  void compact() {
    Instant now = clock.instant();
    int removed = tombstones.remove(now.minus(settings.tombstoneMaxAge()));
    int folded = clients.fold(now.minus(settings.clientMaxAge()));
    LOGGER.log(
        removed + folded > 0 ? Level.INFO : Level.DEBUG,
        "event=compaction tombstones={0,number,#} clients={1,number,#}",
        removed,
        folded);
  }

  /// Ends the thread; a transaction under way ends first.
  @Override
  public void close() {
    Thread running = thread;
    if (running != null) {
      running.interrupt();
      try {
        running.join();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
