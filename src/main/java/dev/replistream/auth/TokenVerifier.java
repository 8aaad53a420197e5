package dev.replistream.auth;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.replistream.auth.TokenRefusedException.Reason;
import java.time.Clock;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.Supplier;

/// Tells from a token who is calling: a JWT (RFC 7519) signed as RFC 8725 asks for, with an
/// algorithm that its key is bound to.
///
/// Thread-safe. Tokens that verified are remembered until they expire or the keys change, up to
/// 10,000 of 1 KiB, or fewer longer ones; tokens that were refused are not.
public final class TokenVerifier {
  private static final int MAX_REMEMBERED = 10_000;
  private static final int CHARS_PER_UNIT = 1024;

  private final Keys keys;
  private final ClaimPolicy policy;
  private final Clock clock;
  private final Predicate<Caller> isRevoked;
  private volatile Memory memory = new Memory(KeySet.EMPTY);

  /// What was verified with one set of keys; with another one it counts for nothing.
  private static final class Memory {
    private final KeySet keySet;
    private final Cache<String, Caller> callers =
        Caffeine.newBuilder()
            .maximumWeight(MAX_REMEMBERED)
            .weigher(
                (String token, Caller _) -> (token.length() + CHARS_PER_UNIT - 1) / CHARS_PER_UNIT)
            .executor(Runnable::run) // its upkeep is short, and needs no threads beside
            .build();

    Memory(KeySet keySet) {
      this.keySet = keySet;
    }
  }

  /// A verifier of tokens signed with `keys`, whose claims must say what `settings` ask for.
  ///
  /// @param isRevoked whether a token was revoked since; it is asked each time, and never waits
  public TokenVerifier(Keys keys, AuthSettings settings, Clock clock, Predicate<Caller> isRevoked) {
    this.keys = keys;
    this.policy =
        new ClaimPolicy(
            settings.issuer(),
            settings.audience(),
            settings.clockSkew(),
            settings.revocationLife().plusSeconds(1)); // exp and iat may be rounded
    this.clock = clock;
    this.isRevoked = isRevoked;
  }

  /// Who has a say in whether a signature is looked at, which takes up to some milliseconds of CPU.
  interface Gate {
    /// Lets everything through.
    Gate OPEN =
        new Gate() {
          @Override
          public void before(String userId) {}

          @Override
          public void after(String userId, boolean isGood) {}
        };

    /// The signature is about to be looked at.
    ///
    /// @param userId who the token claims to be for
    /// @throws TokenRefusedException when it shall not be
    void before(String userId);

    /// It was looked at.
    ///
    /// @param isGood whether it is that of the key which the token names
    void after(String userId, boolean isGood);
  }

  /// Who is calling, by {@link Caller.Credential#HEADER}.
  ///
  /// May wait a few seconds for a set of keys, where these come from a URL.
  ///
  /// @param token a JWT in compact serialization
  /// @throws TokenRefusedException when it is not good, or no key could be read yet
  public Caller verify(String token) {
    return verify(token, () -> Gate.OPEN);
  }

  /// The same, with a gate that is asked for where the token was not verified before.
  Caller verify(String token, Supplier<Gate> gate) {
    Caller caller = known(token).orElseGet(() -> verifyAnew(token, gate.get()));
    refuseRevoked(caller);
    return caller;
  }

  /// Refuses a caller who was verified before, if its token was revoked since.
  ///
  /// @throws TokenRefusedException when it was
  void refuseRevoked(Caller caller) {
    if (isRevoked.test(caller)) {
      throw new TokenRefusedException(Reason.REVOKED);
    }
  }

  /// Who is calling, if the token was verified before and is still good. Never waits.
  Optional<Caller> remembered(String token) {
    return known(token).filter(caller -> !isRevoked.test(caller));
  }

  /// Who is calling, if the token was verified before and has not expired.
  private Optional<Caller> known(String token) {
    Memory remembered = memory;
    if (remembered.keySet != keys.latest()) {
      return Optional.empty();
    }
    Caller caller = remembered.callers.getIfPresent(token);
    if (caller != null && !clock.instant().isBefore(caller.expiresAt())) {
      remembered.callers.invalidate(token);
      return Optional.empty();
    }
    return Optional.ofNullable(caller);
  }

  /// What needs no arithmetic comes first. Until the signature is verified, nothing that the token
  /// says counts but what speaks against it.
  private Caller verifyAnew(String text, Gate gate) {
    CompactJws token = CompactJws.parse(text);
    if (!VerificationKey.ALGORITHMS.contains(token.algorithm())) {
      throw new TokenRefusedException(Reason.ALGORITHM);
    }
    Caller caller = policy.caller(token.claims(), clock.instant());
    gate.before(caller.userId());
    KeySet keySet = keys.current();
    Optional<Reason> refusal = keySet.refusal(token);
    if (refusal.isPresent() && mayBeOfNewKeys(token, refusal.get())) {
      keySet = keys.refreshed();
      refusal = keySet.refusal(token);
    }
    if (refusal.isEmpty() || refusal.get() == Reason.SIGNATURE) {
      gate.after(caller.userId(), refusal.isEmpty());
    }
    if (refusal.isPresent()) {
      throw new TokenRefusedException(refusal.get());
    }
    remember(keySet, text, caller);
    return caller;
  }

  /// Whether keys that came since may say otherwise. The id of a token tells a new key from an old
  /// one; without an id, whatever fails may be the new key's.
  private static boolean mayBeOfNewKeys(CompactJws token, Reason refusal) {
    return refusal == Reason.UNKNOWN_KEY || token.keyId().isEmpty();
  }

  private void remember(KeySet keySet, String token, Caller caller) {
    if (keySet != keys.latest()) {
      return; // the keys changed meanwhile
    }
    Memory current = memory;
    if (current.keySet != keySet) {
      current = new Memory(keySet);
      memory = current;
    }
    current.callers.put(token, caller);
  }
}
