package dev.replistream.sync;

import dev.replistream.api.JsonValue;
import java.util.Map;

/// Who pushes in tests of what comes behind the token.
final class TestPusher {
  private TestPusher() {}

  /// A user whose token says no more than that.
  static Pusher of(String userId) {
    return new Pusher(userId, () -> JsonValue.object(Map.of("sub", JsonValue.of(userId))));
  }
}
