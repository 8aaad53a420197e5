package dev.replistream.auth;

import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValue.Arr;
import dev.replistream.api.JsonValue.Obj;
import dev.replistream.api.JsonValue.Str;
import dev.replistream.auth.TokenRefusedException.Reason;
import dev.replistream.http.SampledLog;
import dev.replistream.json.Json;
import dev.replistream.json.JsonException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The keys that verify tokens at one time. Immutable. Two sets are the same only if they are one
/// object, so that what was verified with a set can be told from what another would say.
final class KeySet {
  /// The set before any key was read.
  static final KeySet EMPTY = new KeySet(List.of(), true);

  private static final Logger LOGGER = System.getLogger(KeySet.class.getName());

  /// How many members are logged; a set may hold any number of them.
  private static final int MAX_LOGGED = 20;

  private final List<VerificationKey> keys;
  private final boolean keysHaveIds;

  private KeySet(List<VerificationKey> keys, boolean keysHaveIds) {
    this.keys = List.copyOf(keys);
    this.keysHaveIds = keysHaveIds;
  }

  /// The one key of a shared secret. A secret has no id, so the `kid` of a token says nothing here
  /// and is ignored, as some issuers put one in every token.
  ///
  /// @throws KeysException when the secret is too short
  static KeySet ofSecret(String secret) {
    return new KeySet(List.of(VerificationKey.ofSecret(secret)), false);
  }

  /// Reads a JWK set (RFC 7517, section 5). Members that can't verify tokens are passed over; the
  /// log says which and why.
  ///
  /// @param source where it comes from, for the message
  /// @throws KeysException when it is no JWK set, or no member can verify tokens
  static KeySet parse(byte[] document, String source) {
    List<VerificationKey> keys = new ArrayList<>();
    int unfit = 0;
    for (JsonValue member : members(document, source)) {
      try {
        if (!(member instanceof Obj(var jwk))) {
          throw new VerificationKey.UnfitException("it is no JSON object");
        }
        keys.add(VerificationKey.ofJwk(jwk));
      } catch (VerificationKey.UnfitException e) {
        if (unfit++ < MAX_LOGGED) {
          log(member, String.valueOf(e.getMessage()));
        }
      }
    }
    if (keys.isEmpty()) {
      throw unusable(
          source,
          "holds no key that can verify tokens: RSA from 2048 bits, EC on P-256, P-384 or P-521,"
              + " OKP on Ed25519, oct from 32 bytes, with no use or the use sig");
    }
    return new KeySet(keys, true);
  }

  private static void log(JsonValue member, String why) {
    JsonValue id = member instanceof Obj(var jwk) ? jwk.get("kid") : null;
    LOGGER.log(
        Level.WARNING,
        "event=jwk-unused kid="
            + (id instanceof Str(String text) ? SampledLog.quoted(text) : "none")
            + " reason="
            + Json.quoted(why));
  }

  private static List<JsonValue> members(byte[] document, String source) {
    try {
      if (Json.readStrict(document, JsonValue::read) instanceof Obj(var set)
          && set.get("keys") instanceof Arr(var members)) {
        return members;
      }
    } catch (JsonException _) {
      // refused like any other value
    }
    throw unusable(source, "is not a JWK set, a JSON object whose keys is an array");
  }

  private static KeysException unusable(String source, String why) {
    return new KeysException("%s: %s %s".formatted(Keys.JWKS, source, why));
  }

  /// How many keys there are.
  int size() {
    return keys.size();
  }

  /// Why these keys refuse `token`; empty when one of them, bound to the algorithm of the token,
  /// made its signature. Claims are not looked at.
  Optional<Reason> refusal(CompactJws token) {
    boolean byId = keysHaveIds && token.keyId().isPresent();
    List<VerificationKey> named =
        byId ? keys.stream().filter(key -> key.id().equals(token.keyId())).toList() : keys;
    if (named.isEmpty()) {
      return Optional.of(Reason.UNKNOWN_KEY);
    }
    List<VerificationKey> fitting =
        named.stream().filter(key -> key.algorithm().equals(token.algorithm())).toList();
    if (fitting.isEmpty()) {
      return Optional.of(Reason.ALGORITHM);
    }
    if (!byId && fitting.size() > 1) {
      return Optional.of(Reason.AMBIGUOUS_KEY);
    }
    return fitting.stream().anyMatch(token::isSignedBy)
        ? Optional.empty()
        : Optional.of(Reason.SIGNATURE);
  }
}
