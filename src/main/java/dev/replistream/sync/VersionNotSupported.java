package dev.replistream.sync;

import dev.replistream.json.Json;
import java.util.Locale;

/// A request in a version that this server does not speak. The client's `onUpdateNeeded` is called
/// with it, so that the application can load newer code (Replicache: "server-push" and
/// "server-pull"). Immutable.
record VersionNotSupported(Type versionType) implements PushBody, PullBody {
  /// Which version it is.
  enum Type {
    /// `pullVersion`.
    PULL,
    /// `pushVersion`.
    PUSH,
    /// `schemaVersion`.
    SCHEMA
  }

  /// The answer, which goes out with status 200: with any other the client ignores it.
  byte[] toJson() {
    return Json.write(json -> {
      json.writeStartObject();
      json.writeStringField("error", "VersionNotSupported");
      json.writeStringField("versionType", versionType.name().toLowerCase(Locale.ROOT));
      json.writeEndObject();
    });
  }
}
