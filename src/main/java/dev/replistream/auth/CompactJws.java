package dev.replistream.auth;

import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValue.Obj;
import dev.replistream.api.JsonValue.Str;
import dev.replistream.auth.TokenRefusedException.Reason;
import dev.replistream.json.Json;
import dev.replistream.json.JsonException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;

/// A JWS in compact serialization (RFC 7515, section 7.1), read but not verified. Immutable.
///
/// It is stricter than the reader of the JWT library: a name that stands twice in an object, or
/// base64url that is not the one way to write its bytes, is refused rather than read somehow, and
/// claims that nobody asks for can't make a token fail.
final class CompactJws {
  /// The longest token that is read, in characters.
  static final int MAX_LENGTH = 8 * 1024;

  private static final int DOTS_OF_JWS = 2;
  private static final int DOTS_OF_JWE = 4;
  private static final Base64.Decoder DECODER = Base64.getUrlDecoder();
  private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

  private final String algorithm;
  private final Optional<String> keyId;
  private final Map<String, JsonValue> claims;
  private final byte[] signedBytes;
  private final byte[] signature;

  private CompactJws(
      String algorithm,
      Optional<String> keyId,
      Map<String, JsonValue> claims,
      byte[] signedBytes,
      byte[] signature) {
    this.algorithm = algorithm;
    this.keyId = keyId;
    this.claims = claims;
    this.signedBytes = signedBytes;
    this.signature = signature;
  }

  /// Reads a token.
  ///
  /// @throws TokenRefusedException when it is too long, encrypted, malformed or has `crit`
  static CompactJws parse(String token) {
    if (token.length() > MAX_LENGTH) {
      throw new TokenRefusedException(Reason.TOO_LONG);
    }
    long dots = token.chars().filter(c -> c == '.').count();
    if (dots == DOTS_OF_JWE) {
      throw new TokenRefusedException(Reason.ENCRYPTED);
    }
    if (dots != DOTS_OF_JWS) {
      throw malformed();
    }
    int headerEnd = token.indexOf('.');
    int payloadEnd = token.lastIndexOf('.');
    Map<String, JsonValue> header = object(token.substring(0, headerEnd));
    if (header.containsKey("crit")) {
      throw new TokenRefusedException(Reason.CRITICAL);
    }
    return new CompactJws(
        text(header, "alg").orElseThrow(CompactJws::malformed),
        text(header, "kid"),
        object(token.substring(headerEnd + 1, payloadEnd)),
        token.substring(0, payloadEnd).getBytes(StandardCharsets.US_ASCII),
        bytes(token.substring(payloadEnd + 1)));
  }

  /// The part of a token that is signed: `header` and `payload` as base64url with a dot between.
  static String signingInput(byte[] header, byte[] payload) {
    return ENCODER.encodeToString(header) + '.' + ENCODER.encodeToString(payload);
  }

  /// The whole token.
  static String serialize(String signingInput, byte[] signature) {
    return signingInput + '.' + ENCODER.encodeToString(signature);
  }

  /// The `alg` of the header.
  String algorithm() {
    return algorithm;
  }

  /// The `kid` of the header.
  Optional<String> keyId() {
    return keyId;
  }

  /// The members of the payload.
  Map<String, JsonValue> claims() {
    return claims;
  }

  /// Whether `key` made the signature.
  boolean isSignedBy(VerificationKey key) {
    return key.verifies(signedBytes, signature);
  }

  private static Map<String, JsonValue> object(String part) {
    try {
      if (Json.readStrict(bytes(part), JsonValue::read) instanceof Obj(var members)) {
        return members;
      }
    } catch (JsonException _) {
      // refused like any other value
    }
    throw malformed();
  }

  private static Optional<String> text(Map<String, JsonValue> header, String name) {
    if (header.get(name) instanceof Str(String text)) {
      return Optional.of(text);
    }
    if (header.containsKey(name)) {
      throw malformed();
    }
    return Optional.empty();
  }

  private static byte[] bytes(String part) {
    try {
      byte[] bytes = DECODER.decode(part);
      if (ENCODER.encodeToString(bytes).equals(part)) {
        return bytes;
      }
    } catch (IllegalArgumentException _) {
      // the message holds characters of the token
    }
    throw malformed();
  }

  private static TokenRefusedException malformed() {
    return new TokenRefusedException(Reason.MALFORMED);
  }
}
