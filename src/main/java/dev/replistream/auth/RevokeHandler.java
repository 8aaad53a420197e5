package dev.replistream.auth;

import dev.replistream.api.Id;
import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValue.Obj;
import dev.replistream.api.JsonValue.Str;
import dev.replistream.auth.Revocation.Kind;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.http.Bodies;
import dev.replistream.http.Problem;
import dev.replistream.http.Routes;
import dev.replistream.http.Unavailable;
import dev.replistream.json.Json;
import io.helidon.http.Status;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Clock;
import java.util.Map;

/// `POST /revoke`: refuses tokens from now on, and ends what was opened with them, for a backend
/// service with the scope for it. Thread-safe.
public final class RevokeHandler implements Handler {
  private static final Logger LOGGER = System.getLogger(RevokeHandler.class.getName());
  private static final Map<String, Kind> KINDS = Map.of("sid", Kind.SID, "userId", Kind.USER);

  private final Authenticator authenticator;
  private final Revocations revocations;
  private final Clock clock;
  private final Bodies bodies;

  /// @param bodies how much of a body is read
  public RevokeHandler(
      Authenticator authenticator, Revocations revocations, Clock clock, Bodies bodies) {
    this.authenticator = authenticator;
    this.revocations = revocations;
    this.clock = clock;
    this.bodies = bodies;
  }

  /// Whose tokens are revoked.
  ///
  /// @param name what the body calls it
  private record Target(String name, Kind kind, String subject) {}

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    byte[] body = bodies.read(request, caller.userId());
    if (!caller.has(Caller.REVOKE_SCOPE)) {
      throw Caller.needsScope("Revoking tokens", Caller.REVOKE_SCOPE);
    }
    Target target = target(body);
    int ended = revoke(target);
    LOGGER.log(
        Level.INFO,
        "event=revoked kind="
            + target.name
            + " by="
            + Json.quoted(caller.userId())
            + " connections="
            + ended);
    Routes.sendJson(
        response,
        JsonValue.object()
            .with("success", true)
            .with(target.name, target.subject)
            .with("connectionsEnded", ended)
            .with("timestamp", Json.timestamp(clock.instant()))
            .build()
            .toBytes());
  }

  private int revoke(Target target) {
    try {
      return revocations.revoke(target.kind, target.subject).orElseThrow(RevokeHandler::full);
    } catch (DatabaseUnavailableException _) {
      throw Unavailable.problem();
    }
  }

  private static Target target(byte[] body) {
    if (Bodies.parse(body, JsonValue::read) instanceof Obj(var object) && object.size() == 1) {
      Map.Entry<String, JsonValue> member = object.entrySet().iterator().next();
      Kind kind = KINDS.get(member.getKey());
      if (kind != null && member.getValue() instanceof Str(String subject) && Id.isValid(subject)) {
        return new Target(member.getKey(), kind, subject);
      }
    }
    throw Problem.of(
            Status.BAD_REQUEST_400,
            "The body is a JSON object with one key, sid or userId: a string of 1 to 128 characters"
                + " without control characters.")
        .toException();
  }

  private static RuntimeException full() {
    return Problem.of(
            Status.SERVICE_UNAVAILABLE_503,
            "There are as many revocations as are kept, and none has lapsed: set"
                + " replistream.auth.revocation-life to what tokens really live.")
        .toException();
  }
}
