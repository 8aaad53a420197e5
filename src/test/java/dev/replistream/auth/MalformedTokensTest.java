package dev.replistream.auth;

import static dev.replistream.auth.Refusals.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.auth.TokenRefusedException.Reason;
import java.util.stream.Stream;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Texts that are no signed JWT, or not one way of writing it.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class MalformedTokensTest {
  private final Issuer issuer = new Issuer();
  private final SigningKey rsa = issuer.rsa();

  private Claims claims() {
    return issuer.claims();
  }

  Stream<Arguments> shapes() {
    String good = rsa.token(claims());
    String[] parts = good.split("\\.", -1);
    String header = parts[0];
    String payload = parts[1];
    String signature = parts[2];
    String duplicated = claims().json().replace("\"sub\":", "\"sub\":\"mallory\",\"sub\":");
    return Stream.of(
        bad("empty", "", Reason.MALFORMED),
        bad("no dots", "garbage", Reason.MALFORMED),
        bad("only dots", "..", Reason.MALFORMED),
        bad("one dot", header + '.' + payload, Reason.MALFORMED),
        bad("four parts", good + ".x", Reason.MALFORMED),
        bad("five parts, a JWE", "eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn", Reason.ENCRYPTED),
        bad("six parts", "a.b.c.d.e.f", Reason.MALFORMED),
        bad("not base64url", "ey!J." + payload + '.' + signature, Reason.MALFORMED),
        bad("standard base64", good.substring(0, good.length() - 4) + "+/+/", Reason.MALFORMED),
        bad("padding", header + '.' + payload + "=." + signature, Reason.MALFORMED),
        bad("not ASCII", "\u00e9" + good, Reason.MALFORMED),
        bad("a space within", header + " ." + payload + '.' + signature, Reason.MALFORMED),
        bad("a line break at the end", good + "\n", Reason.MALFORMED),
        bad("header not JSON", rsa.token("{alg:RS256}", claims().json()), Reason.MALFORMED),
        bad("header an array", rsa.token("[\"RS256\"]", claims().json()), Reason.MALFORMED),
        bad("header null", rsa.token("null", claims().json()), Reason.MALFORMED),
        bad("header empty", rsa.token("", claims().json()), Reason.MALFORMED),
        bad("payload not JSON", rsa.token(rsa.header(), "alice"), Reason.MALFORMED),
        bad("payload an array", rsa.token(rsa.header(), "[]"), Reason.MALFORMED),
        bad(
            "payload with a tail",
            rsa.token(rsa.header(), claims().json() + "{}"),
            Reason.MALFORMED),
        bad("payload too deep", rsa.token(rsa.header(), "[".repeat(3000)), Reason.MALFORMED),
        bad("a claim twice", rsa.token(rsa.header(), duplicated), Reason.MALFORMED),
        bad(
            "alg twice",
            rsa.token("{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"rsa\"}", claims().json()),
            Reason.MALFORMED),
        bad("no alg", rsa.token(rsa.header().without("alg"), claims().json()), Reason.MALFORMED),
        bad(
            "alg a number",
            rsa.token(rsa.header().with("alg", 256), claims().json()),
            Reason.MALFORMED),
        bad(
            "kid a number",
            rsa.token(rsa.header().with("kid", 1), claims().json()),
            Reason.MALFORMED),
        bad(
            "kid null",
            rsa.token(rsa.header().with("kid", "null"), claims().json()),
            Reason.MALFORMED),
        bad("longer than 8 KiB", good + "A".repeat(8 * 1024), Reason.TOO_LONG),
        bad("much longer", "eyJ".repeat(1 << 20), Reason.TOO_LONG),
        bad(
            "crit",
            rsa.token(rsa.header().with("crit", "[\"exp\"]"), claims().json()),
            Reason.CRITICAL),
        bad(
            "crit null",
            rsa.token(rsa.header().with("crit", "null"), claims().json()),
            Reason.CRITICAL),
        bad(
            "crit b64",
            rsa.token(rsa.header().with("crit", "[\"b64\"]").with("b64", false), claims().json()),
            Reason.CRITICAL));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("shapes")
  void whatIsNoJwtIsRefused(String name, String token, Reason reason) {
    assertThat(assertRefused(issuer.verifier(), token, reason)).as(name).hasNoCause();
    if (token.length() > 20) {
      TokenRefusedException refusal = assertRefused(issuer.verifier(), token, reason);
      assertThat(refusal.toString() + refusal.problem()).doesNotContain(token.substring(0, 20));
    }
  }

  private static Arguments bad(String name, String token, Reason reason) {
    return Arguments.of(name, token, reason);
  }
}
