package dev.replistream.http.wire;

import io.helidon.webserver.WebServer;
import java.util.Optional;

/// The Helidon that was found differs from the one this service needs. Its message is one line that
/// says in what.
public final class UnsupportedHelidonException extends RuntimeException {
  UnsupportedHelidonException(String difference) {
    super(
        "Helidon %s %s: this service needs Helidon 4.5"
            .formatted(
                Optional.ofNullable(WebServer.class.getPackage().getImplementationVersion())
                    .orElse("of another version"),
                difference),
        null,
        false,
        false);
  }
}
