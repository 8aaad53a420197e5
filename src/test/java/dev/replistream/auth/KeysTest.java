package dev.replistream.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.SettableClock;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class KeysTest {
  private static final String SECRET = "0123456789abcdef0123456789abcdef";

  private final SettableClock clock = new SettableClock();

  @TempDir private Path dir;

  @Test
  void aConfiguredSecretIsUsed() {
    AuthSettings settings = settings(Optional.of(SECRET), Optional.empty());

    assertVerifies(settings, new TokenSigner(SECRET, settings, clock));
    assertThat(dir).isEmptyDirectory();
  }

  @Test
  void withoutAKeyTheDevelopmentKeyIsUsed() {
    AuthSettings settings = settings(Optional.empty(), Optional.empty());

    assertVerifies(settings, new TokenSigner(DevelopmentKey.loadOrCreate(dir), settings, clock));
  }

  @Test
  void aConfiguredFileIsUsed() throws IOException {
    SigningKey key = SigningKey.ec("ec", "ES256", "P-256");
    Path file = Files.writeString(dir.resolve("jwks.json"), SigningKey.jwkSet(key));
    AuthSettings settings = settings(Optional.empty(), Optional.of(file.toString()));

    TokenVerifier verifier =
        new TokenVerifier(Keys.of(settings, dir, clock), settings, clock, _ -> false);

    assertThat(verifier.verify(key.token(Claims.ofAlice(clock).without("aud"))).userId())
        .isEqualTo("alice");
  }

  @Test
  void aSecretOfLessThan32BytesStopsTheStart() {
    assertThatThrownBy(() -> Keys.sharedSecret(SECRET.substring(1)))
        .isInstanceOf(KeysException.class)
        .hasMessage(
            "replistream.auth.secret: HS256 needs at least 32 bytes (RFC 7518, section 3.2)");
    assertThat(Keys.sharedSecret("\u00fc".repeat(16)).latest().size()).isOne();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://user:password@127.0.0.1/jwks",
        "https:///jwks",
        "https:jwks",
        "http://exa mple/jwks",
        "\0"
      })
  void aLocationThatCanNotBeUsedStopsTheStart(String location) {
    AuthSettings settings = settings(Optional.empty(), Optional.of(location));

    assertThatThrownBy(() -> Keys.of(settings, dir, clock))
        .isInstanceOf(KeysException.class)
        .hasMessageStartingWith("replistream.auth.jwks: ")
        .hasMessageNotContaining("password@")
        .hasMessageNotContaining("\n");
  }

  @Test
  void aUrlOfAnotherSchemeStopsTheStart() {
    assertThatThrownBy(() ->
            Keys.jwksUrl(
                URI.create("file:///etc/jwks"),
                Duration.ofMinutes(5),
                Duration.ofSeconds(30),
                clock))
        .isInstanceOf(KeysException.class)
        .hasMessageStartingWith("replistream.auth.jwks: the URL must be http or https");
  }

  /// As Compose names its services.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://auth_server:8080/realms/a/certs",
        "https://auth_server/jwks",
        "http://_a.b_c/jwks?x=1"
      })
  void aHostMayHaveAnUnderscore(String location) {
    AuthSettings settings = settings(Optional.empty(), Optional.of(location));

    try (Keys keys = Keys.of(settings, dir, clock)) {
      // it is asked for the keys, and is not there
      assertThatThrownBy(keys::current).isInstanceOf(TokenRefusedException.class);
    }
  }

  private void assertVerifies(AuthSettings settings, TokenSigner signer) {
    TokenVerifier verifier =
        new TokenVerifier(Keys.of(settings, dir, clock), settings, clock, _ -> false);
    String token = signer.sign("alice", Set.of(), Duration.ofHours(1));

    assertThat(verifier.verify(token).userId()).isEqualTo("alice");
  }

  private static AuthSettings settings(Optional<String> secret, Optional<String> jwks) {
    return new AuthSettings(
        secret,
        jwks,
        Optional.empty(),
        Optional.empty(),
        Duration.ZERO,
        Duration.ofMinutes(5),
        Duration.ofSeconds(30),
        Duration.ofHours(1));
  }
}
