package dev.replistream.auth;

import io.helidon.security.jwt.jwk.Jwk;
import io.helidon.security.jwt.jwk.JwkOctet;
import io.helidon.security.jwt.jwk.JwkRSA;
import jakarta.json.Json;
import jakarta.json.JsonObjectBuilder;
import java.nio.charset.StandardCharsets;
import java.security.interfaces.RSAPublicKey;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A key that verifies tokens of exactly one algorithm. Immutable.
///
/// A JWK without `alg` is for RS256, for HS256, or for the algorithm of its curve.
///
/// @param id the `kid`, where the key has one
/// @param algorithm the only `alg` it verifies, never `none`
/// @param jwk what does the arithmetic
record VerificationKey(Optional<String> id, String algorithm, Jwk jwk) {
  /// Every `alg` that a key can be for.
  static final Set<String> ALGORITHMS =
      Set.of("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512");

  private static final String HS256 = "HS256";
  private static final int HS256_BYTES = 32;
  // RFC 7518, section 3.3
  private static final int LEAST_RSA_BITS = 2048;
  // RFC 7518, section 3.2: at least as long as the hash
  private static final Map<String, Integer> LEAST_SECRET_BYTES =
      Map.of(HS256, HS256_BYTES, "HS384", 48, "HS512", 64);
  // RFC 7518, section 3.4: a curve has one algorithm
  private static final Map<String, String> ALGORITHM_OF_CURVE =
      Map.of("P-256", "ES256", "P-384", "ES384", "P-521", "ES512");

  /// The key of a shared secret, its UTF-8 bytes, for HS256 alone.
  ///
  /// @throws KeysException when it is shorter than 32 bytes
  static VerificationKey ofSecret(String secret) {
    byte[] bytes = secret.getBytes(StandardCharsets.UTF_8);
    if (bytes.length < HS256_BYTES) {
      throw new KeysException(
          "replistream.auth.secret: HS256 needs at least 32 bytes (RFC 7518, section 3.2)");
    }
    String text = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    return new VerificationKey(
        Optional.empty(), HS256, jwk(Map.of("kty", "oct", "k", text), HS256, List.of("k")));
  }

  /// The key of one member of a JWK set (RFC 7517, section 4); empty when it is not meant to verify
  /// signatures, too weak, malformed, or of a kind that is not supported.
  static Optional<VerificationKey> ofJwk(Map<?, ?> member) {
    if (!mayVerify(member) || !(member.get("kty") instanceof String type)) {
      return Optional.empty();
    }
    try {
      return switch (type) {
        case "RSA" -> ofRsa(member);
        case "EC" -> ofCurve(member);
        case "oct" -> ofOctets(member);
        default -> Optional.empty();
      };
    } catch (RuntimeException _) {
      return Optional.empty(); // the library's word for a malformed key, with parts of it
    }
  }

  /// Whether `signature` is this key's over `bytes`.
  boolean verifies(byte[] bytes, byte[] signature) {
    try {
      return jwk.verifySignature(bytes, signature);
    } catch (RuntimeException _) {
      return false; // a signature that can't be one, such as a truncated one
    }
  }

  private static boolean mayVerify(Map<?, ?> member) {
    boolean use = !member.containsKey("use") || "sig".equals(member.get("use"));
    boolean operations =
        !member.containsKey("key_ops")
            || (member.get("key_ops") instanceof List<?> list && list.contains("verify"));
    boolean id = !member.containsKey("kid") || member.get("kid") instanceof String;
    return use && operations && id;
  }

  private static Optional<VerificationKey> ofRsa(Map<?, ?> member) {
    return algorithm(member, "RS256")
        .filter(List.of("RS256", "RS384", "RS512")::contains)
        .map(algorithm -> of(member, algorithm, List.of("n", "e")))
        .filter(key ->
            key.jwk() instanceof JwkRSA rsa
                && rsa.publicKey() instanceof RSAPublicKey publicKey
                && publicKey.getModulus().bitLength() >= LEAST_RSA_BITS);
  }

  private static Optional<VerificationKey> ofCurve(Map<?, ?> member) {
    if (!(member.get("crv") instanceof String curve)) {
      return Optional.empty();
    }
    return Optional.ofNullable(ALGORITHM_OF_CURVE.get(curve))
        .filter(algorithm -> algorithm(member, algorithm).filter(algorithm::equals).isPresent())
        .map(algorithm -> of(member, algorithm, List.of("crv", "x", "y")));
  }

  private static Optional<VerificationKey> ofOctets(Map<?, ?> member) {
    return algorithm(member, HS256)
        .filter(LEAST_SECRET_BYTES::containsKey)
        .map(algorithm -> of(member, algorithm, List.of("k")))
        .filter(key ->
            key.jwk() instanceof JwkOctet octets
                && octets.getKeyBytes().length
                    >= LEAST_SECRET_BYTES.getOrDefault(key.algorithm(), Integer.MAX_VALUE));
  }

  private static Optional<String> algorithm(Map<?, ?> member, String ifAbsent) {
    if (!member.containsKey("alg")) {
      return Optional.of(ifAbsent);
    }
    return member.get("alg") instanceof String algorithm
        ? Optional.of(algorithm)
        : Optional.empty();
  }

  private static VerificationKey of(Map<?, ?> member, String algorithm, List<String> parameters) {
    Optional<String> id =
        member.get("kid") instanceof String text ? Optional.of(text) : Optional.empty();
    return new VerificationKey(id, algorithm, jwk(member, algorithm, parameters));
  }

  /// Hands the library the parameters of the public key and no others: it would fetch the URL in
  /// `x5u`, and it refuses a key without `kid`.
  private static Jwk jwk(Map<?, ?> member, String algorithm, List<String> parameters) {
    JsonObjectBuilder json = Json.createObjectBuilder().add("kid", "").add("alg", algorithm);
    json.add("kty", String.valueOf(member.get("kty")));
    for (String parameter : parameters) {
      if (member.get(parameter) instanceof String text) {
        json.add(parameter, text);
      }
    }
    return Jwk.create(json.build());
  }
}
