package dev.replistream.auth;

import static dev.replistream.auth.Refusals.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.auth.TokenRefusedException.Reason;
import java.nio.charset.StandardCharsets;
import java.security.interfaces.RSAPublicKey;
import java.util.Base64;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Tokens that nobody who may sign has signed, against a server whose set holds a key of each type,
/// and against one with a shared secret.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ForgedTokensTest {
  private static final String SECRET = "a shared secret of more than 32 bytes";

  private final Issuer issuer = new Issuer();
  private final SigningKey rsa = issuer.rsa();
  private final SigningKey ec = issuer.ec();
  private final SigningKey oct = issuer.oct();
  private final SigningKey stranger = SigningKey.rsa("rsa", "RS256");
  private final SigningKey secret = SigningKey.secret(SECRET);
  private final TokenVerifier secretVerifier = issuer.verifier(Keys.sharedSecret(SECRET));

  private Claims claims() {
    return issuer.claims();
  }

  @Test
  void theSameTokensWithoutTheirFaultAreGood() {
    for (SigningKey key : new SigningKey[] {rsa, ec, oct}) {
      assertThat(issuer.verifier().verify(key.token(claims())).userId()).isEqualTo("alice");
    }
    assertThat(secretVerifier.verify(secret.tokenWithoutId(claims())).userId()).isEqualTo("alice");
  }

  Stream<Arguments> signatures() {
    String good = rsa.token(claims());
    int payloadStart = good.indexOf('.') + 1;
    int signatureStart = good.lastIndexOf('.') + 1;
    String mallory = SigningKey.base64Url(claims().with("sub", "\"mallory\"").json());
    String changedPayload =
        good.substring(0, payloadStart) + mallory + good.substring(signatureStart - 1);
    String ecToken = ec.token(claims());
    int ecSignatureStart = ecToken.lastIndexOf('.') + 1;
    RSAPublicKey publicKey = (RSAPublicKey) rsa.publicKey().orElseThrow();
    String pem =
        "-----BEGIN PUBLIC KEY-----\n"
            + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(publicKey.getEncoded())
            + "\n-----END PUBLIC KEY-----\n";
    return Stream.of(
        bad("alg none, no signature", unsigned("none"), Reason.ALGORITHM),
        bad("alg None", unsigned("None"), Reason.ALGORITHM),
        bad("alg nOnE", unsigned("nOnE"), Reason.ALGORITHM),
        bad("alg empty", unsigned(""), Reason.ALGORITHM),
        bad(
            "alg none, with a signature",
            rsa.token(rsa.header().with("alg", "\"none\""), claims().json()),
            Reason.ALGORITHM),
        bad(
            "alg none, no kid",
            unsigned(new Claims(Map.of()).with("alg", "\"none\"")),
            Reason.ALGORITHM),
        bad("RS256, no signature", unsigned("RS256"), Reason.SIGNATURE),
        bad(
            "alg lower case",
            rsa.token(rsa.header().with("alg", "\"rs256\""), claims().json()),
            Reason.ALGORITHM),
        bad(
            "alg PS256",
            rsa.token(rsa.header().with("alg", "\"PS256\""), claims().json()),
            Reason.ALGORITHM),
        bad(
            "alg RS512 for a key of RS256",
            rsa.token(rsa.header().with("alg", "\"RS512\""), claims().json()),
            Reason.ALGORITHM),
        bad(
            "alg EdDSA",
            rsa.token(rsa.header().with("alg", "\"EdDSA\""), claims().json()),
            Reason.ALGORITHM),
        bad(
            "HS256 with the public key as PEM",
            confused(pem.getBytes(StandardCharsets.US_ASCII)),
            Reason.ALGORITHM),
        bad("HS256 with the public key as DER", confused(publicKey.getEncoded()), Reason.ALGORITHM),
        bad(
            "HS256 with the modulus",
            confused(publicKey.getModulus().toByteArray()),
            Reason.ALGORITHM),
        bad(
            "HS256 with the public key, no kid",
            SigningKey.oct("rsa", "HS256", publicKey.getEncoded()).tokenWithoutId(claims()),
            Reason.ALGORITHM),
        bad(
            "HS384 with the public key, no kid",
            SigningKey.oct("rsa", "HS384", publicKey.getEncoded()).tokenWithoutId(claims()),
            Reason.SIGNATURE),
        bad(
            "RS256 for the kid of a secret",
            rsa.token(rsa.header().with("kid", "\"oct\""), claims().json()),
            Reason.ALGORITHM),
        bad(
            "ES256 for the kid of RSA",
            ec.token(ec.header().with("kid", "\"rsa\""), claims().json()),
            Reason.ALGORITHM),
        bad("another's key of the same kid", stranger.token(claims()), Reason.SIGNATURE),
        bad("another's key, no kid", stranger.tokenWithoutId(claims()), Reason.SIGNATURE),
        bad("changed payload", changedPayload, Reason.SIGNATURE),
        bad("truncated signature", truncated(good), Reason.SIGNATURE),
        bad("signature of one byte", good.substring(0, signatureStart) + "AA", Reason.SIGNATURE),
        bad(
            "zeros as signature",
            good.substring(0, signatureStart) + "A".repeat(342),
            Reason.SIGNATURE),
        bad(
            "zeros as ECDSA signature",
            ecToken.substring(0, ecSignatureStart) + "A".repeat(86),
            Reason.SIGNATURE),
        bad("truncated ECDSA signature", truncated(ecToken), Reason.SIGNATURE),
        bad("empty HMAC", oct.token(claims()).replaceFirst("[^.]*$", ""), Reason.SIGNATURE),
        bad(
            "unknown kid",
            rsa.token(rsa.header().with("kid", "\"other\""), claims().json()),
            Reason.UNKNOWN_KEY),
        bad(
            "kid empty",
            rsa.token(rsa.header().with("kid", "\"\""), claims().json()),
            Reason.UNKNOWN_KEY),
        bad("kid a path", oct("../../../../dev/null"), Reason.UNKNOWN_KEY),
        bad("kid SQL", oct("x' UNION SELECT 'AA"), Reason.UNKNOWN_KEY),
        bad(
            "kid in another case",
            rsa.token(rsa.header().with("kid", "\"RSA\""), claims().json()),
            Reason.UNKNOWN_KEY),
        bad("its own key in the header", ownKey("jwk", stranger.jwk().json()), Reason.SIGNATURE),
        bad(
            "the URL of a key in the header",
            ownKey("jku", "\"http://127.0.0.1:1/jwks\""),
            Reason.SIGNATURE));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("signatures")
  void aForgedTokenIsRefused(String name, String token, Reason reason) {
    assertThat(assertRefused(issuer.verifier(), token, reason)).as(name).hasNoCause();
  }

  Stream<Arguments> tokensForASecret() {
    byte[] bytes = SECRET.getBytes(StandardCharsets.UTF_8);
    return Stream.of(
        bad("RS256", rsa.token(claims()), Reason.ALGORITHM),
        bad("RS256, no kid", rsa.tokenWithoutId(claims()), Reason.ALGORITHM),
        bad("ES256", ec.token(claims()), Reason.ALGORITHM),
        bad(
            "HS384 with the secret",
            SigningKey.oct("", "HS384", bytes).token(claims()),
            Reason.ALGORITHM),
        bad(
            "HS512 with the secret",
            SigningKey.oct("", "HS512", bytes).token(claims()),
            Reason.ALGORITHM),
        bad("alg none", unsigned("none"), Reason.ALGORITHM),
        bad("another secret", SigningKey.secret(SECRET + "!").token(claims()), Reason.SIGNATURE),
        bad(
            "the secret in base64",
            SigningKey.secret(SigningKey.base64Url(SECRET)).token(claims()),
            Reason.SIGNATURE),
        bad("truncated", truncated(secret.token(claims())), Reason.SIGNATURE),
        bad(
            "other bits at the end of the signature",
            looseBits(secret.token(claims())),
            Reason.MALFORMED));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("tokensForASecret")
  void aSecretVerifiesHs256Alone(String name, String token, Reason reason) {
    assertThat(assertRefused(secretVerifier, token, reason)).as(name).hasNoCause();
  }

  private static Arguments bad(String name, String token, Reason reason) {
    return Arguments.of(name, token, reason);
  }

  private String unsigned(String algorithm) {
    return unsigned(rsa.header().with("alg", '"' + algorithm + '"'));
  }

  private String unsigned(Claims header) {
    return SigningKey.base64Url(header.json()) + '.' + SigningKey.base64Url(claims().json()) + '.';
  }

  private String confused(byte[] publicKey) {
    return SigningKey.oct("rsa", "HS256", publicKey).token(claims());
  }

  private String oct(String id) {
    return SigningKey.oct(id, "HS256", new byte[1]).token(claims());
  }

  private String ownKey(String name, String json) {
    return stranger.token(stranger.header().with(name, json), claims().json());
  }

  /// The token without the last bytes of its signature, in whole groups of base64url.
  private static String truncated(String token) {
    int signatureLength = token.length() - token.lastIndexOf('.') - 1;
    return token.substring(0, token.length() - signatureLength % 4);
  }

  /// The same signature in base64url that is not canonical: HMAC-SHA256 leaves two bits unused in
  /// its last character.
  private static String looseBits(String token) {
    String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int last = alphabet.indexOf(token.charAt(token.length() - 1));
    return token.substring(0, token.length() - 1) + alphabet.charAt(last ^ 1);
  }
}
