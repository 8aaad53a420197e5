package dev.replistream.auth;

import dev.replistream.auth.Caller.Credential;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Tickets: what a caller puts in a URL instead of a token, where no header can be sent. A ticket
/// is opaque, good for one use and a short time, so a log that holds it holds nothing.
///
/// Thread-safe, by one lock that is held for a look at a map. This node's tickets are known to this
/// node alone.
public final class Tickets {
  private static final int TICKET_BYTES = 24; // 192 bits: not to be guessed
  private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

  private final Duration ttl;
  private final int max;
  private final Clock clock;
  private final SecureRandom random = new SecureRandom();
  private final Object lock = new Object();
  private final LinkedHashMap<String, Ticket> unused = new LinkedHashMap<>(); // the oldest first

  private record Ticket(Caller caller, Instant expiresAt) {}

  /// No tickets yet.
  ///
  /// @param ttl how long a ticket is good
  /// @param max how many unused tickets are kept; over it the oldest fall out
  public Tickets(Duration ttl, int max, Clock clock) {
    if (!ttl.isPositive() || max < 1) {
      throw new IllegalArgumentException("tickets need a time and a number above zero");
    }
    this.ttl = ttl;
    this.max = max;
    this.clock = clock;
  }

  /// A new ticket for `caller`: 32 characters of base64url.
  public String issue(Caller caller) {
    byte[] bytes = new byte[TICKET_BYTES];
    random.nextBytes(bytes);
    String text = ENCODER.encodeToString(bytes);
    Instant now = clock.instant();
    Ticket ticket = new Ticket(caller, now.plus(lifetime(caller, now)));
    synchronized (lock) {
      makeRoom(now);
      unused.put(text, ticket);
    }
    return text;
  }

  /// How long a ticket issued to `caller` now is good: no longer than the caller's token.
  public Duration lifetime(Caller caller) {
    return lifetime(caller, clock.instant());
  }

  /// Whose ticket this is, by {@link Credential#TICKET}; empty when it is unknown, too old, or used
  /// before. However many threads redeem one ticket, one of them gets the caller.
  public Optional<Caller> redeem(String ticket) {
    Ticket redeemed;
    synchronized (lock) {
      redeemed = unused.remove(ticket);
    }
    return Optional.ofNullable(redeemed)
        .filter(one -> clock.instant().isBefore(one.expiresAt()))
        .map(one -> one.caller().by(Credential.TICKET));
  }

  /// Makes a ticket that was just redeemed good again, for as long as a new one: for a holder who
  /// could not be let in and was told to come back with it.
  public void giveBack(String ticket, Caller caller) {
    Instant now = clock.instant();
    synchronized (lock) {
      makeRoom(now);
      unused.put(ticket, new Ticket(caller, now.plus(lifetime(caller, now))));
    }
  }

  private Duration lifetime(Caller caller, Instant now) {
    Duration ofToken = Duration.between(now, caller.expiresAt());
    return ofToken.compareTo(ttl) < 0 ? ofToken : ttl;
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
