package dev.replistream.auth;

import dev.replistream.http.RateLimit;
import dev.replistream.http.Routes;
import dev.replistream.json.Json;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;

/// `POST /ticket`: gives a caller with a token the ticket for one stream. Thread-safe.
public final class TicketHandler implements Handler {
  private final Authenticator authenticator;
  private final Tickets tickets;
  private final AuthMetrics metrics;
  private final RateLimit limit;

  /// A handler that counts the tickets it gives out.
  ///
  /// @param limit how many a user may have in a second
  public TicketHandler(
      Authenticator authenticator, Tickets tickets, AuthMetrics metrics, RateLimit limit) {
    this.authenticator = authenticator;
    this.tickets = tickets;
    this.metrics = metrics;
    this.limit = limit;
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    limit.take(caller.userId());
    long expiresInSeconds = tickets.lifetime(caller).toSeconds();
    String ticket = tickets.issue(caller);
    metrics.ticketIssued();
    Routes.sendJson(
        response,
        Json.write(json -> {
          json.writeStartObject();
          json.writeStringField("ticket", ticket);
          json.writeNumberField("expiresIn", expiresInSeconds);
          json.writeEndObject();
        }));
  }
}
