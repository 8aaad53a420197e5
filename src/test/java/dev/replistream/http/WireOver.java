package dev.replistream.http;

import io.helidon.webserver.ConnectionContext;
import java.time.Duration;

/// Makes wires of connections that a test brings.
public final class WireOver {
  private static final Duration NEVER = Duration.ofHours(1);
  private static final Wires WIRES =
      new Wires(new Deadlines(NEVER, NEVER, NEVER, NEVER), 1 << 20, NoCrowd.of());

  private WireOver() {}

  /// A wire over `context`, ready for a session.
  public static Wire of(ConnectionContext context) {
    return new Wire(context, WIRES);
  }
}
