package dev.replistream.auth;

import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValue.Arr;
import dev.replistream.api.JsonValue.Str;
import io.helidon.security.jwt.jwk.Jwk;
import io.helidon.security.jwt.jwk.JwkOctet;
import io.helidon.security.jwt.jwk.JwkRSA;
import jakarta.json.Json;
import jakarta.json.JsonObjectBuilder;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.EdECPoint;
import java.security.spec.EdECPublicKeySpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.NamedParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// A key that verifies tokens of exactly one algorithm. Immutable.
///
/// A JWK without `alg` is for RS256, for HS256, or for the algorithm of its curve.
///
/// @param id the `kid`, where the key has one
/// @param algorithm the only `alg` it verifies, never `none`
/// @param verifier what does the arithmetic
record VerificationKey(Optional<String> id, String algorithm, Verifier verifier) {
  private static final String HS256 = "HS256";
  private static final String RS256 = "RS256";
  private static final String EDDSA = "EdDSA";
  private static final int HS256_BYTES = 32;
  // RFC 7518, section 3.3
  private static final int LEAST_RSA_BITS = 2048;
  // RFC 7518, section 3.2: at least as long as the hash
  private static final Map<String, Integer> LEAST_SECRET_BYTES =
      Map.of(HS256, HS256_BYTES, "HS384", 48, "HS512", 64);
  // RFC 7518, section 3.4: a curve has one algorithm
  private static final Map<String, String> ALGORITHM_OF_CURVE =
      Map.of("P-256", "ES256", "P-384", "ES384", "P-521", "ES512");
  // RFC 7518, section 3.3
  private static final Set<String> PKCS1 = Set.of(RS256, "RS384", "RS512");
  // RFC 7518, section 3.5: the salt is as long as the hash
  private static final Map<String, PSSParameterSpec> PSS =
      Map.of(
          "PS256", pss("SHA-256", MGF1ParameterSpec.SHA256, 32),
          "PS384", pss("SHA-384", MGF1ParameterSpec.SHA384, 48),
          "PS512", pss("SHA-512", MGF1ParameterSpec.SHA512, 64));
  // RFC 8037, section 3.1; RFC 9864, section 2.2
  private static final Set<String> EDWARDS = Set.of(EDDSA, "Ed25519");
  private static final int ED25519_BYTES = 32;

  /// Every `alg` that a key can be for.
  static final Set<String> ALGORITHMS = algorithms();

  /// What looks at signatures. Thread-safe.
  @FunctionalInterface
  interface Verifier {
    /// Whether `signature` is the key's over `bytes`.
    ///
    /// @throws GeneralSecurityException or RuntimeException when it can't be one
    boolean verifies(byte[] bytes, byte[] signature) throws GeneralSecurityException;
  }

  /// A member of a JWK set that can't verify tokens, and why; without a part of it.
  static final class UnfitException extends Exception {
    UnfitException(String why) {
      super(why, null, false, false);
    }
  }

  /// The key of a shared secret, its UTF-8 bytes, for HS256 alone.
  ///
  /// @throws KeysException when it is shorter than 32 bytes
  static VerificationKey ofSecret(String secret) {
    return new VerificationKey(Optional.empty(), HS256, jwkOfSecret(secret)::verifySignature);
  }

  /// The same as the library's key, which signs too.
  static Jwk jwkOfSecret(String secret) {
    byte[] bytes = secret.getBytes(StandardCharsets.UTF_8);
    if (bytes.length < HS256_BYTES) {
      throw new KeysException(
          "replistream.auth.secret: HS256 needs at least 32 bytes (RFC 7518, section 3.2)");
    }
    String text = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    return jwk(Map.of("kty", JsonValue.of("oct"), "k", JsonValue.of(text)), HS256, List.of("k"));
  }

  /// The key of one member of a JWK set (RFC 7517, section 4).
  ///
  /// @throws UnfitException when it is not meant to verify signatures, too weak, malformed, or of a
  ///   kind that is not supported
  static VerificationKey ofJwk(Map<String, JsonValue> member) throws UnfitException {
    requireForVerifying(member);
    try {
      return switch (text(member, "kty").orElse("")) {
        case "RSA" -> ofRsa(member);
        case "EC" -> ofCurve(member);
        case "OKP" -> ofEdwardsCurve(member);
        case "oct" -> ofOctets(member);
        default -> throw new UnfitException("its kty is none of RSA, EC, OKP and oct");
      };
    } catch (GeneralSecurityException | RuntimeException _) {
      // the library's word for a malformed key, with parts of it
      throw new UnfitException("its parameters are missing or not well-formed");
    }
  }

  /// Whether `signature` is this key's over `bytes`.
  boolean verifies(byte[] bytes, byte[] signature) {
    try {
      return verifier.verifies(bytes, signature);
    } catch (GeneralSecurityException | RuntimeException _) {
      return false; // a signature that can't be one, such as a truncated one
    }
  }

  private static void requireForVerifying(Map<String, JsonValue> member) throws UnfitException {
    require(
        !member.containsKey("use") || JsonValue.of("sig").equals(member.get("use")),
        "its use is not sig");
    require(
        !member.containsKey("key_ops")
            || (member.get("key_ops") instanceof Arr(var list)
                && list.contains(JsonValue.of("verify"))),
        "its key_ops do not hold verify");
    require(!member.containsKey("kid") || text(member, "kid").isPresent(), "its kid is no string");
  }

