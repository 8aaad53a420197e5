package dev.replistream.auth;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.NamedParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.security.spec.RSAKeyGenParameterSpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// The issuer's side: a key that signs tokens by the JDK's own cryptography and shows its public
/// part as a JWK. Immutable.
record SigningKey(
    String id, String algorithm, Signer signer, Claims jwk, Optional<PublicKey> publicKey) {
  private static final Base64.Encoder BASE64_URL = Base64.getUrlEncoder().withoutPadding();

  @FunctionalInterface
  interface Signer {
    byte[] sign(byte[] bytes) throws GeneralSecurityException;
  }

  static SigningKey rsa(String id, String algorithm) {
    return rsa(id, algorithm, 2048);
  }

  static SigningKey rsa(String id, String algorithm, int bits) {
    KeyPair pair = generate("RSA", new RSAKeyGenParameterSpec(bits, RSAKeyGenParameterSpec.F4));
    RSAPublicKey key = (RSAPublicKey) pair.getPublic();
    Claims jwk =
        jwk(id, algorithm, "RSA")
            .with("n", quoted(unsigned(key.getModulus())))
            .with("e", quoted(unsigned(key.getPublicExponent())));
    Signer signer =
        algorithm.startsWith("PS")
            ? pssSigner(algorithm.substring(2), pair.getPrivate())
            : signer("SHA" + algorithm.substring(2) + "withRSA", pair.getPrivate());
    return new SigningKey(id, algorithm, signer, jwk, Optional.of(key));
  }

  static SigningKey ec(String id, String algorithm, String curve) {
    KeyPair pair = generate("EC", new ECGenParameterSpec("secp" + curve.substring(2) + "r1"));
    ECPublicKey key = (ECPublicKey) pair.getPublic();
    int length = (key.getParams().getCurve().getField().getFieldSize() + 7) / 8;
    Claims jwk =
        jwk(id, algorithm, "EC")
            .with("crv", '"' + curve + '"')
            .with("x", quoted(padded(key.getW().getAffineX(), length)))
            .with("y", quoted(padded(key.getW().getAffineY(), length)));
    String java = "SHA" + algorithm.substring(2) + "withECDSAinP1363Format";
    return new SigningKey(id, algorithm, signer(java, pair.getPrivate()), jwk, Optional.of(key));
  }

  /// RFC 8037, appendix A.
  static SigningKey ed25519(String id) {
    KeyPair pair = generate("Ed25519", NamedParameterSpec.ED25519);
    byte[] encoded = pair.getPublic().getEncoded(); // RFC 8410: the key is at its end
    byte[] x = Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length);
    Claims jwk = jwk(id, "EdDSA", "OKP").with("crv", "\"Ed25519\"").with("x", quoted(x));
    return new SigningKey(
        id, "EdDSA", signer("Ed25519", pair.getPrivate()), jwk, Optional.of(pair.getPublic()));
  }

  static SigningKey oct(String id, String algorithm, byte[] secret) {
    String java = "HmacSHA" + algorithm.substring(2);
    Signer signer =
        bytes -> {
          Mac mac = Mac.getInstance(java);
          mac.init(new SecretKeySpec(secret, java));
          return mac.doFinal(bytes);
        };
    Claims jwk = jwk(id, algorithm, "oct").with("k", quoted(secret));
    return new SigningKey(id, algorithm, signer, jwk, Optional.empty());
  }

  static SigningKey secret(String secret) {
    return oct("", "HS256", secret.getBytes(StandardCharsets.UTF_8));
  }

  static String jwkSet(SigningKey... keys) {
    return jwkSet(Arrays.stream(keys).map(SigningKey::jwk).toList());
  }

  static String jwkSet(List<Claims> jwks) {
    return jwks.stream().map(Claims::json).collect(Collectors.joining(",", "{\"keys\":[", "]}"));
  }

  /// A token with this key's `alg` and `kid` in its header.
  String token(Claims claims) {
    return token(header(), claims.json());
  }

  /// A token without `kid`.
  String tokenWithoutId(Claims claims) {
    return token(header().without("kid"), claims.json());
  }

  String token(Claims header, String payload) {
    return token(header.json(), payload);
  }

  String token(String header, String payload) {
    String input = base64Url(header) + '.' + base64Url(payload);
    return input + '.' + BASE64_URL.encodeToString(sign(input));
  }

  Claims header() {
    return new Claims(Map.of()).with("alg", '"' + algorithm + '"').with("kid", '"' + id + '"');
  }

  static String base64Url(String text) {
    return BASE64_URL.encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private byte[] sign(String input) {
    try {
      return signer.sign(input.getBytes(StandardCharsets.US_ASCII));
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private static Claims jwk(String id, String algorithm, String type) {
    return new Claims(Map.of())
        .with("kty", '"' + type + '"')
        .with("kid", '"' + id + '"')
        .with("alg", '"' + algorithm + '"')
        .with("use", "\"sig\"");
  }

  private static Signer signer(String algorithm, PrivateKey key) {
    return bytes -> {
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(key);
      signature.update(bytes);
      return signature.sign();
    };
  }

  private static Signer pssSigner(String bits, PrivateKey key) {
    String hash = "SHA-" + bits;
    return bytes -> {
      Signature signature = Signature.getInstance("RSASSA-PSS");
      signature.setParameter(
          new PSSParameterSpec(
              hash, "MGF1", new MGF1ParameterSpec(hash), Integer.parseInt(bits) / 8, 1));
      signature.initSign(key);
      signature.update(bytes);
      return signature.sign();
    };
  }

  private static KeyPair generate(String algorithm, AlgorithmParameterSpec parameters) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
      generator.initialize(parameters);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private static byte[] unsigned(BigInteger number) {
    return padded(number, (number.bitLength() + 7) / 8);
  }

  private static byte[] padded(BigInteger number, int length) {
    byte[] bytes = number.toByteArray();
    byte[] padded = new byte[length];
    int count = Math.min(bytes.length, length);
    System.arraycopy(bytes, bytes.length - count, padded, length - count, count);
    return padded;
  }

  private static String quoted(byte[] bytes) {
    return '"' + BASE64_URL.encodeToString(bytes) + '"';
  }
}
