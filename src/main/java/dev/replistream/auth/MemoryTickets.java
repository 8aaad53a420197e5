package dev.replistream.auth;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// The tickets of one node, in memory. Thread-safe, by one lock that is held for a look at a map.
public final class MemoryTickets implements TicketStore {
  private final int max;
  private final Clock clock;
  private final Object lock = new Object();
  private final LinkedHashMap<String, Ticket> unused = new LinkedHashMap<>(); // the oldest first

  private record Ticket(Caller caller, Instant expiresAt) {}

  /// No tickets yet.
  ///
  /// @param max how many unused tickets are kept; over it the oldest fall out
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
      makeRoom(now);
      unused.put(ticket, new Ticket(caller, now.plus(life)));
    }
  }

  @Override
  public Optional<Caller> take(String ticket) {
    Ticket taken;
    synchronized (lock) {
      taken = unused.remove(ticket);
    }
    return Optional.ofNullable(taken)
        .filter(one -> clock.instant().isBefore(one.expiresAt()))
        .map(Ticket::caller);
  }

  private void makeRoom(Instant now) {
    Map.Entry<String, Ticket> oldest = unused.firstEntry();
    while (oldest != null
        && (unused.size() >= max || !now.isBefore(oldest.getValue().expiresAt()))) {
      unused.pollFirstEntry();
      oldest = unused.firstEntry();
    }
  }
}
