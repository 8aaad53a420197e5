package dev.replistream.cli;

import dev.replistream.api.JsonValue.Num;
import dev.replistream.cli.EventStream.Arrival;
import dev.replistream.cli.EventStream.End;
import dev.replistream.cli.EventStream.Item;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/// What an open stream does by itself: begins at once, pings, and is let go when it is closed.
/// Confined to the thread that runs the command.
final class StreamCheck {
  /// What to change where events are held back.
  static final String BUFFERING =
      "A proxy holds the events back. nginx: proxy_buffering off; proxy_http_version 1.1; and no"
          + " proxy_ignore_headers X-Accel-Buffering. Apache: ProxyPass with flushpackets=on."
          + " Caddy: flush_interval -1.";

  private static final Duration FIRST_EVENT = Duration.ofSeconds(2);
  private static final Duration LATE_EVENT = Duration.ofMillis(500);
  private static final Duration PING_GRACE = Duration.ofSeconds(5);
  private static final Duration LEAVE = Duration.ofSeconds(3);
  private static final Duration LOOK = Duration.ofMillis(50);

  private final Report report;
  private final Api api;
  private final EventStream stream;

  StreamCheck(Report report, Api api, EventStream stream) {
    this.report = report;
    this.api = api;
    this.stream = stream;
  }

  /// Waits for `connected`.
  ///
  /// @param sentNanoTime when the request was sent
  /// @return whether it came
  boolean begins(long sentNanoTime) throws InterruptedException {
    String subject = "first event";
    long due = sentNanoTime + FIRST_EVENT.toNanos();
    long soon = System.nanoTime() + LATE_EVENT.toNanos(); // where the head itself came late
    Optional<Item> first = next(due - soon > 0 ? due : soon);
    if (first.isEmpty()) {
      report.fail(subject, "none within " + Report.spoken(FIRST_EVENT), BUFFERING);
      return false;
    }
    return switch (first.get()) {
      case End end -> {
        report.fail(
            subject,
            "none, as the stream was over after %s: %s"
                .formatted(Report.spoken(since(sentNanoTime, end.nanoTime())), end.reason()),
            "The log of the service says why it ended a stream; if it does not, a proxy did.");
        yield false;
      }
      case Arrival(ServerSentEvent event, long nanoTime) ->
          begins(event, since(sentNanoTime, nanoTime));
    };
  }

  private boolean begins(ServerSentEvent event, Duration after) {
    if (!event.data().equals("connected")) {
      report.fail("first event", "it is not connected but " + event.data(), "Is this Replistream?");
      return false;
    }
    if (after.compareTo(FIRST_EVENT) > 0) {
      report.fail("first event", "connected, but after " + Report.spoken(after), BUFFERING);
    } else {
      report.ok("first event", "connected, after " + Report.spoken(after));
    }
    if (event.retry().isPresent()) {
      report.ok("retry", Report.spoken(event.retry().get()));
    } else {
      report.fail("retry", "missing", "Is this Replistream? Something changes its stream.");
    }
    if (event.id().isPresent()) {
      report.ok("id", event.id().get());
    } else {
      report.fail("id", "missing", "Is this Replistream? Something changes its stream.");
    }
    return true;
  }

  /// Waits for a ping.
  ///
  /// @param interval after which silence the service pings
  /// @return whether the stream is still open
  boolean pings(Duration interval) throws InterruptedException {
    String subject = "ping";
    Duration longest = interval.plus(PING_GRACE);
    long silentNanoTime = System.nanoTime();
    while (true) {
      Optional<Item> item = next(silentNanoTime + longest.toNanos());
      if (item.isEmpty()) {
        report.fail(
            subject,
            "none within %s of silence".formatted(Report.spoken(longest)),
            "If replistream.stream.ping-interval is longer, say so with --ping-interval. Else: "
                + BUFFERING);
        return true;
      }
      switch (item.get()) {
        case End end -> {
          report.fail(
              subject,
              "the stream was over after %s of silence: %s"
                  .formatted(Report.spoken(since(silentNanoTime, end.nanoTime())), end.reason()),
              "A proxy's time limit is shorter than replistream.stream.ping-interval. nginx:"
                  + " proxy_read_timeout 1h; HAProxy: timeout tunnel, timeout server.");
          return false;
        }
        case Arrival(ServerSentEvent event, long nanoTime) -> {
          if (event.data().equals("ping")) {
            report.ok(
                subject,
                "after %s of silence".formatted(Report.spoken(since(silentNanoTime, nanoTime))));
            return true;
          }
          silentNanoTime = nanoTime;
        }
      }
    }
  }

  /// Closes the stream, and looks whether the service notices.
  void isLetGo() throws IOException, InterruptedException {
    String subject = "close";
    OptionalLong before = connections();
    if (before.isEmpty() || before.getAsLong() < 1) {
      report.warn(
          subject,
          "the service does not say how many streams the user has",
          "Several nodes that know nothing of each other? GET /api/v1/replicache/stats asks one.");
      return;
    }
    stream.close();
    long closedNanoTime = System.nanoTime();
    while (since(closedNanoTime, System.nanoTime()).compareTo(LEAVE) < 0) {
      OptionalLong now = connections();
      if (now.isPresent() && now.getAsLong() < before.getAsLong()) {
        report.ok(
            subject, "noticed after " + Report.spoken(since(closedNanoTime, System.nanoTime())));
        return;
      }
      Thread.sleep(LOOK);
    }
    report.fail(
        subject,
        "the stream is closed here, and the service still counts it after " + Report.spoken(LEAVE),
        "A proxy keeps its own connection open. nginx: proxy_ignore_client_abort off.");
  }

  private OptionalLong connections() throws IOException, InterruptedException {
    return api.get("/stats").json().get("userConnections") instanceof Num(String connections)
        ? OptionalLong.of((long) Double.parseDouble(connections))
        : OptionalLong.empty();
  }

  private Optional<Item> next(long deadlineNanoTime) throws InterruptedException {
    return stream.next(Duration.ofNanos(Math.max(0, deadlineNanoTime - System.nanoTime())));
  }

  private static Duration since(long nanoTime, long laterNanoTime) {
    return Duration.ofNanos(laterNanoTime - nanoTime);
  }
}
