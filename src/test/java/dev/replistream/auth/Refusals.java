package dev.replistream.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.replistream.auth.TokenRefusedException.Reason;

/// Asserts that a token is refused.
final class Refusals {
  private Refusals() {}

  static TokenRefusedException assertRefused(TokenVerifier verifier, String token, Reason reason) {
    TokenRefusedException refusal =
        catchThrowableOfType(TokenRefusedException.class, () -> verifier.verify(token));
    assertThat(refusal).as("the refusal of the token").isNotNull();
    assertThat(refusal.reason()).isEqualTo(reason);
    return refusal;
  }
}
