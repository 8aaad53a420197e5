package dev.replistream.sync;

import dev.replistream.data.IdempotencyStore;
import dev.replistream.data.JournalStore;
import dev.replistream.data.RejectionStore;
import dev.replistream.data.RoomStore;
import dev.replistream.data.StorageSettings;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.db.TransactionCallback;
import dev.replistream.db.Upkeep;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/// Keeps the database from growing without end: from time to time, and when somebody has no room
/// left, it purges what is left of deleted rooms, removes old tombstones, invitations, links,
/// rejections, kept answers and lines of the journal, and folds idle clients; where there are very
/// many tombstones or clients, younger ones too. Each node does so; they don't disturb each other.
///
/// It owns one thread, from {@link #start} to {@link #close}, which are for one thread; {@link
/// #compact} and {@link #wake} may be called by any.
public final class Compaction implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(Compaction.class.getName());

  /// The least time from one compaction to the next that somebody asks for.
  private static final Duration LEAST_PAUSE = Duration.ofMinutes(1);

  /// How many bytes deleted rooms may leave behind before it does not wait any longer.
  private static final long MUCH_LEFT_BEHIND = 64 << 20;

  private final Database database;
  private final SyncSettings settings;
  private final StorageSettings storage;
  private final Duration journalRetention;
  private final StorageMetrics metrics;
  private final Clock clock;
  private final DeletedRooms deletedRooms;
  private final Tombstones tombstones;
  private final IdleClients clients;
  private final Upkeep upkeep = new Upkeep("compaction", this::compact);
  private final AtomicLong leftBehind = new AtomicLong();
  private final AtomicLong mayWakeNanos = new AtomicLong(System.nanoTime());

  /// A compaction that was not started.
  ///
  /// @param journalRetention how long lines of the journal are kept
  public Compaction(
      Database database,
      SyncSettings settings,
      StorageSettings storage,
      Duration journalRetention,
      StorageMetrics metrics,
      Clock clock) {
    this.database = database;
    this.settings = settings;
    this.storage = storage;
    this.journalRetention = journalRetention;
    this.metrics = metrics;
    this.clock = clock;
    deletedRooms = new DeletedRooms(database);
    tombstones = new Tombstones(database);
    clients = new IdleClients(database);
  }

  /// Begins to compact, the first time within the interval: nodes that start at once spread, and
  /// one that is restarted often still comes to it.
  public void start() {
    Duration interval = settings.compactionInterval();
    long first = ThreadLocalRandom.current().nextLong(interval.toMillis() + 1);
    upkeep.start(Duration.ofMillis(first), interval);
  }

  /// Lets it compact now, as somebody has no room left; at most once a minute, and else not at all.
  public void wake() {
    long may = mayWakeNanos.get();
    long now = System.nanoTime();
    if (now - may >= 0 && mayWakeNanos.compareAndSet(may, now + LEAST_PAUSE.toNanos())) {
      upkeep.wake();
    }
  }

  /// Counts what deleted rooms leave behind; where that is much, it is not left until the next
  /// time.
  ///
  /// @param bytes of one or more rooms
  public void leftBehind(long bytes) {
    if (leftBehind.addAndGet(bytes) >= MUCH_LEFT_BEHIND) {
      wake();
    }
  }

  /// Compacts once.
  ///
  /// @throws DatabaseUnavailableException when it could not be done to its end
  void compact() {
    Instant now = clock.instant();
    leftBehind.set(0);
    int purged = deletedRooms.purge(now, upkeep::isClosing);
    int removed =
        tombstones.remove(now.minus(settings.tombstoneMaxAge()), upkeep::isClosing)
            + tombstones.removeOldest(storage, upkeep::isClosing)
            + tombstones.removeOfDeletedRooms(storage, upkeep::isClosing);
    int expired = removeExpired(session -> RoomStore.removeExpired(session, now));
    int rejections = removeExpired(session -> RejectionStore.removeExpired(session, now));
    int answers = removeExpired(session -> IdempotencyStore.removeExpired(session, now));
    int lines =
        removeExpired(session -> JournalStore.removeOlder(session, now.minus(journalRetention)));
    int folded =
        clients.fold(now.minus(settings.clientMaxAge()), upkeep::isClosing)
            + clients.foldOldest(upkeep::isClosing);
    if (purged + removed > 0) {
      metrics.measure();
    }
    LOGGER.log(
        purged + removed + expired + rejections + answers + lines + folded > 0
            ? Level.INFO
            : Level.DEBUG,
        "event=compaction purged={0} tombstones={1} invitations={2} rejections={3} answers={4} journal={5} clients={6}",
        String.valueOf(purged),
        String.valueOf(removed),
        String.valueOf(expired),
        String.valueOf(rejections),
        String.valueOf(answers),
        String.valueOf(lines),
        String.valueOf(folded));
  }

  /// @param batch removes some, and returns how many; 0 where there are no more
  private int removeExpired(TransactionCallback<Integer> batch) {
    int removed = 0;
    int last;
    do {
      last = database.inTransaction(batch);
      removed += last;
    } while (last > 0 && !upkeep.isClosing());
    return removed;
  }

  /// Ends the thread; a transaction under way ends first.
  @Override
  public void close() {
    upkeep.close();
  }
}
