package dev.replistream.sync;

import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Keeps the database from growing for ever: from time to time it buries what is left of deleted
/// rooms, removes old tombstones and folds idle clients. Each node does so; they don't disturb each
/// other.
///
/// It owns one thread, from {@link #start} to {@link #close}, which are for one thread; {@link
/// #compact} may be called by any.
public final class Compaction implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(Compaction.class.getName());

  private final SyncSettings settings;
  private final Clock clock;
  private final DeletedRooms deletedRooms;
  private final Tombstones tombstones;
  private final IdleClients clients;
  private final CountDownLatch closing = new CountDownLatch(1);
  private @Nullable Thread thread;

  /// A compaction that was not started.
  public Compaction(Database database, SyncSettings settings, Clock clock) {
    this.settings = settings;
    this.clock = clock;
    deletedRooms = new DeletedRooms(database);
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
    try {
      while (!closing.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
        compactOrLog();
        pause = settings.compactionInterval();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void compactOrLog() {
    try {
      compact();
    } catch (DatabaseUnavailableException _) {
      // the database has told the log; the next time will do
    } catch (RuntimeException e) {
      LOGGER.log(Level.ERROR, "event=compaction-failed", e);
    }
  }

  /// Compacts once.
  ///
  /// @throws DatabaseUnavailableException when it could not be done to its end
  void compact() {
    Instant now = clock.instant();
    int buried = deletedRooms.bury(now, this::isClosing);
    int removed = tombstones.remove(now.minus(settings.tombstoneMaxAge()), this::isClosing);
    int folded = clients.fold(now.minus(settings.clientMaxAge()), this::isClosing);
    LOGGER.log(
        buried + removed + folded > 0 ? Level.INFO : Level.DEBUG,
        "event=compaction buried={0,number,#} tombstones={1,number,#} clients={2,number,#}",
        buried,
        removed,
        folded);
  }

  private boolean isClosing() {
    return closing.getCount() == 0;
  }

  /// Ends the thread; a transaction under way ends first.
  @Override
  public void close() {
    closing.countDown();
    Thread running = thread;
    if (running != null) {
      try {
        running.join();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
