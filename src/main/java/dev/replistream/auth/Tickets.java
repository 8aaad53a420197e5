package dev.replistream.auth;

import dev.replistream.auth.Caller.Credential;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Pattern;

/// Tickets: what a caller puts in a URL instead of a token, where no header can be sent. A ticket
/// is opaque, good for one use and a short time, so a log that holds it holds nothing.
///
/// Thread-safe.
public final class Tickets {
  private static final int TICKET_BYTES = 24; // 192 bits: not to be guessed
  private static final Pattern FORM = Pattern.compile("[A-Za-z0-9_-]{32}");
  private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

  private final Duration ttl;
  private final TicketStore store;
  private final Clock clock;
  private final SecureRandom random = new SecureRandom();

  /// Tickets of whichever nodes share the store.
  ///
  /// @param ttl how long a ticket is good
  public Tickets(Duration ttl, TicketStore store, Clock clock) {
    if (!ttl.isPositive()) {
      throw new IllegalArgumentException("tickets need a time above zero");
    }
    this.ttl = ttl;
    this.store = store;
    this.clock = clock;
  }

  /// A new ticket for `caller`: 32 characters of base64url.
  public String issue(Caller caller) {
    byte[] bytes = new byte[TICKET_BYTES];
    random.nextBytes(bytes);
    String text = ENCODER.encodeToString(bytes);
    giveBack(text, caller);
    return text;
  }

  /// How long a ticket issued to `caller` now is good: no longer than the caller's token.
  public Duration lifetime(Caller caller) {
    Instant now = clock.instant();
    Duration ofToken = Duration.between(now, caller.expiresAt());
    return ofToken.compareTo(ttl) < 0 ? ofToken : ttl;
  }

  /// Whose ticket this is, by {@link Credential#TICKET}; empty when it is unknown, too old, or used
  /// before. However many threads redeem one ticket, one of them gets the caller.
  public Optional<Caller> redeem(String ticket) {
    if (!FORM.matcher(ticket).matches()) {
      return Optional.empty(); // and nobody is asked
    }
    return store
        .take(ticket)
        .filter(caller -> clock.instant().isBefore(caller.expiresAt()))
        .map(caller -> caller.by(Credential.TICKET));
  }

  /// Makes a ticket that was just redeemed good again, for as long as a new one: for a holder who
  /// could not be let in and was told to come back with it.
  public void giveBack(String ticket, Caller caller) {
    Duration life = lifetime(caller);
    if (life.isPositive()) {
      store.put(ticket, caller, life);
    }
  }
}
