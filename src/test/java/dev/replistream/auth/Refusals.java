package dev.replistream.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.replistream.auth.TokenRefusedException.Reason;
import java.util.Arrays;
import java.util.List;

/// Refused tokens.
public final class Refusals {
  private Refusals() {}

  /// Each reason of a refusal, as a metric's label.
  public static List<String> labels() {
    return Arrays.stream(Reason.values()).map(Reason::label).toList();
  }

  static TokenRefusedException assertRefused(TokenVerifier verifier, String token, Reason reason) {
    TokenRefusedException refusal =
        catchThrowableOfType(TokenRefusedException.class, () -> verifier.verify(token));
    assertThat(refusal).as("the refusal of the token").isNotNull();
    assertThat(refusal.reason()).isEqualTo(reason);
    return refusal;
  }
}