  private static VerificationKey ofRsa(Map<String, JsonValue> member)
      throws UnfitException, GeneralSecurityException {
    String algorithm = algorithm(member, RS256);
    PSSParameterSpec pss = PSS.get(algorithm);
    require(pss != null || PKCS1.contains(algorithm), "its alg is no RSA signature's");
    Jwk jwk = jwk(member, pss == null ? algorithm : RS256, List.of("n", "e"));
    if (!(jwk instanceof JwkRSA rsa && rsa.publicKey() instanceof RSAPublicKey key)) {
      throw new UnfitException("it is no RSA key");
    }
    require(
        key.getModulus().bitLength() >= LEAST_RSA_BITS,
        "it has fewer than " + LEAST_RSA_BITS + " bits");
    return pss == null
        ? of(member, algorithm, jwk::verifySignature)
        : of(
            member,
            algorithm,
            (bytes, text) -> {
              Signature signature = Signature.getInstance("RSASSA-PSS");
              signature.setParameter(pss);
              return verifies(signature, key, bytes, text);
            });
  }

  private static VerificationKey ofCurve(Map<String, JsonValue> member) throws UnfitException {
    String algorithm =
        text(member, "crv")
            .map(ALGORITHM_OF_CURVE::get)
            .orElseThrow(() -> new UnfitException("its crv is none of P-256, P-384 and P-521"));
    require(algorithm(member, algorithm).equals(algorithm), "its alg is not that of its crv");
    Jwk jwk = jwk(member, algorithm, List.of("crv", "x", "y"));
    return of(member, algorithm, jwk::verifySignature);
  }

  /// RFC 8037, section 2, which the library does not know.
  private static VerificationKey ofEdwardsCurve(Map<String, JsonValue> member)
      throws UnfitException, GeneralSecurityException {
    require(JsonValue.of("Ed25519").equals(member.get("crv")), "its crv is not Ed25519");
    String algorithm = algorithm(member, EDDSA);
    require(EDWARDS.contains(algorithm), "its alg is neither EdDSA nor Ed25519");
    byte[] point = Base64.getUrlDecoder().decode(text(member, "x").orElse(""));
    require(point.length == ED25519_BYTES, "its x has not 32 bytes");
    PublicKey key = KeyFactory.getInstance("Ed25519").generatePublic(edwardsKey(point));
    return of(
        member,
        algorithm,
        (bytes, signature) -> verifies(Signature.getInstance("Ed25519"), key, bytes, signature));
  }

  /// RFC 8032, section 5.1.2: y with its lowest byte first, and above it the lowest bit of x.
  private static EdECPublicKeySpec edwardsKey(byte[] point) {
    byte[] y = new byte[ED25519_BYTES];
    for (int i = 0; i < ED25519_BYTES; i++) {
      y[i] = point[ED25519_BYTES - 1 - i];
    }
    boolean isXOdd = y[0] < 0;
    y[0] &= Byte.MAX_VALUE;
    return new EdECPublicKeySpec(
        NamedParameterSpec.ED25519, new EdECPoint(isXOdd, new BigInteger(1, y)));
  }

  private static VerificationKey ofOctets(Map<String, JsonValue> member) throws UnfitException {
    String algorithm = algorithm(member, HS256);
    Integer least = LEAST_SECRET_BYTES.get(algorithm);
    if (least == null) {
      throw new UnfitException("its alg is no HMAC's");
    }
    Jwk jwk = jwk(member, algorithm, List.of("k"));
    require(
        jwk instanceof JwkOctet octets && octets.getKeyBytes().length >= least,
        "it is shorter than " + least + " bytes");
    return of(member, algorithm, jwk::verifySignature);
  }

  private static boolean verifies(Signature signature, PublicKey key, byte[] bytes, byte[] text)
      throws GeneralSecurityException {
    signature.initVerify(key);
    signature.update(bytes);
    return signature.verify(text);
  }

  private static String algorithm(Map<String, JsonValue> member, String ifAbsent)
      throws UnfitException {
    return member.containsKey("alg")
        ? text(member, "alg").orElseThrow(() -> new UnfitException("its alg is no string"))
        : ifAbsent;
  }

  private static Optional<String> text(Map<String, JsonValue> member, String name) {
    return member.get(name) instanceof Str(String text) ? Optional.of(text) : Optional.empty();
  }

  private static VerificationKey of(
      Map<String, JsonValue> member, String algorithm, Verifier verifier) {
    return new VerificationKey(text(member, "kid"), algorithm, verifier);
  }

  /// Hands the library the parameters of the public key and no others: it would fetch the URL in
  /// `x5u`, and it refuses a key without `kid`.
  private static Jwk jwk(Map<String, JsonValue> member, String algorithm, List<String> parameters) {
    JsonObjectBuilder json = Json.createObjectBuilder().add("kid", "").add("alg", algorithm);
    text(member, "kty").ifPresent(kty -> json.add("kty", kty));
    for (String parameter : parameters) {
      text(member, parameter).ifPresent(text -> json.add(parameter, text));
    }
    return Jwk.create(json.build());
  }

  private static PSSParameterSpec pss(String hash, MGF1ParameterSpec mask, int saltBytes) {
    return new PSSParameterSpec(hash, "MGF1", mask, saltBytes, PSSParameterSpec.TRAILER_FIELD_BC);
  }

  private static Set<String> algorithms() {
    Set<String> all = new TreeSet<>(LEAST_SECRET_BYTES.keySet());
    all.addAll(PKCS1);
    all.addAll(PSS.keySet());
    all.addAll(ALGORITHM_OF_CURVE.values());
    all.addAll(EDWARDS);
    return Set.copyOf(all);
  }

  private static void require(boolean isFit, String otherwise) throws UnfitException {
    if (!isFit) {
      throw new UnfitException(otherwise);
    }
  }
}
