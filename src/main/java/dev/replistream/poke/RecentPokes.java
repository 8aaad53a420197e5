package dev.replistream.poke;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReferenceArray;

/// Remembers when users were poked last, to tell how long they take to pull. It serves a statistic
/// only: users share slots, and the one who was poked later keeps the slot. Thread-safe, without
/// locks; about 1 MB when it is full.
public final class RecentPokes {
  /// A power of two.
  private static final int PLACES = 1 << 14;

  /// A pull that comes later has another reason.
  private static final Duration LONGEST = Duration.ofMinutes(1);

  private final AtomicReferenceArray<Poke> places = new AtomicReferenceArray<>(PLACES);

  public void poked(Poke poke) {
    places.setRelease(place(poke.userId()), poke);
  }

  /// How long ago the user was poked; the next pull after this one has to be poked for anew.
  public Optional<Duration> pulled(String userId) {
    int place = place(userId);
    Poke poke = places.getAcquire(place);
    if (poke == null || !poke.userId().equals(userId) || !places.compareAndSet(place, poke, null)) {
      return Optional.empty();
    }
    return Optional.of(Duration.ofNanos(System.nanoTime() - poke.nanoTime()))
        .filter(age -> age.compareTo(LONGEST) <= 0);
  }

  private static int place(String userId) {
    int hash = userId.hashCode();
    return (hash ^ hash >>> 16) & (PLACES - 1);
  }
}
