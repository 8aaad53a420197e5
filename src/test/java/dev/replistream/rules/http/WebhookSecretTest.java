package dev.replistream.rules.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WebhookSecretTest {
  /// The example that the libraries of Standard Webhooks share.
  @Test
  void itSignsTheExampleOfTheSpecificationAsItsLibrariesDo() {
    WebhookSecret secret = WebhookSecret.parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

    WebhookSecret.Signature signature =
        secret.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            json -> json.writeRaw("{\"test\": 2432232314}"));

    assertThat(signature.header()).isEqualTo("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assertThat(signature.bytes()).isEqualTo(20);
  }

  @Test
  void itSignsEachByteOfALongBody() {
    String secret = "whsec_" + "b".repeat(44);
    String text = "ü".repeat(100_000);

    WebhookSecret.Signature signature =
        WebhookSecret.parse(secret).sign("msg_1", 1, json -> json.writeString(text));

    byte[] body = ('"' + text + '"').getBytes(StandardCharsets.UTF_8);
    assertThat(signature.header()).isEqualTo(TestRules.signature(secret, "msg_1.1.", body));
    assertThat(signature.bytes()).isEqualTo(body.length);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2Lä",
        "whsec_MfKQ9r8G KYqrTwjUPD8ILPZIo2LaLaSw",
        "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
      })
  void anotherFormIsRefusedInOneLineWithoutIt(String text) {
    assertThatThrownBy(() -> WebhookSecret.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("whsec_ and the Base64 of 24 to 64")
        .hasMessageNotContaining("MfKQ")
        .hasMessageNotContaining("\n");
  }

  @Test
  void itDoesNotTellItself() {
    assertThat(WebhookSecret.parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        .hasToString("whsec_...");
  }
}
