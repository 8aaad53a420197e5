package dev.replistream.auth;

import static dev.replistream.auth.Refusals.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.replistream.LogCapture;
import dev.replistream.api.JsonValue;
import dev.replistream.auth.TokenRefusedException.Reason;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class JwkSetTest {
  private static final String AT_LEAST = "holds no key that can verify tokens";

  private final Issuer issuer = new Issuer();
  private final SigningKey rsa = issuer.rsa();
  private final SigningKey ec = issuer.ec();

  @Test
  void aFileMayHoldKeysOfAllTypes(@TempDir Path dir) throws IOException {
    Path file = dir.resolve("jwks.json");
    Files.writeString(file, SigningKey.jwkSet(rsa, ec, issuer.oct()));

    TokenVerifier verifier = issuer.verifier(Keys.jwkSetFile(file));

    for (SigningKey key : List.of(rsa, ec, issuer.oct())) {
      assertThat(verifier.verify(key.token(issuer.claims())).userId()).isEqualTo("alice");
    }
  }

  @Test
  void theParametersThatAreOptionalMayBeMissing() {
    Claims bare = rsa.jwk().without("alg").without("use").without("kid");
    Claims curve = ec.jwk().without("alg").without("use").with("key_ops", "[\"verify\"]");

    TokenVerifier verifier = issuer.verifier(Issuer.keys(SigningKey.jwkSet(List.of(bare, curve))));

    assertThat(verifier.verify(rsa.tokenWithoutId(issuer.claims())).userId()).isEqualTo("alice");
    assertThat(verifier.verify(ec.token(issuer.claims())).userId()).isEqualTo("alice");
    assertRefused(verifier, rsa.token(issuer.claims()), Reason.UNKNOWN_KEY);
  }

  @Test
  void aKeyWithoutAlgIsForOneAlgorithmOnly() {
    SigningKey other = SigningKey.rsa("rsa", "RS512");
    Keys keys = Issuer.keys(SigningKey.jwkSet(List.of(other.jwk().without("alg"))));

    assertRefused(issuer.verifier(keys), other.token(issuer.claims()), Reason.ALGORITHM);
  }

  @Test
  void twoKeysMayShareAnId() {
    SigningKey first = SigningKey.ec("same", "ES256", "P-256");
    SigningKey second = SigningKey.ec("same", "ES256", "P-256");
    SigningKey third = SigningKey.ec("same", "ES384", "P-384");
    TokenVerifier verifier = issuer.verifier(Issuer.keys(SigningKey.jwkSet(first, second, third)));

    for (SigningKey key : List.of(first, second, third)) {
      assertThat(verifier.verify(key.token(issuer.claims())).userId()).isEqualTo("alice");
    }
  }

  @Test
  void aChainOfCertificatesIsNotFetched() throws IOException {
    AtomicInteger requests = new AtomicInteger();
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          requests.incrementAndGet();
          exchange.sendResponseHeaders(404, -1);
          exchange.close();
        });
    server.start();
    try {
      String chain = "\"http://127.0.0.1:%d/chain\"".formatted(server.getAddress().getPort());
      Keys keys = Issuer.keys(SigningKey.jwkSet(List.of(rsa.jwk().with("x5u", chain))));

      issuer.verifier(keys).verify(rsa.token(issuer.claims()));

      assertThat(requests).hasValue(0);
    } finally {
      server.stop(0);
    }
  }

  Stream<Arguments> unfitMembers() {
    SigningKey weak = SigningKey.rsa("weak", "RS256", 1024);
    Claims oct = SigningKey.oct("short", "HS256", new byte[31]).jwk();
    return Stream.of(
        Arguments.of("for encryption", rsa.jwk().with("use", "\"enc\"").json()),
        Arguments.of("use a number", rsa.jwk().with("use", 1).json()),
        Arguments.of("for wrapping", rsa.jwk().with("key_ops", "[\"wrapKey\"]").json()),
        Arguments.of("key_ops text", rsa.jwk().with("key_ops", "\"verify\"").json()),
        Arguments.of("alg of encryption", rsa.jwk().with("alg", "\"RSA-OAEP\"").json()),
        Arguments.of("alg none", rsa.jwk().with("alg", "\"none\"").json()),
        Arguments.of("alg PS1", rsa.jwk().with("alg", "\"PS1\"").json()),
        Arguments.of("alg of another type", rsa.jwk().with("alg", "\"HS256\"").json()),
        Arguments.of("alg a number", rsa.jwk().with("alg", 256).json()),
        Arguments.of("kid a number", rsa.jwk().with("kid", 256).json()),
        Arguments.of("RSA of 1024 bits", weak.jwk().json()),
        Arguments.of("RSA without n", rsa.jwk().without("n").json()),
        Arguments.of("RSA, n not base64url", rsa.jwk().with("n", "\"?\"").json()),
        Arguments.of("alg of another curve", ec.jwk().with("alg", "\"ES384\"").json()),
        Arguments.of("an unknown curve", ec.jwk().with("crv", "\"secp256k1\"").json()),
        Arguments.of("EC without y", ec.jwk().without("y").json()),
        Arguments.of("oct of 31 bytes", oct.json()),
        Arguments.of(
            "oct too short for HS512",
            oct.with("alg", "\"HS512\"").with("k", '"' + "A".repeat(84) + '"').json()),
        Arguments.of("oct without k", oct.without("k").json()),
        Arguments.of("oct of nothing", oct.with("k", "\"\"").json()),
        Arguments.of("OKP", rsa.jwk().with("kty", "\"OKP\"").with("crv", "\"Ed25519\"").json()),
        Arguments.of(
            "Ed25519 of 31 bytes",
            SigningKey.ed25519("ed").jwk().with("x", '"' + "A".repeat(42) + '"').json()),
        Arguments.of("Ed25519 without x", SigningKey.ed25519("ed").jwk().without("x").json()),
        Arguments.of(
            "Ed25519 for RS256", SigningKey.ed25519("ed").jwk().with("alg", "\"RS256\"").json()),
        Arguments.of("X25519", SigningKey.ed25519("ed").jwk().with("crv", "\"X25519\"").json()),
        Arguments.of("Ed448", SigningKey.ed25519("ed").jwk().with("crv", "\"Ed448\"").json()),
        Arguments.of("no kty", rsa.jwk().without("kty").json()),
        Arguments.of("kty null", rsa.jwk().with("kty", "null").json()),
        Arguments.of("empty", "{}"),
        Arguments.of("null", "null"),
        Arguments.of("text", "\"RSA\""));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("unfitMembers")
  void aMemberThatCanNotVerifyIsPassedOver(String name, String member) {
    String alone = "{\"keys\":[" + member + "]}";
    String beside = "{\"keys\":[" + member + ',' + ec.jwk().json() + "]}";

    assertThatThrownBy(() -> Issuer.keys(alone)).as(name).hasMessageContaining(AT_LEAST);
    assertThat(KeySet.parse(beside.getBytes(StandardCharsets.UTF_8), "the set").size()).isOne();
    TokenVerifier verifier = issuer.verifier(Issuer.keys(beside));
    assertThat(verifier.verify(ec.token(issuer.claims())).userId()).isEqualTo("alice");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "no JSON",
        "[]",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":null}",
        "{\"keys\":[",
        "{\"keys\":[],\"keys\":[]}",
        "<html></html>"
      })
  void whatIsNoJwkSetStopsTheStart(String text, @TempDir Path dir) throws IOException {
    Path file = Files.writeString(dir.resolve("jwks.json"), text);

    assertThatThrownBy(() -> Keys.jwkSetFile(file))
        .isInstanceOf(KeysException.class)
        .hasMessage(
            "replistream.auth.jwks: %s is not a JWK set, a JSON object whose keys is an array",
            file)
        .hasNoCause();
  }

  @Test
  void aSetWithoutKeysStopsTheStart(@TempDir Path dir) throws IOException {
    Path file = Files.writeString(dir.resolve("jwks.json"), "{\"keys\":[]}");

    assertThatThrownBy(() -> Keys.jwkSetFile(file))
        .isInstanceOf(KeysException.class)
        .hasMessageStartingWith("replistream.auth.jwks: %s %s", file, AT_LEAST)
        .hasMessageNotContaining("\n");
  }

  @Test
  void aFileThatCanNotBeReadStopsTheStart(@TempDir Path dir) throws IOException {
    Path large = Files.write(dir.resolve("large.json"), new byte[(1 << 20) + 1]);

    assertThatThrownBy(() -> Keys.jwkSetFile(dir.resolve("none.json")))
        .isInstanceOf(KeysException.class)
        .hasMessage("replistream.auth.jwks: can't read the file %s", dir.resolve("none.json"));
    assertThatThrownBy(() -> Keys.jwkSetFile(dir)).isInstanceOf(KeysException.class);
    assertThatThrownBy(() -> Keys.jwkSetFile(large))
        .isInstanceOf(KeysException.class)
        .hasMessage("replistream.auth.jwks: %s is larger than 1 MiB", large);
  }

  /// The key and the signature of RFC 8037, appendix A.2 and A.4.
  @Test
  void anEdwardsKeyVerifiesTheExampleOfItsRfc() throws VerificationKey.UnfitException {
    VerificationKey key =
        VerificationKey.ofJwk(
            JsonValue.object()
                .with("kty", "OKP")
                .with("crv", "Ed25519")
                .with("x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
                .build()
                .members());
    byte[] signature =
        Base64.getUrlDecoder()
            .decode(
                "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
    String input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";

    assertThat(key.algorithm()).isEqualTo("EdDSA");
    assertThat(key.verifies(input.getBytes(StandardCharsets.US_ASCII), signature)).isTrue();
    assertThat(key.verifies((input + "c").getBytes(StandardCharsets.US_ASCII), signature))
        .isFalse();
  }

  @Test
  void aKeyThatIsNotUsedIsLoggedWithItsIdAndWhy() {
    try (LogCapture log = new LogCapture()) {
      Issuer.keys(
          SigningKey.jwkSet(
              List.of(
                  ec.jwk(),
                  rsa.jwk().with("kid", "\"enc key\\nevent=x\"").with("use", "\"enc\""),
                  SigningKey.rsa("weak", "RS256", 1024).jwk(),
                  SigningKey.ed25519("other").jwk().with("crv", "\"Ed448\""),
                  new Claims(Map.of()))));

      assertThat(log.lines())
          .containsExactly(
              "event=jwk-unused kid=\"enc key\\nevent=x\" reason=\"its use is not sig\"",
              "event=jwk-unused kid=\"weak\" reason=\"it has fewer than 2048 bits\"",
              "event=jwk-unused kid=\"other\" reason=\"its crv is not Ed25519\"",
              "event=jwk-unused kid=none reason=\"its kty is none of RSA, EC, OKP and oct\"");
    }
  }

  @Test
  void theLogIsNotFilledByASetOfNonsense() {
    try (LogCapture log = new LogCapture()) {
      Issuer.keys("{\"keys\":[" + "{},".repeat(10_000) + ec.jwk().json() + "]}");

      assertThat(log.lines()).hasSize(20);
    }
  }

  @Test
  void aKeyNeverShowsItsSecret() throws VerificationKey.UnfitException {
    VerificationKey key =
        VerificationKey.ofJwk(
            JsonValue.object()
                .with("kty", "oct")
                .with("kid", "one")
                .with("k", "A".repeat(43))
                .build()
                .members());

    assertThat(key.toString()).doesNotContain("AAAA");
  }
}
