package dev.replistream.cli;

import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValue.Num;
import dev.replistream.api.JsonValue.Obj;
import dev.replistream.api.JsonValue.Str;
import dev.replistream.json.Json;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;

/// What a token says of itself, read without verifying it. Never holds the token. Immutable.
///
/// @param members of the payload
record TokenClaims(Map<String, JsonValue> members) {
  // the end of the year 9999: what lies beyond is counted in milliseconds
  private static final long LAST_SECOND = 253_402_300_799L;

  /// Reads a JWT in compact serialization (RFC 7519, section 3); empty when it is none.
  static Optional<TokenClaims> read(String token) {
    String[] parts = token.split("\\.", -1);
    if (parts.length != 3) {
      return Optional.empty();
    }
    try {
      return Json.readStrict(Base64.getUrlDecoder().decode(parts[1]), JsonValue::read)
              instanceof Obj(var members)
          ? Optional.of(new TokenClaims(members))
          : Optional.empty();
    } catch (IllegalArgumentException _) {
      return Optional.empty(); // its message may hold parts of the token
    }
  }

  /// The `sub`.
  Optional<String> subject() {
    return members.get("sub") instanceof Str(String sub) ? Optional.of(sub) : Optional.empty();
  }

  /// Whether there is a claim of this name.
  boolean has(String name) {
    return members.containsKey(name);
  }

  /// A claim that is a NumericDate (RFC 7519, section 2), to the second; empty when it is not there
  /// or no such number.
  Optional<Instant> time(String name) {
    double seconds = members.get(name) instanceof Num(String text) ? Double.parseDouble(text) : -1;
    return seconds >= 0 && seconds <= LAST_SECOND
        ? Optional.of(Instant.ofEpochSecond((long) seconds))
        : Optional.empty();
  }
}
