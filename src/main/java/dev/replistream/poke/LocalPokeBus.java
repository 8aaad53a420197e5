package dev.replistream.poke;

import dev.replistream.json.Json;
import io.helidon.metrics.api.MeterRegistry;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The bus of one node: everything is in this process. A poke is delivered on the poking thread.
///
/// Thread-safe.
public final class LocalPokeBus implements PokeBus {
  private static final Logger LOGGER = System.getLogger(LocalPokeBus.class.getName());

  private final Cursor cursor;
  private final PokeCounters counters;
  private final RecentPokes recent = new RecentPokes();
  private volatile @Nullable Subscriber subscriber;

  /// A bus without a subscriber: its pokes move the cursor.
  public LocalPokeBus(Cursor cursor, MeterRegistry registry) {
    this.cursor = cursor;
    this.counters = new PokeCounters(registry);
  }

  @Override
  public void subscribe(Subscriber holder) {
    subscriber = holder;
  }

  @Override
  public int poke(String userId, Source source) {
    Poke poke = stamped(userId, source);
    Subscriber holder = subscriber;
    int notified = holder == null ? 0 : holder.deliver(poke);
    if (LOGGER.isLoggable(Level.DEBUG)) {
      LOGGER.log(Level.DEBUG, "event=poke user=" + Json.quoted(userId) + " notified=" + notified);
    }
    return notified;
  }

  @Override
  public int poke(Set<String> userIds, String prompt, Source source) {
    int notified = userIds.contains(prompt) ? poke(prompt, source) : 0;
    List<Poke> others = new ArrayList<>(userIds.size());
    for (String userId : userIds) {
      if (!userId.equals(prompt)) {
        others.add(stamped(userId, source));
      }
    }
    Subscriber holder = subscriber;
    if (!others.isEmpty() && holder != null) {
      int more = spread(others, holder);
      notified += more;
      if (LOGGER.isLoggable(Level.DEBUG)) {
        LOGGER.log(
            Level.DEBUG,
            "event=poke-many users={0} notified={1}",
            String.valueOf(others.size()),
            String.valueOf(more));
      }
    }
    return notified;
  }

  /// Delivers one poke each of many users. Whoever connects in between finds the stamp.
  private static int spread(List<Poke> pokes, Subscriber holder) {
    VarHandle.fullFence(); // between the stamps and the look at who is registered
    List<Poke> connected = new ArrayList<>();
    int notified = 0;
    for (Poke poke : pokes) {
      int count = holder.connections(poke.userId());
      if (count > 0) {
        connected.add(poke);
        notified += count;
      }
    }
    Duration window = Spread.window(notified);
    if (window.isZero()) {
      connected.forEach(holder::deliver);
    } else {
      Collections.shuffle(connected); // so that nobody is always the last
      for (int i = 0; i < connected.size(); i++) {
        holder.deliverAfter(Spread.turn(window, i, connected.size()), connected.get(i));
      }
    }
    return notified;
  }

  private Poke stamped(String userId, Source source) {
    counters.poked(source);
    long nanoTime = System.nanoTime();
    Poke poke = new Poke(userId, cursor.epoch(), cursor.stamp(userId), nanoTime);
    recent.poked(poke);
    return poke;
  }

  @Override
  public EventId latest(String userId) {
    return new EventId(cursor.epoch(), cursor.latest(userId));
  }

  @Override
  public Optional<Duration> pulled(String userId) {
    return recent.pulled(userId);
  }

  @Override
  public boolean mayBlock() {
    return false;
  }

  @Override
  public boolean isAvailable() {
    return true;
  }
}
