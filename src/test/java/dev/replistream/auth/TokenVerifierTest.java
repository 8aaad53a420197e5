package dev.replistream.auth;

import static dev.replistream.auth.Refusals.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.SettableClock;
import dev.replistream.auth.Caller.Credential;
import dev.replistream.auth.TokenRefusedException.Reason;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class TokenVerifierTest {
  private final Issuer issuer = new Issuer();
  private final SettableClock clock = issuer.clock();
  private final TokenVerifier verifier = issuer.verifier();

  @Test
  void aGoodTokenNamesItsCaller() {
    Claims claims = issuer.claims().with("scope", "\"replicache:poke other\"");

    Caller caller = verifier.verify(issuer.rsa().token(claims));

    assertThat(caller)
        .isEqualTo(
            new Caller(
                "alice",
                Set.of("replicache:poke", "other"),
                clock.instant().plusSeconds(3600).plus(Issuer.SKEW),
                Credential.HEADER,
                Optional.empty(),
                clock.instant()));
    assertThat(caller.has(Caller.POKE_SCOPE)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "PS384",
        "PS512",
        "EdDSA",
        "ES256 P-256",
        "ES384 P-384",
        "ES512 P-521",
        "HS256",
        "HS384",
        "HS512"
      })
  void everyAlgorithmVerifiesWithItsKey(String algorithmAndCurve) {
    String algorithm = algorithmAndCurve.substring(0, 5);
    SigningKey key =
        switch (algorithm.charAt(0)) {
          case 'R', 'P' -> SigningKey.rsa("a", algorithm);
          case 'E' ->
              algorithm.equals("EdDSA")
                  ? SigningKey.ed25519("a")
                  : SigningKey.ec("a", algorithm, algorithmAndCurve.substring(6));
          default -> SigningKey.oct("a", algorithm, new byte[64]);
        };
    TokenVerifier one = issuer.verifier(Issuer.keys(SigningKey.jwkSet(key)));

    assertThat(one.verify(key.token(issuer.claims())).userId()).isEqualTo("alice");
    assertThat(one.verify(key.tokenWithoutId(issuer.claims())).userId()).isEqualTo("alice");
  }

  @Test
  void aTokenWithoutKidNeedsExactlyOneKeyOfItsAlgorithm() {
    SigningKey first = SigningKey.ec("first", "ES256", "P-256");
    SigningKey second = SigningKey.ec("second", "ES256", "P-256");
    SigningKey third = SigningKey.ec("third", "ES384", "P-384");
    TokenVerifier both = issuer.verifier(Issuer.keys(SigningKey.jwkSet(first, second, third)));

    assertRefused(both, first.tokenWithoutId(issuer.claims()), Reason.AMBIGUOUS_KEY);
    assertThat(both.verify(third.tokenWithoutId(issuer.claims())).userId()).isEqualTo("alice");
    assertThat(both.verify(second.token(issuer.claims())).userId()).isEqualTo("alice");
  }

  @Test
  void aSharedSecretPassesOverTheKid() {
    String secret = "a shared secret of more than 32 bytes";
    TokenVerifier ofSecret = issuer.verifier(Keys.sharedSecret(secret));
    SigningKey key = SigningKey.oct("any", "HS256", secret.getBytes(StandardCharsets.UTF_8));

    assertThat(ofSecret.verify(key.token(issuer.claims())).userId()).isEqualTo("alice");
  }

  @Test
  void theAudienceMayBeOneOfMany() {
    Claims claims = issuer.claims().with("aud", "[\"other\",\"replistream\"]");

    assertThat(verifier.verify(issuer.ec().token(claims)).userId()).isEqualTo("alice");
  }

  @Test
  void theIssuerIsFreeWhereNoneIsConfiguredAndAnAudienceIsRefused() {
    AuthSettings free =
        new AuthSettings(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Issuer.SKEW,
            Duration.ofMinutes(5),
            Duration.ofSeconds(30),
            Duration.ofDays(1));
    TokenVerifier any =
        new TokenVerifier(Issuer.keys(SigningKey.jwkSet(issuer.ec())), free, clock, _ -> false);

    String other = issuer.ec().token(issuer.claims().with("iss", "7").without("aud"));
    String none = issuer.ec().token(issuer.claims().without("iss").without("aud"));

    assertThat(any.verify(other).userId()).isEqualTo("alice");
    assertThat(any.verify(none).userId()).isEqualTo("alice");
    for (String aud :
        List.of("\"other\"", "\"replistream\"", "[\"other\"]", "[]", "\"\"", "null")) {
      String meant = issuer.ec().token(issuer.claims().with("aud", aud));
      assertRefused(any, meant, Reason.AUDIENCE_NOT_CONFIGURED);
    }
  }

  @Test
  void scopesMayBeAnArrayOrNone() {
    assertThat(scopes(issuer.claims().with("scope", "[\"a\",\"b\"]"))).containsOnly("a", "b");
    assertThat(scopes(issuer.claims().with("scope", "\" a  b \""))).containsOnly("a", "b");
    assertThat(scopes(issuer.claims().with("scope", "\"\""))).isEmpty();
    assertThat(scopes(issuer.claims().with("scope", "null"))).isEmpty();
    assertThat(scopes(issuer.claims().with("scp", "\"a\""))).isEmpty();
  }

  @Test
  void theLongestUserIdHas128Characters() {
    String longest = "\u00fc".repeat(127) + "/";

    Claims claims = issuer.claims().with("sub", '"' + longest + '"');

    assertThat(verifier.verify(issuer.ec().token(claims)).userId()).isEqualTo(longest);
  }

  @Test
  void claimsThatNobodyAsksForDoNotMatter() {
    Claims claims =
        issuer
            .claims()
            .with("email_verified", "\"true\"")
            .with("birthdate", "\"0000-01-01\"")
            .with("zoneinfo", "\"Moon/Crater\"")
            .with("address", "\"none\"")
            .with("preferred_username", "\"mallory\"");

    assertThat(verifier.verify(issuer.rsa().token(claims)).userId()).isEqualTo("alice");
  }

  @Test
  void theClocksMayDifferByTheSkew() {
    long now = clock.epochSecond();
    Claims early = issuer.claims().with("nbf", now + 30).with("iat", now + 30);
    Claims late = issuer.claims().with("exp", now - 29);

    assertThat(verifier.verify(issuer.ec().token(early)).userId()).isEqualTo("alice");
    assertThat(verifier.verify(issuer.ec().token(late)).expiresAt())
        .isEqualTo(clock.instant().plusSeconds(1));
  }

  @Test
  void timesMayHaveAFraction() {
    Claims claims =
        issuer.claims().with("exp", (clock.epochSecond() + 60) + ".25").with("nbf", "1e9");

    assertThat(verifier.verify(issuer.ec().token(claims)).expiresAt())
        .isEqualTo(clock.instant().plusMillis(90_250));
  }

  @Test
  void theLastExpiryIsTheEndOfTheYear9999() {
    Claims claims = issuer.claims().with("exp", 253_402_300_799L);

    assertThat(verifier.verify(issuer.ec().token(claims)).expiresAt())
        .isEqualTo(Instant.parse("9999-12-31T23:59:59Z").plus(Issuer.SKEW));
  }

  @Test
  void aRememberedTokenExpiresAllTheSame() {
    String token = issuer.rsa().token(issuer.claims());
    Caller caller = verifier.verify(token);

    clock.advance(Duration.ofSeconds(3629));
    assertThat(verifier.verify(token)).as("from memory").isSameAs(caller);
    clock.advance(Duration.ofSeconds(1));
    assertRefused(verifier, token, Reason.EXPIRED);
    assertRefused(verifier, token, Reason.EXPIRED);
  }

  @Test
  void aRememberedTokenIsTheWholeToken() {
    String token = issuer.rsa().token(issuer.claims());
    verifier.verify(token);

    int payloadEnd = token.lastIndexOf('.');
    String other = issuer.rsa().token(issuer.claims().with("sub", "\"bob\""));

    assertRefused(verifier, token.substring(0, payloadEnd + 1), Reason.SIGNATURE);
    assertRefused(
        verifier,
        token.substring(0, payloadEnd) + other.substring(other.lastIndexOf('.')),
        Reason.SIGNATURE);
  }

  @Test
  void aTokenIsRememberedAmongTenThousand() {
    SigningKey key = issuer.oct();
    List<String> tokens =
        IntStream.range(0, 15_000)
            .mapToObj(i -> key.token(issuer.claims().with("jti", i)))
            .toList();

    Set<Caller> first = Collections.newSetFromMap(new IdentityHashMap<>());
    tokens.forEach(token -> first.add(verifier.verify(token)));
    long remembered = tokens.stream().map(verifier::verify).filter(first::contains).count();

    assertThat(remembered).isBetween(1L, 10_000L);
  }

  @ParameterizedTest
  @EnumSource(Reason.class)
  void everyReasonFitsTheHeaderOfTheChallenge(Reason reason) {
    assertThat(reason.sentence()).matches("[ !#-\\[\\]-~]{20,}"); // RFC 6750, section 3
    assertThat(reason.label()).matches("[a-z]+(-[a-z]+)*");
  }

  @Test
  void everyReasonHasItsOwnSentence() {
    assertThat(Arrays.stream(Reason.values()).map(Reason::sentence)).doesNotHaveDuplicates();
  }

  private Set<String> scopes(Claims claims) {
    return verifier.verify(issuer.ec().token(claims)).scopes();
  }
}
