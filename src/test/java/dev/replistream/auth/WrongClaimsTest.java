package dev.replistream.auth;

import static dev.replistream.auth.Refusals.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.auth.TokenRefusedException.Reason;
import java.util.stream.Stream;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Tokens that a key of the server signed, but that are out of date, for another, or for nobody.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class WrongClaimsTest {
  private final Issuer issuer = new Issuer();
  private final SigningKey rsa = issuer.rsa();

  private Claims claims() {
    return issuer.claims();
  }

  Stream<Arguments> claimsOfTokens() {
    long now = issuer.clock().epochSecond();
    return Stream.of(
        signed("expired", claims().with("exp", now - 30), Reason.EXPIRED),
        signed("expired long ago", claims().with("exp", 1), Reason.EXPIRED),
        signed("expired, with a fraction", claims().with("exp", (now - 31) + ".5"), Reason.EXPIRED),
        signed("exp zero", claims().with("exp", 0), Reason.EXPIRED),
        signed("no exp", claims().without("exp"), Reason.NO_EXPIRY),
        signed("exp null", claims().with("exp", "null"), Reason.NUMERIC_DATE),
        signed("exp text", claims().with("exp", "\"" + (now + 60) + '"'), Reason.NUMERIC_DATE),
        signed("exp true", claims().with("exp", true), Reason.NUMERIC_DATE),
        signed("exp an array", claims().with("exp", "[" + (now + 60) + ']'), Reason.NUMERIC_DATE),
        signed("exp negative", claims().with("exp", -1), Reason.NUMERIC_DATE),
        signed("exp in milliseconds", claims().with("exp", now * 1000), Reason.NUMERIC_DATE),
        signed("exp the largest long", claims().with("exp", Long.MAX_VALUE), Reason.NUMERIC_DATE),
        signed(
            "exp wraps around a long",
            claims().with("exp", "18446744075" + "0".repeat(9)),
            Reason.NUMERIC_DATE),
        signed("exp of 40 digits", claims().with("exp", "9".repeat(40)), Reason.NUMERIC_DATE),
        signed("exp 1e400", claims().with("exp", "1e400"), Reason.NUMERIC_DATE),
        signed("exp of 2000 digits", claims().with("exp", "1".repeat(2000)), Reason.MALFORMED),
        signed("nbf in the future", claims().with("nbf", now + 31), Reason.NOT_YET_VALID),
        signed("nbf text", claims().with("nbf", "\"0\""), Reason.NUMERIC_DATE),
        signed("iat in the future", claims().with("iat", now + 31), Reason.NOT_YET_VALID),
        signed("iat huge", claims().with("iat", "1e300"), Reason.NUMERIC_DATE),
        signed("wrong iss", claims().with("iss", "\"https://issuer.example/\""), Reason.ISSUER),
        signed("no iss", claims().without("iss"), Reason.ISSUER),
        signed("iss an array", claims().with("iss", "[\"https://issuer.example\"]"), Reason.ISSUER),
        signed("wrong aud", claims().with("aud", "\"replistream2\""), Reason.AUDIENCE),
        signed("no aud", claims().without("aud"), Reason.AUDIENCE),
        signed("aud empty", claims().with("aud", "[]"), Reason.AUDIENCE),
        signed(
            "aud an array of others",
            claims().with("aud", "[\"a\",\"b\",null,7]"),
            Reason.AUDIENCE),
        signed("aud an object", claims().with("aud", "{\"replistream\":1}"), Reason.AUDIENCE),
        signed("no sub", claims().without("sub"), Reason.SUBJECT),
        signed("sub empty", claims().with("sub", "\"\""), Reason.SUBJECT),
        signed("sub null", claims().with("sub", "null"), Reason.SUBJECT),
        signed("sub a number", claims().with("sub", 7), Reason.SUBJECT),
        signed("sub of 129", claims().with("sub", '"' + "a".repeat(129) + '"'), Reason.SUBJECT),
        signed("sub of 5 kB", claims().with("sub", '"' + "a".repeat(5000) + '"'), Reason.SUBJECT),
        signed(
            "sub of 10 kB", claims().with("sub", '"' + "a".repeat(10_000) + '"'), Reason.TOO_LONG),
        signed("sub with a line break", claims().with("sub", "\"a\\nb\""), Reason.SUBJECT),
        signed("sub with NUL", claims().with("sub", "\"a\\u0000\""), Reason.SUBJECT),
        signed("sub with DEL", claims().with("sub", "\"a\\u007f\""), Reason.SUBJECT),
        signed("sub with a C1 control", claims().with("sub", "\"a\\u0085\""), Reason.SUBJECT),
        signed(
            "sub with half a surrogate pair", claims().with("sub", "\"a\\ud800\""), Reason.SUBJECT),
        signed(
            "preferred_username instead of sub",
            claims().without("sub").with("preferred_username", "\"bob\""),
            Reason.SUBJECT),
        signed("scope a number", claims().with("scope", 1), Reason.SCOPE),
        signed("scope an array of numbers", claims().with("scope", "[1]"), Reason.SCOPE));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("claimsOfTokens")
  void aTokenWithAWrongClaimIsRefused(String name, String token, Reason reason) {
    assertThat(assertRefused(issuer.verifier(), token, reason)).as(name).hasNoCause();
  }

  private Arguments signed(String name, Claims claims, Reason reason) {
    return Arguments.of(name, rsa.token(claims), reason);
  }
}
