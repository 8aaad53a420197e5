package dev.replistream.sync;

import static java.util.Objects.requireNonNull;

import dev.replistream.data.Spaces;
import dev.replistream.data.UsageStore;
import dev.replistream.db.Database;
import dev.replistream.db.Upkeep;
import dev.replistream.http.SampledLog;
import io.helidon.metrics.api.Counter;
import io.helidon.metrics.api.Gauge;
import io.helidon.metrics.api.Meter;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.Tag;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;

/// What users and rooms take of the disk, and what is refused for it, as numbers and in samples in
/// the log. Of the largest it is known how large they are, and not who: an id is no label of a
/// metric. Thread-safe; {@link #start} and {@link #close} are for one thread.
///
/// The registry is the process's: of several services in one process the counters add up, and the
/// gauges speak of the one that was made first and is not closed.
public final class StorageMetrics implements AutoCloseable {
  private static final int LARGEST = 10;

  private final Database database;
  private final MeterRegistry registry;
  private final Upkeep watch = new Upkeep("storage", this::measure);
  private final SampledLog log = new SampledLog(System.getLogger(StorageMetrics.class.getName()));
  private final List<Meter> gauges = new ArrayList<>();
  private final AtomicLongArray users = new AtomicLongArray(LARGEST);
  private final AtomicLongArray rooms = new AtomicLongArray(LARGEST);
  private final Map<Kind, Counter> refused = new EnumMap<>(Kind.class);

  /// What is full.
  private enum Kind {
    /// A private space, for an entry.
    USER,
    /// A room, for an entry.
    ROOM,
    /// A user's share, for a client or a client group.
    CLIENTS;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /// Registers the counters.
  public StorageMetrics(Database database, MeterRegistry registry) {
    this.database = database;
    this.registry = registry;
    for (Kind kind : Kind.values()) {
      refused.put(
          kind,
          registry.getOrCreate(
              Counter.builder("replistream_storage_refused")
                  .description(
                      "Writes and new clients that were refused for storage, by what is full")
                  .tags(List.of(Tag.create("kind", kind.label())))));
    }
  }

  /// Registers the gauges, and looks from now on who is large.
  ///
  /// @param interval from one look to the next
  public void start(Duration interval) {
    for (int i = 0; i < LARGEST; i++) {
      gauge(Kind.USER, users, i);
      gauge(Kind.ROOM, rooms, i);
    }
    watch.start(Duration.ZERO, interval);
  }

  private void gauge(Kind kind, AtomicLongArray largest, int index) {
    gauges.add(
        registry.getOrCreate(
            Gauge.builder("replistream_storage_largest_bytes", () -> largest.get(index))
                .description("What the ten largest users and rooms take, at the last compaction")
                .tags(
                    List.of(
                        Tag.create("kind", kind.label()),
                        Tag.create("rank", String.valueOf(index + 1))))));
  }

  /// Looks how large the largest are now.
  ///
  /// @throws dev.replistream.db.DatabaseUnavailableException when the database does not answer
  void measure() {
    set(users, database.inSnapshot(session -> new UsageStore(session).largest(false, LARGEST)));
    set(rooms, database.inSnapshot(session -> new UsageStore(session).largest(true, LARGEST)));
  }

  private static void set(AtomicLongArray gauges, List<Long> largest) {
    for (int i = 0; i < LARGEST; i++) {
      gauges.set(i, i < largest.size() ? largest.get(i) : 0);
    }
  }

  /// Some writes of a user were refused.
  ///
  /// @param spaces where, once for each write
  void writesRefused(String userId, List<String> spaces) {
    for (String space : spaces) {
      refused(Spaces.room(space).isPresent() ? Kind.ROOM : Kind.USER, userId);
    }
  }

  /// A user's new client, or client group, was refused.
  void clientRefused(String userId) {
    refused(Kind.CLIENTS, userId);
  }

  private void refused(Kind kind, String userId) {
    requireNonNull(refused.get(kind)).increment();
    log.log(
        Level.INFO,
        kind.label(),
        () -> "event=storage-full kind=" + kind.label() + " user=" + SampledLog.quoted(userId));
  }

  /// Looks no more, and takes the gauges out of the registry, so that they hold nothing of this
  /// service.
  @Override
  public void close() {
    watch.close();
    gauges.forEach(registry::remove);
  }
}
