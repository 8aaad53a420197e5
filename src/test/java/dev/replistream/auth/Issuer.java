package dev.replistream.auth;

import dev.replistream.SettableClock;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/// An issuer with a key of each type, and a verifier that trusts it. Immutable but for the clock.
final class Issuer {
  static final Duration SKEW = Duration.ofSeconds(30);
  static final AuthSettings SETTINGS =
      new AuthSettings(
          Optional.empty(),
          Optional.empty(),
          Optional.of("https://issuer.example"),
          Optional.of("replistream"),
          SKEW,
          Duration.ofMinutes(5),
          Duration.ofSeconds(30),
          Duration.ofDays(3_000_000));

  private final SettableClock clock = new SettableClock();
  private final SigningKey rsa = SigningKey.rsa("rsa", "RS256");
  private final SigningKey ec = SigningKey.ec("ec", "ES256", "P-256");
  private final SigningKey oct =
      SigningKey.oct(
          "oct",
          "HS384",
          "48 bytes are what HS384 needs at the very least.".getBytes(StandardCharsets.US_ASCII));
  private final TokenVerifier verifier = verifier(keys(SigningKey.jwkSet(rsa, ec, oct)));

  static Keys keys(String jwkSet) {
    return new FixedKeys(KeySet.parse(jwkSet.getBytes(StandardCharsets.UTF_8), "the set"));
  }

  TokenVerifier verifier(Keys keys) {
    return new TokenVerifier(keys, SETTINGS, clock, _ -> false);
  }

  SettableClock clock() {
    return clock;
  }

  SigningKey rsa() {
    return rsa;
  }

  SigningKey ec() {
    return ec;
  }

  SigningKey oct() {
    return oct;
  }

  TokenVerifier verifier() {
    return verifier;
  }

  /// What a good token says now.
  Claims claims() {
    return Claims.ofAlice(clock);
  }
}
