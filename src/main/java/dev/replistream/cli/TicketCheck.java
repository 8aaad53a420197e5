package dev.replistream.cli;

import dev.replistream.api.JsonValue.Str;
import dev.replistream.cli.EventStream.Arrival;
import dev.replistream.cli.EventStream.Item;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/// Whether a ticket opens one stream, and no second. Confined to the thread that runs the command.
final class TicketCheck {
  private static final String SUBJECT = "ticket";
  private static final Duration FIRST_EVENT = Duration.ofSeconds(2);
  private static final String ADVICE =
      "The proxy must pass POST /api/v1/replicache/ticket, and the query of /stream, on as they are.";

  private final Report report;
  private final Api api;

  TicketCheck(Report report, Api api) {
    this.report = report;
    this.api = api;
  }

  void run() throws IOException, InterruptedException {
    Answer answer = api.post("/ticket", Optional.empty());
    if (answer.head().status() != 200
        || !(answer.json().get("ticket") instanceof Str(String ticket))) {
      report.fail(SUBJECT, "there is none: " + answer.failure(), ADVICE);
      return;
    }
    if (opens(ticket) && isUsedUp(ticket)) {
      report.ok(SUBJECT, "opens one stream, and no second");
    }
  }

  private boolean opens(String ticket) throws IOException, InterruptedException {
    switch (api.openStreamWith(ticket)) {
      case Api.Refused(Answer answer) -> {
        report.fail(
            SUBJECT,
            "a fresh one opens no stream: " + answer.failure(),
            ADVICE + " Several nodes must share their tickets.");
        return false;
      }
      case Api.Opened opened -> {
        try (EventStream stream = new EventStream(opened.body(), "")) {
          Optional<Item> first = stream.next(FIRST_EVENT);
          if (first.isPresent() && first.get() instanceof Arrival) {
            return true;
          }
          report.fail(
              SUBJECT,
              "its stream brings no event",
              "The user or the node has all the streams that it may have; or: " + ADVICE);
          return false;
        }
      }
    }
  }

  private boolean isUsedUp(String ticket) throws IOException, InterruptedException {
    switch (api.openStreamWith(ticket)) {
      case Api.Refused(Answer answer) -> {
        if (answer.head().status() == 401) {
          return true;
        }
        report.fail(SUBJECT, "used a second time: " + answer.failure(), ADVICE);
      }
      case Api.Opened opened -> {
        opened.body().close();
        report.fail(
            SUBJECT,
            "it opened a second stream",
            "A proxy answers in the service's place: turn its cache off for this route.");
      }
    }
    return false;
  }
}
