package dev.replistream.web;

import dev.replistream.api.JsonObjectBuilder;
import dev.replistream.api.JsonValue;
import dev.replistream.http.Routes;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;

/// `GET /development/rules` of a server in development mode: why the file of mutators can't be used
/// as it is now, for the console, which asks again and again. Thread-safe.
final class RulesHandler implements Handler {
  private final RulesInUse rules;

  RulesHandler(RulesInUse rules) {
    this.rules = rules;
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    JsonObjectBuilder answer = JsonValue.object();
    rules.staleness().ifPresent(reason -> answer.with("staleness", reason));
    Routes.sendJson(response, answer.build().toBytes());
  }
}
