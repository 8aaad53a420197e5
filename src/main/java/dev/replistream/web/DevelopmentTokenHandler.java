package dev.replistream.web;

import dev.replistream.api.Id;
import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValue.Obj;
import dev.replistream.api.JsonValue.Str;
import dev.replistream.auth.TokenSigner;
import dev.replistream.http.Bodies;
import dev.replistream.http.Cors;
import dev.replistream.http.MediaTypes;
import dev.replistream.http.Problem;
import dev.replistream.http.Routes;
import io.helidon.http.Status;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Duration;
import java.util.Set;

/// `POST /development/token` of a server in development mode: a token of any user, for the console
/// and the demo. Thread-safe.
///
/// It is for pages of this server alone: another site's page gets no token. That they were asked
/// for by a name of this machine, {@link dev.replistream.http.LocalCallers} has seen to.
final class DevelopmentTokenHandler implements Handler {
  static final Duration TOKEN_LIFE = Duration.ofHours(8);

  private static final int MAX_BODY_BYTES = 4096;

  private final TokenSigner signer;

  DevelopmentTokenHandler(TokenSigner signer) {
    this.signer = signer;
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    if (!Cors.isSameOrigin(request)) {
      throw Problem.of(
              Status.FORBIDDEN_403,
              "Only the pages of this server get a token here, under http://localhost or"
                  + " http://127.0.0.1; elsewhere use the command: replistream token --user.")
          .toException();
    }
    MediaTypes.requireJson(request);
    String userId = userId(Bodies.read(request, MAX_BODY_BYTES));
    String token = signer.sign(userId, Set.of(), TOKEN_LIFE);
    Routes.sendJson(
        response,
        JsonValue.object()
            .with("userId", userId)
            .with("token", token)
            .with("expiresIn", TOKEN_LIFE.toSeconds())
            .build()
            .toBytes());
  }

  private static String userId(byte[] body) {
    if (Bodies.parse(body, JsonValue::read) instanceof Obj(var object)
        && object.get("user") instanceof Str(String userId)
        && Id.mayBeMade(userId)) {
      return userId;
    }
    throw Problem.of(
            Status.BAD_REQUEST_400,
            "The body is {\"user\":…}, of 1 to 128 characters without control characters, not . or .. alone.")
        .toException();
  }
}
