package dev.replistream.cli;

import dev.replistream.api.JsonValue.Num;
import dev.replistream.cli.EventStream.Arrival;
import dev.replistream.cli.EventStream.End;
import dev.replistream.cli.EventStream.Item;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/// How long pokes take to reach an open stream. Confined to the thread that runs the command.
final class PokeCheck {
  private static final String SUBJECT = "poke";
  private static final int POKES = 5;
  private static final Duration SLOW = Duration.ofSeconds(1);
  private static final Duration LOST = Duration.ofSeconds(3);

  private final Report report;
  private final Api api;
  private final EventStream stream;

  PokeCheck(Report report, Api api, EventStream stream) {
    this.report = report;
    this.api = api;
    this.stream = stream;
  }

  /// Pokes the caller and measures when each poke reaches the stream.
  ///
  /// @return whether the stream is still of use
  boolean run() throws IOException, InterruptedException {
    List<Duration> latencies = new ArrayList<>();
    for (int i = 0; i < POKES; i++) {
      while (next(System.nanoTime()).filter(Arrival.class::isInstance).isPresent()) {
        // what others poked
      }
      long pokedNanoTime = System.nanoTime();
      Answer answer = api.post("/poke-user", Optional.empty());
      if (!isTold(answer)) {
        return true;
      }
      OptionalLong came = awaitSync(pokedNanoTime + LOST.toNanos());
      if (came.isEmpty()) {
        return false;
      }
      latencies.add(since(pokedNanoTime, came.getAsLong()));
    }
    String times =
        latencies.stream().map(l -> String.valueOf(l.toMillis())).collect(Collectors.joining(", "));
    if (latencies.stream().anyMatch(latency -> latency.compareTo(SLOW) > 0)) {
      report.fail(
          SUBJECT, "slow: %s pokes took %s ms".formatted(POKES, times), StreamCheck.BUFFERING);
    } else {
      report.ok(SUBJECT, "%s pokes took %s ms".formatted(POKES, times));
    }
    return true;
  }

  private boolean isTold(Answer answer) {
    if (answer.head().status() != 200) {
      report.fail(
          SUBJECT,
          answer.failure(),
          "POST /api/v1/replicache/poke-user must reach the service as the stream does.");
      return false;
    }
    if (answer.json().get("clientsNotified") instanceof Num(String notified)
        && Double.parseDouble(notified) > 0) {
      return true;
    }
    report.fail(
        SUBJECT,
        "the poke was taken where nobody knows of the stream",
        "Several nodes must share their pokes, and behind this URL they do not.");
    return false;
  }

  /// The time at which the next sync came; without one, says so.
  private OptionalLong awaitSync(long deadlineNanoTime) throws InterruptedException {
    while (true) {
      Optional<Item> item = next(deadlineNanoTime);
      if (item.isEmpty()) {
        report.fail(
            SUBJECT,
            "no sync within %s of a poke".formatted(Report.spoken(LOST)),
            StreamCheck.BUFFERING);
        return OptionalLong.empty();
      }
      switch (item.get()) {
        case End end -> {
          report.fail(
              SUBJECT,
              "the stream was over before its sync: " + end.reason(),
              "The log of the service says why it ended a stream; if it does not, a proxy did.");
          return OptionalLong.empty();
        }
        case Arrival(ServerSentEvent event, long nanoTime) -> {
          if (event.data().equals("sync")) {
            return OptionalLong.of(nanoTime);
          }
        }
      }
    }
  }

  private Optional<Item> next(long deadlineNanoTime) throws InterruptedException {
    return stream.next(Duration.ofNanos(Math.max(0, deadlineNanoTime - System.nanoTime())));
  }

  private static Duration since(long nanoTime, long laterNanoTime) {
    return Duration.ofNanos(laterNanoTime - nanoTime);
  }
}
