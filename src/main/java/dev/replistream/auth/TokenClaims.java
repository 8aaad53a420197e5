package dev.replistream.auth;

import dev.replistream.api.JsonValue;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The claims of a token that is verified, as a JSON object: read when somebody asks for them,
/// which few do, and then once. Thread-safe.
final class TokenClaims implements Supplier<JsonValue> {
  private final String token;
  private volatile @Nullable JsonValue read;

  /// @param token one that is verified
  TokenClaims(String token) {
    this.token = token;
  }

  @Override
  public JsonValue get() {
    JsonValue known = read;
    if (known == null) {
      known = JsonValue.object(CompactJws.parse(token).claims());
      read = known;
    }
    return known;
  }
}
