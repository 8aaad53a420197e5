package dev.replistream.poke;

import dev.replistream.http.Json;
import io.helidon.metrics.api.Counter;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.Tag;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
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
/// Thread-safe. The subscribers are called on the poking thread and must only offer to queues.
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
  private volatile ToIntFunction<List<Poke>> spreader = _ -> 0;

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

  /// Sets who delivers pokes to streams.
  ///
  /// @param deliver brings a poke to all streams of its user at once, and says to how many
  /// @param spread brings one poke each of several users, who are not to pull all at once, and says
  ///   to how many streams it brings them in the end
  public void subscribe(ToIntFunction<Poke> deliver, ToIntFunction<List<Poke>> spread) {
    this.subscriber = deliver;
    this.spreader = spread;
  }

  /// Pokes all clients of some users, such as the members of a room. All pokes are stamped at once.
  /// Those of `prompt`, if it is one of them, are delivered at once too; of the others, where they
  /// have many connections, one after the other over some seconds.
  ///
  /// @param prompt the user who made what is new
  /// @return how many connections are notified, now or in their turn
  public int poke(Set<String> userIds, String prompt, Source source) {
    int notified = userIds.contains(prompt) ? poke(prompt, source) : 0;
    List<Poke> others = new ArrayList<>(userIds.size());
    for (String userId : userIds) {
      if (!userId.equals(prompt)) {
        others.add(stamped(userId, source));
      }
    }
    if (!others.isEmpty()) {
      int more = spreader.applyAsInt(others);
      notified += more;
      if (LOGGER.isLoggable(Level.DEBUG)) {
        LOGGER.log(
            Level.DEBUG,
            "event=poke-many users={0,number,#} notified={1,number,#}",
            others.size(),
            more);
      }
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
    int notified = subscriber.applyAsInt(stamped(userId, source));
    if (LOGGER.isLoggable(Level.DEBUG)) {
      LOGGER.log(Level.DEBUG, "event=poke user=" + Json.quoted(userId) + " notified=" + notified);
    }
    return notified;
  }

  private Poke stamped(String userId, Source source) {
    Objects.requireNonNull(pokes.get(source)).increment();
    long nanoTime = System.nanoTime();
    Poke poke = new Poke(userId, cursor.stamp(userId), nanoTime);
    recent.poked(poke);
    return poke;
  }
}
