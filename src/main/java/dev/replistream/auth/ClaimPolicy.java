package dev.replistream.auth;

import dev.replistream.api.Id;
import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValue.Arr;
import dev.replistream.api.JsonValue.Num;
import dev.replistream.api.JsonValue.Str;
import dev.replistream.auth.Caller.Credential;
import dev.replistream.auth.TokenRefusedException.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What the claims of a signed token must say (RFC 7519, section 4.1). Immutable.
///
/// @param issuer the only `iss` accepted, where one is configured
/// @param audience what `aud` must hold; where none is configured a token must have no `aud`
/// @param clockSkew how far the clocks of the issuer and this server may differ
/// @param maxLife how long a token may live in all, so that no revocation lapses before it does
record ClaimPolicy(
    Optional<String> issuer, Optional<String> audience, Duration clockSkew, Duration maxLife) {
  // the end of the year 9999: beyond it stand milliseconds, and numbers that overflow
  private static final long LAST_SECOND = 253_402_300_799L;
  private static final double NANOS_PER_SECOND = 1e9;

  /// Who the claims name.
  ///
  /// @param claims of a token whose signature is verified
  /// @throws TokenRefusedException when a claim is missing or wrong
  Caller caller(Map<String, JsonValue> claims, Instant now) {
    // past its exp a token is good for as long as the clocks may differ, and so is what it opened
    Instant expiresAt =
        time(claims, "exp").orElseThrow(() -> refused(Reason.NO_EXPIRY)).plus(clockSkew);
    if (!now.isBefore(expiresAt)) {
      throw refused(Reason.EXPIRED);
    }
    Optional<Instant> issuedAt = time(claims, "iat");
    if (expiresAt.minus(clockSkew).minus(maxLife).isAfter(issuedAt.orElse(now))) {
      throw refused(Reason.LIVES_TOO_LONG);
    }
    Instant latest = now.plus(clockSkew);
    if (isAfter(claims, "nbf", latest) || isAfter(claims, "iat", latest)) {
      throw refused(Reason.NOT_YET_VALID);
    }
    if (issuer.isPresent() && !JsonValue.of(issuer.get()).equals(claims.get("iss"))) {
      throw refused(Reason.ISSUER);
    }
    if (audience.isPresent() && !holds(claims.get("aud"), JsonValue.of(audience.get()))) {
      throw refused(Reason.AUDIENCE);
    }
    if (audience.isEmpty() && claims.containsKey("aud")) {
      // RFC 7519, section 4.1.3: whoever is not among those that a token is for must refuse it
      throw refused(Reason.AUDIENCE_NOT_CONFIGURED);
    }
    return new Caller(
        userId(claims),
        scopes(claims),
        expiresAt,
        Credential.HEADER,
        sid(claims),
        issuedAt.orElse(Instant.MIN));
  }

  private static boolean isAfter(Map<String, JsonValue> claims, String name, Instant latest) {
    return time(claims, name).filter(time -> time.isAfter(latest)).isPresent();
  }

  private static boolean holds(@Nullable JsonValue aud, JsonValue audience) {
    return aud instanceof Arr(var list) ? list.contains(audience) : audience.equals(aud);
  }

  /// A NumericDate (RFC 7519, section 2): seconds since 1970, perhaps with a fraction.
  private static Optional<Instant> time(Map<String, JsonValue> claims, String name) {
    if (!claims.containsKey(name)) {
      return Optional.empty();
    }
    if (claims.get(name) instanceof Num(String number)) {
      double seconds = Double.parseDouble(number);
      if (seconds >= 0 && seconds <= LAST_SECOND) { // not so for NaN
        long nanos = (long) ((seconds - Math.floor(seconds)) * NANOS_PER_SECOND);
        return Optional.of(Instant.ofEpochSecond((long) seconds, nanos));
      }
    }
    throw refused(Reason.NUMERIC_DATE);
  }

  private static String userId(Map<String, JsonValue> claims) {
    if (claims.get("sub") instanceof Str(String sub) && Id.mayBeMade(sub)) {
      return sub;
    }
    throw refused(Reason.SUBJECT);
  }

  /// `sid` as OpenID Connect Front-Channel Logout 1.0, section 3, has it. One that can't be named
  /// in a revocation is refused, as its user would believe that it can be.
  private static Optional<String> sid(Map<String, JsonValue> claims) {
    if (!claims.containsKey("sid")) {
      return Optional.empty();
    }
    if (claims.get("sid") instanceof Str(String sid) && Id.isValid(sid)) {
      return Optional.of(sid);
    }
    throw refused(Reason.SID);
  }

  /// `scope` as RFC 8693, section 4.2 has it, or the array that some issuers make of it.
  private static Set<String> scopes(Map<String, JsonValue> claims) {
    JsonValue scope = claims.getOrDefault("scope", JsonValue.ofNull());
    Set<String> scopes = new HashSet<>();
    if (scope instanceof Str(String text)) {
      scopes.addAll(List.of(text.split(" ")));
    } else if (scope instanceof Arr(var list)) {
      for (JsonValue one : list) {
        if (!(one instanceof Str(String text))) {
          throw refused(Reason.SCOPE);
        }
        scopes.add(text);
      }
    } else if (!scope.isNull()) {
      throw refused(Reason.SCOPE);
    }
    scopes.remove("");
    return scopes;
  }

  private static TokenRefusedException refused(Reason reason) {
    return new TokenRefusedException(reason);
  }
}
