package dev.replistream.auth;

import java.time.Duration;
import java.util.Optional;

/// How tokens are checked. Neither a secret nor a key set means development mode.
///
/// @param secret the shared secret of HS256, at least 32 bytes in UTF-8
/// @param jwks a JWK set: a file's path, or an http or https URL
/// @param issuer the only `iss` accepted
/// @param audience what `aud` must contain; without it a token must have no `aud`
/// @param clockSkew how far the clocks of the issuer and this server may differ
/// @param jwksRefresh how old a set from a URL gets until it is read again
/// @param jwksRefreshCoolDown the least time between two refreshes for an unknown `kid`
/// @param revocationLife how long a revocation is kept, and so the longest that a token may live
public record AuthSettings(
    Optional<String> secret,
    Optional<String> jwks,
    Optional<String> issuer,
    Optional<String> audience,
    Duration clockSkew,
    Duration jwksRefresh,
    Duration jwksRefreshCoolDown,
    Duration revocationLife) {
  /// Whether the server makes its own key and serves this machine only.
  public boolean isDevelopmentMode() {
    return secret.isEmpty() && jwks.isEmpty();
  }

  @Override
  public String toString() {
    return isDevelopmentMode() ? "development" : secret.isPresent() ? "secret" : "jwks";
  }
}
