package dev.replistream.auth;

import dev.replistream.api.Id;
import dev.replistream.api.JsonObjectBuilder;
import dev.replistream.api.JsonValue;
import io.helidon.security.jwt.jwk.Jwk;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Signs tokens with a shared secret (HS256): for the command line, for development, and for tests.
/// Immutable.
public final class TokenSigner {
  // RFC 6749, section 3.3
  private static final Pattern SCOPE = Pattern.compile("[!#-\\[\\]-~]+");

  private final Jwk key;
  private final Optional<String> issuer;
  private final Optional<String> audience;
  private final Duration maxLife;
  private final Clock clock;

  /// A signer whose tokens have the issuer and the audience of `settings`.
  ///
  /// @throws KeysException when the secret is shorter than 32 bytes in UTF-8
  public TokenSigner(String secret, AuthSettings settings, Clock clock) {
    this.key = VerificationKey.jwkOfSecret(secret);
    this.issuer = settings.issuer();
    this.audience = settings.audience();
    this.maxLife = settings.revocationLife();
    this.clock = clock;
  }

  /// A token for a user, without `sid`; see the other method.
  public String sign(String userId, Set<String> scopes, Duration ttl) {
    return sign(userId, scopes, ttl, null);
  }

  /// A token for a user.
  ///
  /// @param userId its `sub`
  /// @param scopes its `scope`, left out when there are none
  /// @param ttl how long it is good, at most 100 years and what the settings allow; its `exp` is
  ///   rounded up to a second
  /// @param sid its `sid`, left out when it is null
  /// @throws IllegalArgumentException when the user id or the `sid` is not one, a scope holds a
  ///   space or a character that no scope has, or the time is not positive or too long
  public String sign(String userId, Set<String> scopes, Duration ttl, @Nullable String sid) {
    check(
        Id.mayBeMade(userId),
        "a user id is 1 to 128 characters without control characters, not . or .. alone");
    check(
        scopes.stream().allMatch(scope -> SCOPE.matcher(scope).matches()),
        "a scope is printable ASCII without spaces, quotes and backslashes");
    check(ttl.isPositive() && ttl.toDays() <= 36_525, "a token is good for 1 s to 100 years");
    check(
        ttl.compareTo(maxLife) <= 0,
        "a token lives no longer than replistream.auth.revocation-life, which is " + maxLife);
    check(
        sid == null || Id.isValid(sid), "a sid is 1 to 128 characters without control characters");
    Instant now = clock.instant();
    JsonValue header = JsonValue.object().with("alg", "HS256").with("typ", "JWT").build();
    JsonObjectBuilder payload = JsonValue.object();
    issuer.ifPresent(iss -> payload.with("iss", iss));
    audience.ifPresent(aud -> payload.with("aud", aud));
    payload
        .with("sub", userId)
        .with("iat", now.getEpochSecond())
        .with("exp", now.plus(ttl).plusNanos(999_999_999).getEpochSecond());
    if (sid != null) {
      payload.with("sid", sid);
    }
    if (!scopes.isEmpty()) {
      payload.with("scope", String.join(" ", new TreeSet<>(scopes)));
    }
    String input = CompactJws.signingInput(header.toBytes(), payload.build().toBytes());
    return CompactJws.serialize(input, key.sign(input.getBytes(StandardCharsets.US_ASCII)));
  }

  private static void check(boolean good, String expectation) {
    if (!good) {
      throw new IllegalArgumentException(expectation);
    }
  }
}
