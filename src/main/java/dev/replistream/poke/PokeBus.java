package dev.replistream.poke;

import dev.replistream.http.Json;
import io.helidon.metrics.api.Counter;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.Tag;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToIntFunction;

/// Brings pokes from whoever has something new to whoever holds the user's streams, in process.
///
/// Order: a poke is stamped in the {@link Cursor} first and delivered second. A stream that
/// registers first and reads the cursor second therefore misses none: either the delivery finds it,
/// or it finds the stamp.
///
/// Thread-safe. The subscriber is called on the poking thread and must only offer to queues.
public final class PokeBus {
  private static final Logger LOGGER = System.getLogger(PokeBus.class.getName());

  /// Where a poke came from, which is a label of its metric.
  public enum Source {
    /// A user's own request.
    SELF,
    /// A backend service's request, for others.
    SERVICE,
    /// A push that wrote something which the user may see.
    PUSH,
    /// A request that poked a room of the user's, or changed which rooms those are.
    ROOM,
    /// Java code that embeds the service.
    JAVA
  }

  private final Cursor cursor;
  private final Map<Source, Counter> pokes = new EnumMap<>(Source.class);
  private final RecentPokes recent = new RecentPokes();
  private volatile ToIntFunction<Poke> subscriber = _ -> 0;

  /// A bus without a subscriber: its pokes move the cursor.
  public PokeBus(Cursor cursor, MeterRegistry registry) {
    this.cursor = cursor;
    for (Source source : Source.values()) {
      pokes.put(
          source,
          registry.getOrCreate(
              Counter.builder("replistream_pokes")
                  .description("Pokes, by where they came from")
                  .tags(List.of(Tag.create("source", source.name().toLowerCase(Locale.ROOT))))));
    }
  }

  /// The stamps of the pokes so far.
  public Cursor cursor() {
    return cursor;
  }

  /// Sets who delivers pokes to streams and says to how many it brought each.
  public void subscribe(ToIntFunction<Poke> subscriber) {
    this.subscriber = subscriber;
  }

  /// Pokes all clients of some users.
  ///
  /// @return how many connections were notified
  public int poke(Set<String> userIds, Source source) {
    int notified = 0;
    for (String userId : userIds) {
      notified += poke(userId, source);
    }
    return notified;
  }

  /// A user pulls.
  ///
  /// @return how long ago the user was poked, unless it has pulled since then; empty also where
  ///   that was long ago, or is not remembered
  public Optional<Duration> pulled(String userId) {
    return recent.pulled(userId);
  }

  /// Pokes all clients of a user.
  ///
  /// @return how many connections were notified
  public int poke(String userId, Source source) {
    Objects.requireNonNull(pokes.get(source)).increment();
    long nanoTime = System.nanoTime();
    Poke poke = new Poke(userId, cursor.stamp(userId), nanoTime);
    recent.poked(poke);
    int notified = subscriber.applyAsInt(poke);
    if (LOGGER.isLoggable(Level.DEBUG)) {
      LOGGER.log(Level.DEBUG, "event=poke user=" + Json.quoted(userId) + " notified=" + notified);
    }
    return notified;
  }
}
