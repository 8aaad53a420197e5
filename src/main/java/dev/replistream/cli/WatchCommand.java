package dev.replistream.cli;

import dev.replistream.cli.EventStream.Arrival;
import dev.replistream.cli.EventStream.End;
import dev.replistream.cli.EventStream.Item;
import java.io.IOException;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `watch`: keeps a stream open as a browser's EventSource does, and prints what comes.
@Command(
    name = "watch",
    description = {
      "Opens a stream and prints each event: local time, id, data.",
      "Comes back after an interruption as a browser does, until Ctrl-C."
    })
final class WatchCommand implements Callable<Integer> {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("HH:mm:ss.SSS", Locale.ROOT);

  /// How long to wait before coming back, until the service says otherwise.
  private static final Duration RETRY = Duration.ofSeconds(2);

  /// The shortest and the longest wait, whatever the service says.
  private static final Duration SHORTEST_RETRY = Duration.ofMillis(100);

  private static final Duration LONGEST_RETRY = Duration.ofMinutes(1);

  /// Beyond this, failures make the wait no longer.
  private static final Duration LONGEST_BACKOFF = Duration.ofSeconds(10);

  private static final Duration ANY_TIME = Duration.ofDays(1);

  /// What whoever comes back with the id of an event `ended` is answered.
  private static final int ENDED_BY_USER = 204;

  /// What is over by itself: too many streams, or a service or proxy that is down for a while.
  private static final Set<Integer> PASSING = Set.of(429, 500, 502, 503, 504);

  @Mixin private final ClientOptions client;
  @Mixin private final UrlOption url = new UrlOption();
  private final Clock clock;
  private final Terminal terminal;
  private String lastEventId = "";
  private Duration retry = RETRY;
  private long printed;

  @Option(names = "--once", description = "Don't come back after an interruption.")
  private boolean once;

  @Option(names = "--count", paramLabel = "N", description = "End after N events.")
  private Optional<Long> count = Optional.empty();

  WatchCommand(ClientOptions client, Clock clock, Terminal terminal) {
    this.client = client;
    this.clock = clock;
    this.terminal = terminal;
  }

  /// How one attempt ended.
  private enum Outcome {
    /// All that was asked for is printed.
    DONE,
    /// There was a stream, and it ended.
    ENDED,
    /// There was none, but there may be one later.
    FAILED,
    /// There won't be one.
    REFUSED
  }

  @Override
  public Integer call() throws InterruptedException {
    if (count.isPresent() && count.get() < 1) {
      throw new CommandException("--count: 1 or more");
    }
    URI base = client.url(url.given());
    try (Api api = new Api(base, client.credential(base, Set.of()), clock)) {
      int failures = 0;
      while (true) {
        Outcome outcome = attempt(api);
        if (outcome == Outcome.DONE) {
          return 0;
        }
        if (outcome == Outcome.REFUSED || once) {
          return outcome == Outcome.ENDED ? 0 : 1;
        }
        failures = outcome == Outcome.FAILED ? failures + 1 : 0;
        Duration wait = wait(failures);
        terminal.report("trying again in " + Report.spoken(wait));
        Thread.sleep(wait);
      }
    }
  }

  /// The time that the service asked for, doubled with each failure in a row up to ten seconds.
  private Duration wait(int failures) {
    Duration wait = clamped(retry);
    for (int i = 1; i < failures && wait.compareTo(LONGEST_BACKOFF) < 0; i++) {
      wait = wait.multipliedBy(2);
    }
    return wait;
  }

  private static Duration clamped(Duration wait) {
    return wait.compareTo(SHORTEST_RETRY) < 0
        ? SHORTEST_RETRY
        : wait.compareTo(LONGEST_RETRY) > 0 ? LONGEST_RETRY : wait;
  }

  private Outcome attempt(Api api) throws InterruptedException {
    try {
      return switch (api.openStream(
          lastEventId.isEmpty() ? Map.of() : Map.of("Last-Event-ID", lastEventId))) {
        case Api.Opened opened -> follow(opened);
        case Api.Refused(Answer answer) -> {
          terminal.report(
              answer.head().status() == ENDED_BY_USER
                  ? "204: the user of this stream ended it, so it does not come back"
                  : client.failure(answer));
          yield PASSING.contains(answer.head().status()) ? Outcome.FAILED : Outcome.REFUSED;
        }
      };
    } catch (IOException e) {
      terminal.report(String.valueOf(e.getMessage()));
      return Outcome.FAILED;
    }
  }

  private Outcome follow(Api.Opened opened) throws InterruptedException {
    try (EventStream stream = new EventStream(opened.body(), lastEventId)) {
      String type = opened.head().header("Content-Type").orElse("nothing");
      if (!type.toLowerCase(Locale.ROOT).matches("text/event-stream *(;.*)?")) {
        terminal.report("this is no stream of events: its Content-Type is " + type);
        return Outcome.REFUSED;
      }
      while (true) {
        Optional<Item> item = stream.next(ANY_TIME);
        if (item.isPresent()) {
          switch (item.get()) {
            case Arrival(ServerSentEvent event, _) -> {
              print(event);
              if (terminal.isClosed() || (count.isPresent() && printed >= count.get())) {
                return Outcome.DONE;
              }
            }
            case End end -> {
              leave(end);
              return Outcome.ENDED;
            }
          }
        }
      }
    }
  }

  private void print(ServerSentEvent event) {
    String type = event.type().equals("message") ? "" : "[" + event.type() + "] ";
    terminal.print(
        "%s  %-12s  %s%s"
            .formatted(
                TIME.format(clock.instant().atZone(ZoneId.systemDefault())),
                event.id().orElse("-"),
                type,
                event.data()));
    printed++;
  }

  private void leave(End end) {
    terminal.report("the stream is over: " + end.reason());
    // an id that fits no header can't be sent back
    boolean fits = end.lastEventId().chars().allMatch(c -> c > ' ' && c < 0x7f);
    lastEventId = fits ? end.lastEventId() : "";
    retry = end.reconnectionTime().orElse(retry);
  }
}
