package dev.replistream.cli;

import dev.replistream.http.Json;
import dev.replistream.http.ProblemException;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;

/// What a token says of itself, read without verifying it. Never holds the token. Immutable.
///
/// @param members of the payload
record TokenClaims(Map<?, ?> members) {
  // the end of the year 9999: what lies beyond is counted in milliseconds
  private static final long LAST_SECOND = 253_402_300_799L;

  /// Reads a JWT in compact serialization (RFC 7519, section 3); empty when it is none.
  static Optional<TokenClaims> read(String token) {
    String[] parts = token.split("\\.", -1);
    if (parts.length != 3) {
      return Optional.empty();
    }
    try {
      return Json.parse(Base64.getUrlDecoder().decode(parts[1])) instanceof Map<?, ?> members
          ? Optional.of(new TokenClaims(members))
          : Optional.empty();
    } catch (IllegalArgumentException | ProblemException _) {
      return Optional.empty(); // their messages may hold parts of the token
    }
  }

  /// The `sub`.
  Optional<String> subject() {
    return members.get("sub") instanceof String sub ? Optional.of(sub) : Optional.empty();
  }

  /// Whether there is a claim of this name.
  boolean has(String name) {
    return members.containsKey(name);
  }

  /// A claim that is a NumericDate (RFC 7519, section 2), to the second; empty when it is not there
  /// or no such number.
  Optional<Instant> time(String name) {
    return members.get(name) instanceof Number number
            && number.doubleValue() >= 0
            && number.doubleValue() <= LAST_SECOND
        ? Optional.of(Instant.ofEpochSecond(number.longValue()))
        : Optional.empty();
  }
}
