package dev.replistream.cli;

import java.util.Optional;

/// What it means that a stream was refused. Confined to the thread that runs the command.
final class StatusCheck {
  private static final String SUBJECT = "status";

  private final Report report;

  StatusCheck(Report report) {
    this.report = report;
  }

  /// @param hint what is known of a token that was signed here
  void run(Answer answer, Optional<String> hint) {
    report.fail(SUBJECT, answer.failure(), hint.orElseGet(() -> advice(answer)));
  }

  private static String advice(Answer answer) {
    Head head = answer.head();
    boolean own = answer.detail().isPresent();
    String later =
        head.header("Retry-After").map(s -> "It asks to try again after " + s + " s. ").orElse("");
    return switch (head.status()) {
      case 301, 302, 303, 307, 308 ->
          "It redirects to %s: use that address, as a redirect costs the token."
              .formatted(head.header("Location").orElse("nowhere"));
      case 400 -> "If this port speaks TLS, write https://; else the proxy's log has the reason.";
      case 401 ->
          own
              ? "Get a token that the service accepts. If this one should be, see whether a proxy"
                  + " takes out or replaces the header Authorization."
              : "A proxy asks for a login of its own: let this route pass.";
      case 403 -> "A proxy or firewall forbids the route: let it pass.";
      case 404 -> "The proxy must pass /api/v1/replicache/ on as it is; or the URL is wrong.";
      case 406 -> "Something on the way changes the header Accept: it must stay text/event-stream.";
      case 429 ->
          later
              + "Close streams that nobody needs, or raise"
              + " replistream.stream.max-connections-per-user; or a proxy limits the rate.";
      case 502, 504 ->
          "The proxy can't reach the service: is it running, and is the proxy's upstream right?";
      case 503 ->
          later
              + (own
                  ? "The node is full or stopping, or has no keys yet: its log says which."
                  : "The proxy has no service to pass this on to.");
      case 505 ->
          "The proxy speaks HTTP/1.0 with the service. nginx: proxy_http_version 1.1;"
              + " proxy_set_header Connection \"\";";
      default -> "The log of the service or of the proxy has the reason.";
    };
  }
}
