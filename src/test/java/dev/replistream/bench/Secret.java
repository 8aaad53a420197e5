package dev.replistream.bench;

import dev.replistream.ServiceClient;
import dev.replistream.Settings;
import dev.replistream.auth.TokenSigner;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/// The shared secret of one run, and the tokens that it signs. Immutable.
final class Secret {
  private final String text;
  private final TokenSigner signer;

  Secret() {
    byte[] bytes = new byte[32];
    new SecureRandom().nextBytes(bytes);
    text = HexFormat.of().formatHex(bytes);
    signer =
        new TokenSigner(
            text,
            ServiceClient.auth(
                Settings.load(Optional.empty(), Map.of("REPLISTREAM_AUTH_SECRET", text))),
            Clock.systemUTC());
  }

  /// The secret, for the server's environment.
  String text() {
    return text;
  }

  /// One token for each of the users `user-0` to `user-<count - 1>`, good for an hour.
  List<String> tokens(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> signer.sign("user-" + i, Set.of(), Duration.ofHours(1)))
        .toList();
  }
}
