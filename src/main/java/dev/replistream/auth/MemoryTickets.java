package dev.replistream.auth;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The tickets of one node, in memory. Thread-safe, by one lock that is held for a look at a map.
public final class MemoryTickets implements TicketStore {
  private final int max;
  private final Clock clock;
  private final Object lock = new Object();
  private final LinkedHashMap<String, Ticket> unused = new LinkedHashMap<>(); // the oldest first
  private final Map<String, LinkedHashSet<String>> ofUsers = new HashMap<>(); // the oldest first

  private record Ticket(Caller caller, Instant expiresAt) {}

  /// No tickets yet.
  ///
  /// @param max how many unused tickets of all users are kept; over it the oldest fall out
  public MemoryTickets(int max, Clock clock) {
    if (max < 1) {
      throw new IllegalArgumentException("tickets need a number above zero");
    }
    this.max = max;
    this.clock = clock;
  }

  @Override
  public void put(String ticket, Caller caller, Duration life) {
    Instant now = clock.instant();
    synchronized (lock) {
      remove(ticket); // one that is given back is new again
      makeRoom(now, caller.userId());
      unused.put(ticket, new Ticket(caller, now.plus(life)));
      ofUsers.computeIfAbsent(caller.userId(), _ -> new LinkedHashSet<>()).add(ticket);
    }
  }

  @Override
  public Optional<Caller> take(String ticket) {
    Ticket taken;
    synchronized (lock) {
      taken = remove(ticket);
    }
    return Optional.ofNullable(taken)
        .filter(one -> clock.instant().isBefore(one.expiresAt()))
        .map(Ticket::caller);
  }

  private @Nullable Ticket remove(String ticket) {
    Ticket removed = unused.remove(ticket);
    if (removed != null) {
      String userId = removed.caller().userId();
      LinkedHashSet<String> own = ofUsers.get(userId);
      if (own != null && own.remove(ticket) && own.isEmpty()) {
        ofUsers.remove(userId);
      }
    }
    return removed;
  }

  private void makeRoom(Instant now, String userId) {
    LinkedHashSet<String> own = ofUsers.get(userId);
    if (own != null && own.size() >= MAX_PER_USER) {
      remove(own.getFirst());
    }
    Map.Entry<String, Ticket> oldest = unused.firstEntry();
    while (oldest != null
        && (unused.size() >= max || !now.isBefore(oldest.getValue().expiresAt()))) {
      remove(oldest.getKey());
      oldest = unused.firstEntry();
    }
  }
}
