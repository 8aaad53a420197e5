package dev.replistream.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.SettableClock;
import dev.replistream.api.JsonValue;
import io.helidon.security.jwt.Jwt;
import io.helidon.security.jwt.SignedJwt;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TokenSignerTest {
  private static final String SECRET = "a shared secret of more than 32 bytes";

  private final SettableClock clock = new SettableClock();
  private final TokenSigner signer = new TokenSigner(SECRET, Issuer.SETTINGS, clock);

  @Test
  void theServerAcceptsWhatTheSignerSigns() {
    TokenVerifier verifier =
        new TokenVerifier(Keys.sharedSecret(SECRET), Issuer.SETTINGS, clock, _ -> false);

    Caller caller =
        verifier.verify(
            signer.sign("m\u00fcller \"\\", Set.of(Caller.POKE_SCOPE, "a"), Duration.ofDays(2)));

    assertThat(caller.userId()).isEqualTo("m\u00fcller \"\\");
    assertThat(caller.scopes()).containsOnly(Caller.POKE_SCOPE, "a");
    assertThat(caller.expiresAt())
        .isEqualTo(clock.instant().plus(Duration.ofDays(2)).plus(Issuer.SKEW));
  }

  @Test
  void anotherLibraryReadsItToo() {
    String token = signer.sign("alice", Set.of("b", "a"), Duration.ofMinutes(5));

    Jwt jwt = SignedJwt.parseToken(token).getJwt();

    assertThat(jwt.algorithm()).contains("HS256");
    assertThat(jwt.subject()).contains("alice");
    assertThat(jwt.issuer()).contains("https://issuer.example");
    assertThat(jwt.audience()).contains(List.of("replistream"));
    assertThat(jwt.issueTime()).contains(clock.instant());
    assertThat(jwt.expirationTime()).contains(clock.instant().plusSeconds(300));
    assertThat(jwt.scopes()).contains(List.of("a", "b"));
  }

  @Test
  void whatIsNotConfiguredIsLeftOut() {
    AuthSettings settings =
        new AuthSettings(
            Optional.of(SECRET),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Duration.ZERO,
            Duration.ofMinutes(5),
            Duration.ofSeconds(30),
            Duration.ofHours(1));
    String token =
        new TokenSigner(SECRET, settings, clock).sign("alice", Set.of(), Duration.ofMinutes(5));

    assertThat(payload(token).keySet()).isEqualTo(Set.of("sub", "iat", "exp"));
  }

  @Test
  void theExpiryIsRoundedUp() {
    clock.advance(Duration.ofMillis(999));

    Map<String, JsonValue> payload = payload(signer.sign("alice", Set.of(), Duration.ofMillis(2)));

    assertThat(payload.get("iat")).isEqualTo(JsonValue.of(clock.epochSecond()));
    assertThat(payload.get("exp")).isEqualTo(JsonValue.of(clock.epochSecond() + 2));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a\nb", "\u0000", "\u007f"})
  void whatIsNoUserIdIsNotSigned(String userId) {
    assertThatThrownBy(() -> signer.sign(userId, Set.of(), Duration.ofHours(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("user id");
    assertThatThrownBy(() -> signer.sign("a".repeat(129), Set.of(), Duration.ofHours(1)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a b", "a\"", "a\\", "\u00fc", "a\n"})
  void whatIsNoScopeIsNotSigned(String scope) {
    assertThatThrownBy(() -> signer.sign("alice", Set.of(scope), Duration.ofHours(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("scope");
  }

  @ParameterizedTest
  @ValueSource(strings = {"PT0S", "PT-1S", "P36526D", "PT2562047788015215H"})
  void aTimeThatIsNoneIsNotSigned(String ttl) {
    assertThatThrownBy(() -> signer.sign("alice", Set.of(), Duration.parse(ttl)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("100 years");
  }

  @Test
  void aTokenLivesNoLongerThanARevocation() {
    AuthSettings settings =
        new AuthSettings(
            Optional.of(SECRET),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Duration.ZERO,
            Duration.ofMinutes(5),
            Duration.ofSeconds(30),
            Duration.ofDays(30));
    TokenSigner brief = new TokenSigner(SECRET, settings, clock);
    TokenVerifier verifier =
        new TokenVerifier(Keys.sharedSecret(SECRET), settings, clock, _ -> false);
    clock.advance(Duration.ofMillis(1)); // so that exp and iat are rounded

    String longest = brief.sign("alice", Set.of(), Duration.ofDays(30));

    assertThat(verifier.verify(longest).userId()).isEqualTo("alice");
    assertThatThrownBy(() -> brief.sign("alice", Set.of(), Duration.ofDays(30).plusSeconds(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("replistream.auth.revocation-life")
        .hasMessageContaining("PT720H");
  }

  @Test
  void aUserIsCalledWhatAPathCanNameInABrowser() {
    for (String bad : List.of("", ".", "..", "a\nb", "x".repeat(129))) {
      assertThatThrownBy(() -> signer.sign(bad, Set.of(), Duration.ofHours(1)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("user id");
    }
    assertThat(signer.sign("...", Set.of(), Duration.ofHours(1))).isNotEmpty();
  }

  @Test
  void aSidNamesWhatCanBeRevoked() {
    TokenVerifier verifier =
        new TokenVerifier(Keys.sharedSecret(SECRET), Issuer.SETTINGS, clock, _ -> false);

    String token = signer.sign("alice", Set.of(), Duration.ofHours(1), "s 1");

    assertThat(verifier.verify(token).sid()).contains("s 1");
    for (String bad : List.of("", "a\nb", "x".repeat(129))) {
      assertThatThrownBy(() -> signer.sign("alice", Set.of(), Duration.ofHours(1), bad))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("sid");
    }
  }

  @Test
  void aShortSecretIsRefused() {
    assertThatThrownBy(() -> new TokenSigner("short", Issuer.SETTINGS, clock))
        .isInstanceOf(KeysException.class)
        .hasMessageNotContaining("short");
  }

  private static Map<String, JsonValue> payload(String token) {
    return CompactJws.parse(token).claims();
  }
}
