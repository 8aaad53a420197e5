package dev.replistream.auth;

import dev.replistream.auth.Revocation.Kind;
import java.time.Clock;
import java.time.Instant;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/// The revocations that hold, in memory: each request looks here, and finds out in two look-ups.
/// There are as many as {@link Revocations} lets in. Thread-safe.
public final class RevokedTokens {
  private final ConcurrentMap<String, Revocation> bySid = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, Revocation> byUser = new ConcurrentHashMap<>();
  private final Clock clock;

  /// None yet.
  public RevokedTokens(Clock clock) {
    this.clock = clock;
  }

  /// Whether the token of `caller` was revoked. Never waits.
  public boolean covers(Caller caller) {
    return holds(byUser.get(caller.userId()), caller)
        || (caller.sid().isPresent() && holds(bySid.get(caller.sid().get()), caller));
  }

  private boolean holds(@Nullable Revocation revocation, Caller caller) {
    return revocation != null
        && revocation.covers(caller)
        && clock.instant().isBefore(revocation.expiresAt());
  }

  /// Adds a revocation.
  ///
  /// @return whether it says more than what was known
  boolean add(Revocation revocation) {
    if (!clock.instant().isBefore(revocation.expiresAt())) {
      return false;
    }
    ConcurrentMap<String, Revocation> same = of(revocation.kind());
    while (true) {
      Revocation known = same.putIfAbsent(revocation.subject(), revocation);
      if (known == null) {
        return true;
      }
      if (!revocation.revokedAt().isAfter(known.revokedAt())) {
        return false;
      }
      if (same.replace(revocation.subject(), known, revocation)) {
        return true;
      }
    }
  }

  /// Forgets those that have lapsed.
  ///
  /// @return whether there were any
  boolean removeExpired() {
    Instant now = clock.instant();
    boolean sids = bySid.values().removeIf(each -> !now.isBefore(each.expiresAt()));
    boolean users = byUser.values().removeIf(each -> !now.isBefore(each.expiresAt()));
    return sids || users;
  }

  /// How many there are.
  int size() {
    return bySid.size() + byUser.size();
  }

  private ConcurrentMap<String, Revocation> of(Kind kind) {
    return switch (kind) {
      case SID -> bySid;
      case USER -> byUser;
    };
  }
}
